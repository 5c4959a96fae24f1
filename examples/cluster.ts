/**
 * Three processes that share tokens through Redis, behind a proxy that asks one after the other.
 *
 * Run it with `node --import tsx examples/cluster.ts`: it starts redis-server, which must be installed, the processes and the proxy, and
 * prints what to try. PORT is the port of the proxy, 9201 unless it is set. It needs `npm install @redis/client@6`.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { ConfigError, createSecurity, getAuth } from 'sallyport'

if (process.argv[2] === 'instance') await runInstance(process.argv[3]!)
else await runCluster()

/** One of the processes: an app as any other. It tells its port to the process that has started it. */
async function runInstance(name: string): Promise<void> {
  const file = new URL('cluster.toml', import.meta.url)
  const security = await createSecurity(file).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(1)
  })
  const managementRoutes = express.Router()
  managementRoutes.get('/whoami', (request, response) => {
    const { subject, isAdmin } = getAuth(request)
    response.json({ subject, isAdmin, answeredBy: name })
  })
  const app = express()
  // The address of a client is the one that the proxy names.
  app.set('trust proxy', 'loopback')
  app.use('/management', security.managementApi(), managementRoutes)
  const server = security.createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send?.((server.address() as AddressInfo).port)
  // A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
  if (process.platform !== 'win32') {
    process.on('SIGHUP', () => {
      security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
    })
  }
  process.once('disconnect', async () => {
    server.close()
    server.closeAllConnections()
    await security.close()
  })
}

async function runCluster(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cluster-'))
  const keyFile = join(folder, 'token-key.pem')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })

  const redisPort = await findFreePort()
  const redisOptions = ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const redis = spawn('redis-server', redisOptions, { stdio: 'ignore' })
  redis.once('error', () => {
    console.error('redis-server is missing; on Debian: apt-get install redis-server')
    process.exit(1)
  })

  process.once('exit', () => redis.kill('SIGKILL'))

  const password = process.env['ADMIN_PASSWORD'] ?? randomBytes(12).toString('base64url')
  const environment = { REDIS_URL: `redis://127.0.0.1:${redisPort}`, TOKEN_KEY_FILE: keyFile, ADMIN_PASSWORD: password }
  const instances = ['A', 'B', 'C'].map((name) =>
    fork(fileURLToPath(import.meta.url), ['instance', name], { env: { ...process.env, ...environment } }),
  )
  const ports = await Promise.all(instances.map(async (instance) => Number((await once(instance, 'message'))[0])))
  const proxy = createProxy(ports).listen(Number(process.env['PORT'] ?? 9201), '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo

  console.log(`
Three processes share one Redis, and http://127.0.0.1:${port} asks one after the other. Try it:

  BASE=http://127.0.0.1:${port}/management
  TOKEN=$(curl -s -u 'admin:${password}' $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')

  for i in 1 2 3; do curl -s -H "Authorization: Bearer $TOKEN" $BASE/whoami; echo; done   # A, B and C know the token
  curl -i -H "Authorization: Bearer $TOKEN" $BASE/logout                                  # 200: dead on all of them
  for i in 1 2 3; do curl -s -o /dev/null -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" $BASE/whoami; done   # 401 401 401

  kill -STOP ${redis.pid}    # Redis answers nothing any more: within a second tokens and logins get 503
  kill -CONT ${redis.pid}    # and it goes on where it was

Ctrl-C ends it.
`)

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(proxy, instances, redis, folder))
}

async function end(
  proxy: Server,
  instances: readonly ChildProcess[],
  redis: ChildProcess,
  folder: string,
): Promise<void> {
  proxy.close()
  proxy.closeAllConnections()
  const ends = [...instances, redis].map((child) => once(child, 'exit'))
  for (const instance of instances) if (instance.connected) instance.disconnect()
  redis.kill('SIGKILL')
  await Promise.all(ends)
  rmSync(folder, { recursive: true, force: true })
}

/** The smallest proxy: one process after the other. In production this is nginx, or what your platform has. */
function createProxy(ports: readonly number[]): Server {
  let count = 0
  return createServer((incoming, outgoing) => {
    const port = ports[count++ % ports.length]
    const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress }
    const forwarded = request({ port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()))
    incoming.pipe(forwarded)
  })
}

async function findFreePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
