// An Express app in place of a Micro Integrator's management API, with its deployment.toml as it is. FILE is another file.

import express from 'express'
import { createSecurity } from 'sallyport'

const security = await createSecurity(process.env.FILE ?? new URL('before.toml', import.meta.url))

const api = express.Router()
api.get('/apis', (_request, response) => response.json({ count: 0, list: [] }))

const app = express()
app.use('/management', security.managementApi(), api)
app.use('/publisher', security.portal('publisher'))
const server = security
  .createServer(app, { protocol: 'http' })
  .listen(Number(process.env.PORT ?? 9164), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`)
  })
