/**
 * Three portals in an Express app, as portal.toml says: a management console, a publisher and a devportal, each with a login
 * page, sessions that time out, and a warning before they do.
 *
 * Run it with `npm run build && node --import tsx examples/portal.ts`; the pages load the module for browsers from the build.
 * `SESSION_TIMEOUT=1m` lets the console's sessions time out soon. PORT is the port, 9443 unless it is set; ADMIN_PASSWORD and
 * DANA_PASSWORD are the users' passwords, random unless they are set.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { ConfigError, createSecurity, getAuth } from 'sallyport'

for (const name of ['ADMIN_PASSWORD', 'DANA_PASSWORD']) process.env[name] ??= randomBytes(12).toString('base64url')
process.env['SESSION_TIMEOUT'] ??= '15m'

const file = new URL('portal.toml', import.meta.url)
const security = await createSecurity(file).catch((error: unknown) => {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
})

const portals = [
  { path: '/carbon', name: 'management_console', title: 'Management console' },
  { path: '/publisher', name: 'publisher', title: 'Publisher' },
  { path: '/devportal', name: 'devportal', title: 'Devportal' },
] as const

const app = express()

// What every page may load, signed in or not: the module for browsers, and the script that calls it.
app.use('/sallyport', express.static(dirname(fileURLToPath(import.meta.resolve('sallyport/browser')))))
app.get('/watch.js', (_request, response) => {
  response.type('text/javascript').send(`import { watchSession } from '/sallyport/watch-session.js'
watchSession({ portal: document.documentElement.dataset.portal })
`)
})

for (const { path, name, title } of portals) {
  const routes = express.Router()
  routes.get('/whoami', (request, response) => {
    const { subject, roles, isAdmin } = getAuth(request)
    response.json({ subject, roles, isAdmin })
  })
  routes.get('/', (request, response) => {
    response.set('Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'")
    response.send(pageOf(path, title, getAuth(request).subject))
  })
  app.use(path, security.portal(name), routes)
}

// The address rules of [web_app.control_access] for whatever is no portal.
app.use(security.webApps())
app.get('/', (_request, response) => {
  const links = portals.map(({ path, title }) => `<li><a href="${path}">${title}</a>`)
  response.send(
    `<!doctype html><html lang="en"><title>Portals</title><h1>Portals</h1><ul>${links.join('')}</ul></html>`,
  )
})

function pageOf(path: string, title: string, subject: string): string {
  return `<!doctype html>
<html lang="en" data-portal="${path}">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<h1>${title}</h1>
<p>Signed in as ${escaped(subject)}.</p>
<p><a href="/">All portals</a></p>
<form method="post" action="${path}/logout"><button>Sign out</button></form>
<script type="module" src="/watch.js"></script>
</html>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

// portal.toml names no key store, so the server gets a self-signed certificate, which browsers warn of.
const server = security
  .createServer(app, { protocol: 'https' })
  .listen(Number(process.env['PORT'] ?? 9443), '127.0.0.1')
await once(server, 'listening').catch((error: Error) => {
  console.error(`cannot listen: ${error.message}. If another server runs there, end it, or set another port`)
  process.exit(1)
})
const { port } = server.address() as AddressInfo

console.log(`
The portals listen on https://localhost:${port}/. Open one in a browser, accept its certificate, and sign in:

  https://localhost:${port}/carbon      admin  ${process.env['ADMIN_PASSWORD']}
  https://localhost:${port}/publisher   admin; dana may not, for want of a role
  https://localhost:${port}/devportal   dana   ${process.env['DANA_PASSWORD']}

The console's sessions end after ${process.env['SESSION_TIMEOUT']} without activity, with a warning before, in every tab.

Or with curl:

  BASE=https://localhost:${port}
  JAR=$(mktemp)
  FORM="username=admin&password=${process.env['ADMIN_PASSWORD']}"

  curl -ik $BASE/carbon/whoami                                                   # 401
  curl -ik -H 'Accept: text/html' $BASE/carbon/whoami                            # 303 to the login page
  curl -ik -c $JAR -H "Origin: $BASE" -d "$FORM" $BASE/carbon/login              # 303, with a cookie
  curl -ik -b $JAR $BASE/carbon/whoami                                           # 200
  curl -ik -b $JAR $BASE/carbon/session                                          # 200: what is left
  curl -ik -b $JAR $BASE/carbon/admin/restart                                    # 403: for 10.0.0.1 only
  curl -ik -b $JAR -H "Origin: $BASE" -X POST $BASE/carbon/logout                # 204: the session is over
  curl -ik -b $JAR $BASE/carbon/whoami                                           # 401

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
