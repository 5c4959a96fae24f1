import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import http, { Agent, type Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { document } from '../helpers/front.js'
import { makeCertificate } from '../helpers/make-certificate.js'
import { recordedLog } from '../helpers/recorded-log.js'

interface Stage {
  readonly security: Security
  readonly servers: readonly Server[]
  readonly ports: readonly number[]
  readonly log: ReturnType<typeof recordedLog>
  /** Answers the requests that wait at /app/slow. */
  answerSlow(): void
}

async function startStage(count = 1): Promise<Stage> {
  const log = recordedLog()
  const security = await createSecurity(document(), { logger: log.logger })
  const waiting: (() => void)[] = []
  const app = express()
  app.use('/management', security.managementApi())
  app.get('/app/quick', (_request, response) => void response.send('quick'))
  app.get('/app/slow', (_request, response) => void waiting.push(() => response.send('slow')))
  app.get('/app/begun', (_request, response) => void response.write('begun'))
  app.get('/management-free/stream', (_request, response) => {
    response.type('text/event-stream').flushHeaders()
  })
  const servers = Array.from({ length: count }, () =>
    security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  onTestFinished(async () => {
    for (const server of servers) server.closeAllConnections()
    await security.shutdown(servers, { timeout: 0 })
  })
  return {
    security,
    servers,
    ports: servers.map((server) => (server.address() as AddressInfo).port),
    log,
    answerSlow() {
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

const keepAlive = (): Agent => {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  return agent
}

interface Got {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly body: string
}

async function get(port: number, path: string, agent?: Agent): Promise<Got> {
  const request = http.get({ port, path, agent, host: '127.0.0.1' })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, connection: response.headers.connection, body }
}

describe('security.shutdown', () => {
  it('answers requests under way with Connection: close, and ends idle connections at once', async () => {
    const { security, servers, ports, answerSlow } = await startStage()
    const [port = 0] = ports
    await get(port, '/app/quick', keepAlive())
    const slow = get(port, '/app/slow', keepAlive())
    await sleep(50)
    const startedAt = performance.now()
    const ending = security.shutdown(servers)
    await expect(get(port, '/app/quick')).rejects.toThrow('ECONNREFUSED')
    answerSlow()
    expect(await slow).toEqual({ status: 200, connection: 'close', body: 'slow' })
    await ending
    expect(performance.now() - startedAt).toBeLessThan(2000)
    expect(servers[0]!.listening).toBe(false)
  })

  it('says 503 at /health/ready from the call on, while the delay lasts, and still serves', async () => {
    const { security, servers, ports } = await startStage()
    const [port = 0] = ports
    const agent = keepAlive()
    expect((await get(port, '/management/health/ready', agent)).status).toBe(200)
    const ending = security.shutdown(servers, { delay: 300 })
    expect(await get(port, '/management/health/ready', agent)).toMatchObject({ status: 503, connection: 'close' })
    expect((await get(port, '/management/health/live')).status).toBe(200)
    expect(await get(port, '/app/quick')).toMatchObject({ status: 200, connection: 'close' })
    await ending
    await expect(get(port, '/app/quick')).rejects.toThrow('ECONNREFUSED')
  })

  it('closes what hangs after the time-out, a client within its TLS handshake too, and says how many', async () => {
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const [notBefore, notAfter] = [new Date(), new Date(Date.now() + 86_400_000)]
    const certificate = makeCertificate({ commonName: 'x', hostNames: ['localhost'], key, notBefore, notAfter })
    const log = recordedLog()
    const security = await createSecurity(document(), { logger: log.logger })
    const app = express()
    const options = {
      protocol: 'https',
      tls: { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: certificate.toString() },
    } as const
    app.use('/management', security.managementApi())
    const secure = security.createServer(app, options).listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const handshake = net.connect((secure.address() as AddressInfo).port, '127.0.0.1')
    await once(handshake, 'connect')
    handshake.on('error', () => {})
    const stage = await startStage()
    const slow = get(stage.ports[0]!, '/app/slow')
    const begun = get(stage.ports[0]!, '/app/begun')
    await sleep(50)
    const outcomes = Promise.allSettled([slow, begun])
    const startedAt = performance.now()
    await Promise.all([
      security.shutdown(secure, { timeout: 200 }),
      stage.security.shutdown(stage.servers, { timeout: 200 }),
    ])
    expect(performance.now() - startedAt).toBeLessThan(1500)
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const messages = stage.log.entries.map(({ message }) => message)
    expect(messages).toContain('connections were still open after 200 ms, and are closed')
  })

  it('ends WebSockets with 1001 and event streams, also one that nobody has let in', async () => {
    const { security, servers, ports } = await startStage()
    const [server] = servers
    const [port] = ports
    const sockets = new WebSocketServer({ noServer: true })
    server!.on('upgrade', async (request, socket, head) => {
      if (request.url === '/free') return sockets.handleUpgrade(request, socket, head, () => {})
      const connection = await security.authenticateUpgrade(request, socket)
      if (connection !== undefined) sockets.handleUpgrade(request, socket, head, (ws) => connection.end(ws))
    })
    const answer = await fetch(`http://127.0.0.1:${port}/management/login`, {
      headers: { authorization: `Basic ${Buffer.from('admin:Correct-horse-1').toString('base64')}` },
    })
    const { AccessToken } = (await answer.json()) as { AccessToken: string }
    const guarded = new WebSocket(`ws://127.0.0.1:${port}/management/live`, {
      headers: { authorization: `Bearer ${AccessToken}` },
    })
    const free = new WebSocket(`ws://127.0.0.1:${port}/free`)
    await Promise.all([once(guarded, 'open'), once(free, 'open')])
    const codes = Promise.all([guarded, free].map(async (ws) => (await once(ws, 'close'))[0]))
    await security.shutdown(servers, { timeout: 300 })
    expect(await codes).toEqual([1001, 1006])
  })

  it('ends several servers, and a second call is the first one', async () => {
    const { security, servers, ports, answerSlow } = await startStage(2)
    const slow = Promise.all(ports.map((port) => get(port, '/app/slow')))
    await sleep(50)
    const first = security.shutdown(servers)
    expect(security.shutdown(servers[0]!, { timeout: 0 })).toBe(first)
    answerSlow()
    expect((await slow).map(({ status }) => status)).toEqual([200, 200])
    await first
    await expect(security.reload(document())).rejects.toThrow('came after close()')
  })

  it('works in the middle of a reload, after close, and for servers that never listened or are closed', async () => {
    const { security, servers } = await startStage(2)
    const reload = security.reload(document())
    const closing = security.close()
    servers[0]!.close()
    const other = http.createServer()
    const late = http.createServer().listen(0, 'localhost')
    await security.shutdown([...servers, other, late], { timeout: 500 })
    await closing
    await reload.catch(() => undefined)
    await sleep(50)
    expect([...servers, other, late].map(({ listening }) => listening)).toEqual([false, false, false, false])
  })

  it('rejects for a time that is none, and ends everything at the next call', async () => {
    const { security, servers, ports } = await startStage()
    await expect(security.shutdown(servers, { timeout: -1 })).rejects.toThrow('"timeout"')
    expect((await get(ports[0]!, '/management/health/ready')).status).toBe(200)
    await security.shutdown(servers)
    expect(servers[0]!.listening).toBe(false)
  })
})
