/**
 * An app behind nginx, which ends TLS, as nginx.conf says.
 *
 * Run it with `node --import tsx examples/nginx.ts`: it makes a certificate with openssl, starts nginx, which must be installed, and prints
 * what to try. PORT is the port of nginx, 9443 unless it is set; ADMIN_PASSWORD is the password, random unless it is set.
 */

import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'

const password = process.env['ADMIN_PASSWORD'] ?? randomBytes(12).toString('base64url')
const security = await createSecurity({
  internal_apis: { users: [{ user: { name: 'admin', password, is_admin: true } }] },
  management_api: { control_access: { enable: true, allow: ['127.0.0.1'] } },
  portal: { desk: { title: 'Desk' } },
})

const managementRoutes = express.Router()
managementRoutes.get('/whoami', (request, response) => {
  response.json({ subject: getAuth(request).subject, address: request.ip })
})
const deskRoutes = express.Router()
deskRoutes.get('/', (request, response) => {
  response.send(`Signed in as ${encodeURIComponent(getAuth(request).subject)}`)
})

const app = express()
// nginx, which is on this machine, says who the client is and that it came over TLS.
app.set('trust proxy', 'loopback')
app.use('/management', security.managementApi(), managementRoutes)
app.use('/desk', security.portal('desk'), deskRoutes)
const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port: appPort } = server.address() as AddressInfo

const folder = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const certificate = join(folder, 'localhost.pem')
const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '30']
const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
execFileSync('openssl', [...request, ...names, '-keyout', join(folder, 'localhost.key'), '-out', certificate], {
  stdio: 'ignore',
})

const port = process.env['PORT'] ?? '9443'
const configuration = readFileSync(new URL('nginx.conf', import.meta.url), 'utf8')
  .replace(':9443', `:${port}`)
  .replace(':9201', `:${appPort}`)
writeFileSync(join(folder, 'nginx.conf'), configuration)
const nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-g', 'daemon off; master_process off;'], {
  env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  stdio: 'inherit',
})
nginx.once('error', () => {
  console.error('nginx is missing; on Debian: apt-get install nginx')
  process.exit(1)
})

console.log(`
nginx listens on https://localhost:${port}/. Open /desk there in a browser, or try it with curl:

  CA=${certificate}
  BASE=https://localhost:${port}/management
  TOKEN=$(curl -s --retry 5 --retry-connrefused --cacert $CA -u 'admin:${password}' $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')

  curl -i --cacert $CA -H "Authorization: Bearer $TOKEN" $BASE/whoami                                   # 200, with your address
  curl -i --cacert $CA -H 'X-Forwarded-For: 10.0.0.1' -H "Authorization: Bearer $TOKEN" $BASE/whoami    # 200: the same address
  curl -i -H 'X-Forwarded-For: 10.0.0.1' http://127.0.0.1:${appPort}/management/whoami                           # 403: not in the list

Only this machine reaches the app without nginx, as the last line does; it may choose its address. Ctrl-C ends it.
`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    nginx.kill('SIGTERM')
    await security.shutdown(server)
  })
}
