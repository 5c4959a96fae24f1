/**
 * An authorization server, an API, and a developer portal that is a browser app.
 *
 * Run it with `node --import tsx examples/devportal/server.ts` and open https://localhost:9443/devportal/. Sign in as alice, refresh the
 * token, and sign out. The port is that of the issuer in deployment.toml, 9443; ALICE_PASSWORD is the user's password, random unless it
 * is set.
 */

import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'
import { bearerAuthentication, errorResponses } from 'sallyport/middleware'

process.env['ALICE_PASSWORD'] ??= randomBytes(12).toString('base64url')

const file = process.argv[2] ?? new URL('deployment.toml', import.meta.url)
const security = await createSecurity(file)
const { tokens, config } = security
const origin = new URL(config.oauth?.issuer ?? '').origin

const api = express.Router()
api.use(bearerAuthentication({ tokens, audience: `${origin}/api`, scope: 'apis' }))
api.get('/apis', (request, response) => {
  response.json({ caller: getAuth(request).subject, list: [{ name: 'HealthcareAPI' }, { name: 'StockQuoteAPI' }] })
})

const app = express()
app.use('/oauth2', security.oauth())
app.use('/api', api)
app.get('/devportal/oauth4webapi.js', (_request, response) => {
  response.sendFile(fileURLToPath(import.meta.resolve('oauth4webapi')))
})
app.use('/devportal', express.static(fileURLToPath(new URL('public', import.meta.url))))
app.get('/devportal/callback', (_request, response) => {
  response.sendFile(fileURLToPath(new URL('public/index.html', import.meta.url)))
})
// Last: it answers and reports the refusals of bearerAuthentication.
app.use(errorResponses({ events: security.events }))

const server = security.createServer(app, { protocol: 'https' })
server.listen(Number(new URL(origin).port || 443), '127.0.0.1', () => {
  console.log(`${origin}/devportal/ is open to alice, whose password is ${process.env['ALICE_PASSWORD']}`)
})
// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => security.shutdown(server))
}
