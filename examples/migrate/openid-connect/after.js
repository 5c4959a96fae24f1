// The page of before.js as a portal of Sallyport: people sign in here, and there is no provider.

import express from 'express'
import { createSecurity, getAuth } from 'sallyport'

const security = await createSecurity(new URL('deployment.toml', import.meta.url))
const routes = express.Router()
routes.get('/', (request, response) => response.json({ hello: getAuth(request).subject }))

const app = express()
app.use('/', security.portal('shop'), routes)
const server = security
  .createServer(app, { protocol: 'http' })
  .listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`)
  })
