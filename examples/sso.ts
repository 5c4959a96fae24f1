/**
 * Two portals whose people sign in with a password, or at the identity provider of their company; groups there are roles here, as
 * sso.toml says, and a sign-out on either side ends both.
 *
 * Run it with `node --import tsx examples/sso.ts`. It starts a provider to try, `examples/sso-provider.ts`, with users of its own.
 * PORT and PROVIDER_PORT are the ports, 9447 and 9448 unless they are set.
 */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'

for (const name of ['ADMIN_PASSWORD', 'ALICE_PASSWORD', 'BOB_PASSWORD', 'EVE_PASSWORD', 'CLIENT_SECRET']) {
  process.env[name] ??= randomBytes(12).toString('base64url')
}
const { PORT = '9447', PROVIDER_PORT = '9448' } = process.env
process.env['PROVIDER'] = `http://127.0.0.1:${PROVIDER_PORT}`

const app = express()
const file = new URL('sso.toml', import.meta.url)
const security = await createSecurity(file)

for (const [path, name] of [
  ['/desk', 'desk'],
  ['/carbon', 'management_console'],
] as const) {
  app.use(path, security.portal(name), (request, response) => {
    const { subject, roles, isAdmin } = getAuth(request)
    response.send(`<!doctype html><html lang="en"><title>${name}</title><h1>${name}</h1>
<p>Signed in as <b id="subject">${escaped(subject)}</b>: <span id="rights">${escaped(isAdmin ? 'administrator' : roles.join(', '))}</span></p>
<form method="post" action="${path}/logout"><button>Sign out</button></form></html>`)
  })
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const server = security.createServer(app, { protocol: 'http' }).listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const provider = spawn(
  process.execPath,
  ['--import', 'tsx', fileURLToPath(new URL('sso-provider.ts', import.meta.url))],
  {
    env: { ...process.env, APP: `http://localhost:${port}`, PROVIDER_PORT },
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)

console.log(`
The portals listen on http://localhost:${port}/. Open one, and sign in with a password here or with Corporate:

  http://localhost:${port}/desk     at Corporate: bob    ${process.env['BOB_PASSWORD']}   an agent, by the group staff
                                                  alice  ${process.env['ALICE_PASSWORD']}   an administrator, by the group platform-admins
                                                  eve    ${process.env['EVE_PASSWORD']}   gets no access: no group of hers is a role here
  http://localhost:${port}/carbon   here: admin ${process.env['ADMIN_PASSWORD']}; at Corporate: alice

Sign out: the page of the provider asks, and then both sessions are over. The provider is process ${provider.pid}: stop it with
kill -STOP ${provider.pid}, and sign in with a password all the same.

Ctrl-C ends both.
`)

// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    provider.kill('SIGKILL')
    await security.shutdown(server)
  })
}
