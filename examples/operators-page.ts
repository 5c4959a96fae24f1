/**
 * The operators' page on a port of its own, beside an app with a management API, as operators-page.toml says.
 *
 * Run it with `npm run build && node --import tsx examples/operators-page.ts`; the page is part of the build. PORT and PAGE_PORT are
 * the ports, 9201 and 9202 unless they are set; ADMIN_PASSWORD and READER_PASSWORD are the users' passwords, random unless they are set.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { ConfigError, createSecurity } from 'sallyport'

for (const name of ['ADMIN_PASSWORD', 'READER_PASSWORD']) process.env[name] ??= randomBytes(12).toString('base64url')

const security = await createSecurity(new URL('operators-page.toml', import.meta.url)).catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
})

const routes = express.Router().get('/apis', (_request, response) => void response.json({ count: 0, list: [] }))
const app = express().use('/management', security.managementApi(), routes)

// Nothing else is on this port: let it be reached from where operators are.
const page = express().use('/ops', security.console())

const servers = [listen(app, process.env['PORT'] ?? '9201'), listen(page, process.env['PAGE_PORT'] ?? '9202')]
await Promise.all(servers.map((server) => once(server, 'listening'))).catch((error: Error) => {
  console.error(`cannot listen: ${error.message}. If another server runs there, end it, or set another port`)
  process.exit(1)
})
const [base, ops] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)

function listen(served: Express, port: string) {
  return security.createServer(served, { protocol: 'http' }).listen(Number(port), '127.0.0.1')
}

console.log(`
The page is at ${ops}/ops. Open it in a browser, and sign in:

  admin  ${process.env['ADMIN_PASSWORD']}

Give it something to show: a session to end, and a lock to lift.

  curl -s -u reader:${process.env['READER_PASSWORD']} ${base}/management/login
  for n in 1 2 3 4 5; do curl -s -u reader:wrong ${base}/management/login; done

What the page shows, with a token of the administrator:

  TOKEN=$(curl -s -u admin:${process.env['ADMIN_PASSWORD']} ${base}/management/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')
  curl -i -H "Authorization: Bearer $TOKEN" ${base}/management/sessions
  curl -N -H "Authorization: Bearer $TOKEN" -H 'Accept: text/event-stream' ${base}/management/events

Ctrl-C ends it.
`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    await security.close()
  })
}
