// The API of before.cjs with Sallyport, in CommonJS for Express 4: routes read request.user as before.

const { join } = require('node:path')
const express = require('express')
const { createSecurity } = require('sallyport')

async function main() {
  const security = await createSecurity(join(__dirname, 'deployment.toml'), {
    requestUser: ({ subject, isAdmin }) => ({ name: subject, admin: isAdmin }),
  })

  const api = express.Router()
  api.get('/whoami', (request, response) => response.json({ name: request.user.name }))
  api.get('/reports', (_request, response) => response.json({ reports: [] }))

  const app = express()
  app.use('/management', security.managementApi(), api)
  const server = security
    .createServer(app, { protocol: 'http' })
    .listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
      console.log(`listening on http://127.0.0.1:${server.address().port}`)
    })
}

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
