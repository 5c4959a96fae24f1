// The API of before.js with Sallyport: the login, the logout, the guard and the rule for administrators are in deployment.toml.

import express from 'express'
import { createSecurity, getAuth } from 'sallyport'

const security = await createSecurity(new URL('deployment.toml', import.meta.url))

const api = express.Router()
api.get('/whoami', (request, response) => response.json({ name: getAuth(request).subject }))
api.get('/reports', (_request, response) => response.json({ reports: [] }))

const app = express()
app.use('/management', security.managementApi(), api)
const server = security
  .createServer(app, { protocol: 'http' })
  .listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`)
  })
