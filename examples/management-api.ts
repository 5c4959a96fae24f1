/**
 * An Express app whose /management is guarded by what a deployment.toml says.
 *
 * Run it with `npm start`, or with another file: `npm start -- path/to/deployment.toml`. HTTPS_PORT and PORT are the ports,
 * 9164 and 9201 unless they are set; ADMIN_PASSWORD and READER_PASSWORD are the users' passwords, random unless they are set.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { ConfigError, createSecurity, getAuth } from 'sallyport'

const ownFile = process.argv[2]
for (const name of ['ADMIN_PASSWORD', 'READER_PASSWORD']) process.env[name] ??= randomBytes(12).toString('base64url')

const file = ownFile ?? new URL('deployment.toml', import.meta.url)
const security = await createSecurity(file).catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
})

const apis = [
  { name: 'HealthcareAPI', url: 'http://localhost:8290/healthcare' },
  { name: 'StockQuoteAPI', url: 'http://localhost:8290/stockquote' },
]

const managementRoutes = express.Router()
managementRoutes.get('/apis', (request, response) => {
  const { apiName } = request.query
  const list = apis.filter(({ name }) => apiName === undefined || name === apiName)
  response.json({ count: list.length, list })
})
managementRoutes.get('/whoami', (request, response) => {
  const { subject, roles, isAdmin } = getAuth(request)
  response.json({ subject, roles, isAdmin })
})

const app = express()
app.use('/management', security.managementApi(), managementRoutes)

const ports = { https: Number(process.env['HTTPS_PORT'] ?? 9164), http: Number(process.env['PORT'] ?? 9201) }
const { protocols } = security.config.managementApi
const servers = await Promise.all(protocols.map(listen)).catch((error: Error) => {
  console.error(`cannot listen: ${error.message}. If another server runs there, end it, or set another port`)
  process.exit(1)
})

async function listen(protocol: 'https' | 'http'): Promise<Server> {
  const server = security.createServer(app, { protocol }).listen(ports[protocol], '127.0.0.1')
  await once(server, 'listening')
  return server
}

const bases = servers.map((server, index) => {
  const { port } = server.address() as AddressInfo
  return `${protocols[index]}://127.0.0.1:${port}/management`
})
const base = bases[0]!
// Made at the first start, because deployment.toml names no key store.
const certificate = join(dirname(ownFile ?? fileURLToPath(import.meta.url)), 'sallyport-tryout.pem')
const isTryOut = base.startsWith('https:') && existsSync(certificate)
const trust = isTryOut ? '--cacert $CA ' : ''
const setUp = `BASE=${base}${isTryOut ? `\n  CA=${relative('.', certificate)}` : ''}`
const tokenOf = (user: string) =>
  `$(curl -s ${trust}-u '${user}' $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')`

console.log(
  ownFile === undefined
    ? `
The management API listens on ${bases.join(' and ')}. Try it:

  ${setUp}
  TOKEN=${tokenOf(`admin:${process.env['ADMIN_PASSWORD']}`)}
  READER=${tokenOf(`reader:${process.env['READER_PASSWORD']}`)}

  curl -i ${trust}-H "Authorization: Bearer $READER" $BASE/whoami    # 200
  curl -i ${trust}$BASE/whoami                                       # 401: no token
  curl -i ${trust}-H "Authorization: Bearer $READER" $BASE/apis      # 403: only administrators
  curl -i ${trust}-H "Authorization: Bearer $TOKEN" "$BASE/apis?apiName=StockQuoteAPI"
  curl -i ${trust}-H "Authorization: Bearer $TOKEN" $BASE/logout     # 200: from now on the token is dead
  curl -i ${trust}-H "Authorization: Bearer $TOKEN" $BASE/whoami     # 401

Ctrl-C ends it.
`
    : `
The management API listens on ${bases.join(' and ')}, guarded by ${ownFile}. With a user of that file:

  ${setUp}
  TOKEN=${tokenOf('NAME:PASSWORD')}
  curl -i ${trust}-H "Authorization: Bearer $TOKEN" $BASE/whoami

Ctrl-C ends it.
`,
)

// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Requests that are under way are answered, within a second.
  process.once(signal, () => security.shutdown(servers, { timeout: 1000 }))
}
