/**
 * An Express app whose users are in an LDAP directory, as ldap.toml says.
 *
 * Run it with `. examples/slapd.sh && node --import tsx examples/ldap.ts`: the script starts a slapd with one administrator,
 * and sets LDAP_URL and LDAP_PASSWORD. For a directory of your own, set them yourself and change the names in ldap.toml.
 * PORT is the port, 9201 unless it is set. It needs `npm install ldapts@8`.
 */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { ConfigError, createSecurity, getAuth } from 'sallyport'

const file = new URL('ldap.toml', import.meta.url)
const security = await createSecurity(file).catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
})

const managementRoutes = express.Router()
managementRoutes.get('/whoami', (request, response) => {
  const { subject, roles, isAdmin } = getAuth(request)
  response.json({ subject, roles, isAdmin })
})

const app = express()
app.use('/management', security.managementApi(), managementRoutes)

const server = security.createServer(app).listen(Number(process.env['PORT'] ?? 9201), '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

console.log(`
The management API listens on http://127.0.0.1:${port}/management. Try it, where LDAP_PASSWORD is set:

  BASE=http://127.0.0.1:${port}/management
  TOKEN=$(curl -s -u "admin:$LDAP_PASSWORD" $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')

  curl -i -H "Authorization: Bearer $TOKEN" $BASE/whoami   # 200
  curl -i -H "Authorization: Bearer $TOKEN" $BASE/users    # 200: the users of the directory
  curl -i -H "Authorization: Bearer $TOKEN" $BASE/logout   # 200: from now on the token is dead

Ctrl-C ends it.
`)

// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => security.shutdown(server))
}
