/**
 * A management API over HTTP/2, and over HTTP/1.1 on the same port, without a proxy.
 *
 * Run it with `node --import tsx examples/http2.ts`: it makes a certificate with openssl, and prints what to try. PORT is the port, 9443
 * unless it is set; ADMIN_PASSWORD is the password, random unless it is set.
 */

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type Express } from 'express'
import { createSecurity, getAuth } from 'sallyport'
import { loadKeyStore } from 'sallyport/tls'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-http2-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '30']
const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
execFileSync('openssl', [...request, ...names, '-keyout', keyFile, '-out', certificateFile], { stdio: 'ignore' })

/** Puts Node's HTTP/2 classes below the prototypes of the app, so that it takes the requests of an HTTP/2 server. */
function overHttp2(app: Express): Express {
  const put = (own: object, base: object) =>
    Object.setPrototypeOf(own, Object.create(base, Object.getOwnPropertyDescriptors(Object.getPrototypeOf(own))))
  put(app.request, http2.Http2ServerRequest.prototype)
  put(app.response, http2.Http2ServerResponse.prototype)
  return app
}

const password = process.env['ADMIN_PASSWORD'] ?? randomBytes(12).toString('base64url')
const security = await createSecurity({
  keystore: { primary: { file_name: certificateFile, key_file: keyFile } },
  internal_apis: { users: [{ user: { name: 'admin', password, is_admin: true } }] },
})

const routes = express.Router()
routes.get('/whoami', (request, response) => {
  response.json({ caller: getAuth(request).subject, protocol: request.httpVersion })
})
/** An app takes one protocol: there is one for each, with the same mounts. */
const fill = (app: Express): Express => app.use('/management', security.managementApi(), routes)
const [http2App, http1App] = [fill(overHttp2(express())), fill(express())]

const { key, certificates } = await loadKeyStore(security.config.keyStores.primary)
const options = { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: certificates.map(String).join('') }
const server = http2.createSecureServer({ ...options, allowHTTP1: true }, (request, response) => {
  const app = request.httpVersionMajor === 2 ? http2App : http1App
  app(request as never, response as never)
})
const sessions = new Set<http2.ServerHttp2Session>()
server.on('session', (session) => {
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
})
server.listen(Number(process.env['PORT'] ?? 9443), '127.0.0.1')
await once(server, 'listening')

console.log(`
Try it with a curl that knows HTTP/2:

  CA=${certificateFile}
  BASE=https://localhost:${(server.address() as AddressInfo).port}/management
  TOKEN=$(curl -s --cacert $CA -u 'admin:${password}' $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')

  curl -i --cacert $CA -H "Authorization: Bearer $TOKEN" $BASE/whoami    # 200, with the protocol
  curl -i --http1.1 --cacert $CA -H "Authorization: Bearer $TOKEN" $BASE/whoami    # 200
  curl -i --cacert $CA -H "Authorization: Bearer $TOKEN" $BASE/logout    # 200
  curl -i --cacert $CA -H "Authorization: Bearer $TOKEN" $BASE/whoami    # 401

Ctrl-C ends it.
`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // Requests that are under way are answered.
    for (const session of sessions) session.close()
    return security.shutdown(server)
  })
}
