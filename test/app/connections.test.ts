import { once } from 'node:events'
import http, { type Server, type ServerResponse } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'
import { Server as SocketServer } from 'socket.io'
import { type Socket as ClientSocket, io as connectSocket } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { GuardedConnection } from '../../lib/app/connections.js'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { createTestSecurity } from '../../lib/testing/test-security.js'
import { basic, document, fileUser, users } from '../helpers/front.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'
import { oneSetUp, type SetUp, twoSetUps } from '../helpers/set-ups.js'

/** A busy machine takes longer than the second that is promised. */
const patienceMs = 15_000
const twoChecksMs = 1200

interface Stage extends RecordedLog {
  readonly security: Security
  readonly app: Express
  readonly server: Server
  readonly port: number
  readonly sockets: WebSocketServer
  /** Sets the clock forward. */
  pass(ms: number): void
  fetch(path: string, headers?: Record<string, string>, method?: string): Promise<Response>
  login(user?: { name: string; password: string }): Promise<string>
  /** The cookie of a session of the console. */
  signIn(user?: { name: string; password: string }): Promise<string>
}

const source = (root: Record<string, unknown> = {}): object =>
  document({
    managementApi: {
      cors: { enabled: true, allowed_origins: 'https://studio.example' },
      authorization_handler: { enable: true, resources: [{ path: '/admins' }] },
    },
    internalApis: {
      users: [
        fileUser(users.admin.name, users.admin.password, { is_admin: true }),
        fileUser(users.reader.name, users.reader.password, { roles: ['viewer'] }),
      ],
    },
    root: { portal: { shop: { title: 'Shop' } }, ...root },
  })

/** Listens on a free port, and ends with the test. */
async function listen(server: Server, security: Security, sockets?: WebSocketServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const client of sockets?.clients ?? []) client.terminate()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await security.close()
  })
  return (server.address() as AddressInfo).port
}

/** Answers the WebSockets that the security lets in. */
async function serveSockets(
  security: Security,
  app: Express,
  use: (connection: GuardedConnection, ws: WebSocket) => void,
): Promise<number> {
  const server = security.createServer(app, { protocol: 'http' })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', async (request, socket, head) => {
    const connection = await security.authenticateUpgrade(request, socket)
    if (connection !== undefined) sockets.handleUpgrade(request, socket, head, (ws) => use(connection, ws))
  })
  return listen(server, security, sockets)
}

/** An app whose WebSockets are answered where the security lets them in. */
async function startStage(setUp: SetUp = oneSetUp, changes: { root?: object; accept?: 'all' } = {}): Promise<Stage> {
  const log = recordedLog()
  let now = Date.now()
  const options = { logger: log.logger, clock: () => now }
  const security = await createSecurity(source(changes.root as Record<string, unknown>), options)
  const app = setUp.express()
  app.use('/management', security.managementApi())
  app.use('/shop', security.portal('shop'))
  app.get('/shop/events', (_request, response) => {
    security.endWhenRefused(response)
    response.type('text/event-stream').flushHeaders()
    response.write('data: hello\n\n')
  })
  app.use((_request, response) => void response.json({ answeredBy: 'the app' }))
  const server = setUp.usesCreateServer ? security.createServer(app, { protocol: 'http' }) : http.createServer(app)
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (ws) => ws.on('message', (data) => ws.send(String(data))))
  server.on('upgrade', async (request, socket: Duplex, head) => {
    const connection = changes.accept ? undefined : await security.authenticateUpgrade(request, socket)
    if (connection === undefined && !changes.accept) return
    sockets.handleUpgrade(request, socket, head, (ws) => {
      connection?.end(ws)
      if (request.url?.endsWith('?touch')) ws.on('message', async () => ws.send(`${await connection?.touch()}`))
      else sockets.emit('connection', ws, request)
    })
  })
  const port = await listen(server, security, sockets)
  const origin = `http://127.0.0.1:${port}`
  const request = (path: string, headers = {}, method = 'GET', body?: string): Promise<Response> =>
    fetch(origin + path, { headers, method, redirect: 'manual', body: body ?? null })
  return {
    ...log,
    security,
    app,
    server,
    port,
    sockets,
    pass(ms) {
      now += ms
    },
    fetch: request,
    async login({ name, password } = users.admin) {
      const [, authorization] = basic(name, password).split(': ')
      const answer = await request('/management/login', { authorization: authorization! })
      return `Bearer ${((await answer.json()) as { AccessToken: string }).AccessToken}`
    },
    async signIn({ name, password } = users.admin) {
      const form = new URLSearchParams({ username: name, password }).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded', origin, accept: 'text/html' }
      const answer = await request('/shop/login', headers, 'POST', form)
      expect(answer.status).toBe(303)
      return answer.headers.getSetCookie()[0]!.split(';', 1)[0]!
    },
  }
}

/** Resolves with the status of the handshake: 101 when it is open. */
async function connect(
  { port }: Pick<Stage, 'port'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; ws: WebSocket; closed: Promise<number> }> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  ws.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => ws.on('close', resolve))
  const status = await new Promise<{ status: number; body: string }>((resolve) => {
    ws.on('open', () => resolve({ status: 101, body: '' }))
    ws.on('unexpected-response', async (_request, response) => {
      let body = ''
      for await (const chunk of response) body += chunk
      resolve({ status: response.statusCode!, body })
    })
    ws.on('close', (code) => resolve({ status: -code, body: '' }))
  })
  return { ...status, ws, closed }
}

async function echo(ws: WebSocket): Promise<string> {
  ws.send('hello')
  const [data] = await once(ws, 'message')
  return String(data)
}

const within = async (promise: Promise<number>, ms: number): Promise<number | 'still open'> =>
  Promise.race([promise, new Promise<'still open'>((resolve) => setTimeout(resolve, ms, 'still open'))])

describe.each(twoSetUps)('an upgrade below a mount, $name', (setUp) => {
  it('is let in by the token of a caller who may get the path', async () => {
    const stage = await startStage(setUp)
    const { status, ws } = await connect(stage, '/management/live', { authorization: await stage.login() })
    expect(status).toBe(101)
    expect(await echo(ws)).toBe('hello')
  })

  it('is refused as a request is: nobody, a wrong token, a path for administrators, an end point of the mount', async () => {
    const stage = await startStage(setUp)
    const reader = await stage.login(users.reader)
    const nobody = await connect(stage, '/management/live')
    expect([nobody.status, JSON.parse(nobody.body).code]).toEqual([401, 'ERR_AUTH_REQUIRED'])
    expect((await connect(stage, '/management/live', { authorization: 'Bearer x.y.z' })).status).toBe(401)
    expect((await connect(stage, '/management/admins', { authorization: reader })).status).toBe(403)
    expect((await connect(stage, '/management/live', { authorization: reader })).status).toBe(101)
    expect((await connect(stage, '/shop/login')).status).toBe(403)
    expect((await connect(stage, '/elsewhere')).status).toBe(404)
  })

  it('is let in by a session for a page of the same origin, and of no other', async () => {
    const stage = await startStage(setUp)
    const cookie = await stage.signIn()
    const origin = `http://127.0.0.1:${stage.port}`
    expect((await connect(stage, '/shop/live', { cookie, origin })).status).toBe(101)
    for (const foreign of ['https://evil.example', 'null', `http://localhost:${stage.port}`]) {
      const refused = await connect(stage, '/shop/live', { cookie, origin: foreign })
      expect([foreign, refused.status, JSON.parse(refused.body).code]).toEqual([foreign, 403, 'ERR_CROSS_SITE'])
    }
    expect((await connect(stage, '/shop/live', { cookie })).status).toBe(403)
    expect((await connect(stage, '/shop/live', { origin })).status).toBe(401)
    const authorization = await stage.login()
    expect((await connect(stage, '/management/live', { authorization, origin: 'https://evil.example' })).status).toBe(
      403,
    )
    expect((await connect(stage, '/management/live', { authorization, origin: 'https://studio.example' })).status).toBe(
      101,
    )
  })
})

describe('an open connection', () => {
  it('is closed within a second of a logout, of a revocation and of a lost role, and no other is', async () => {
    const stage = await startStage()
    const [leaving, revoked, kept] = [await stage.login(), await stage.login(users.reader), await stage.login()]
    const connections = []
    for (const authorization of [leaving, revoked, kept]) {
      connections.push(await connect(stage, '/management/live', { authorization }))
    }
    const [left, gone, stays] = connections as [
      (typeof connections)[0],
      (typeof connections)[0],
      (typeof connections)[0],
    ]
    expect((await stage.fetch('/management/logout', { authorization: leaving })).status).toBe(200)
    expect(await within(left!.closed, patienceMs)).toBe(4401)
    await stage.security.tokens.revokeUser('reader')
    expect(await within(gone!.closed, patienceMs)).toBe(4401)
    expect(await within(stays!.closed, twoChecksMs)).toBe('still open')
    expect(await echo(stays!.ws)).toBe('hello')
  })

  it('is closed by a reload that takes its path away, and by the end of its session', async () => {
    const stage = await startStage()
    const cookie = await stage.signIn(users.reader)
    const origin = `http://127.0.0.1:${stage.port}`
    const { closed } = await connect(stage, '/shop/live', { cookie, origin })
    await stage.security.reload(source({ portal: { shop: { title: 'Shop', roles: ['buyer'] } } }))
    expect(await within(closed, patienceMs)).toBe(4401)
  })

  it('is no use of the session, unless the app notes one', async () => {
    const stage = await startStage(oneSetUp, { root: { portal: { shop: { session_timeout: '60s' } } } })
    const origin = `http://127.0.0.1:${stage.port}`
    const cookie = await stage.signIn()
    const idle = await connect(stage, '/shop/live', { cookie, origin })
    const used = await connect(stage, '/shop/live?touch', { cookie: await stage.signIn(), origin })
    stage.pass(50_000)
    used.ws.send('I am here')
    await once(used.ws, 'message')
    stage.pass(20_000)
    expect(await within(idle.closed, patienceMs)).toBe(4401)
    expect(await within(used.closed, twoChecksMs)).toBe('still open')
    stage.pass(50_000)
    expect(await within(used.closed, patienceMs)).toBe(4401)
  })

  it('is ended, whatever its client does, and with the security', async () => {
    const stage = await startStage()
    const authorization = await stage.login()
    const connection = await connect(stage, '/management/live', { authorization })
    connection.ws.pause()
    const [server] = stage.sockets.clients
    await stage.security.tokens.revokeUser('admin')
    const ended = new Promise<number>((resolve) => server!.on('close', resolve))
    expect(await within(ended, patienceMs)).not.toBe('still open')
    const other = await connect(stage, '/management/live', { authorization: await stage.login() })
    await stage.security.close()
    // RFC 6455 section 7.4.1: the server goes down.
    expect(await within(other.closed, patienceMs)).toBe(1001)
  })
})

describe('what is not behind a login', () => {
  it('is let in without a caller on a public path, and by its address alone, and by no page of another site', async () => {
    const log = recordedLog()
    const public_ = document({
      managementApi: { public_paths: ['/news'] },
      root: { web_app: { control_access: { enable: true, allow: ['127.0.0.1'] } } },
    })
    const security = await createSecurity(public_, { logger: log.logger })
    const app = oneSetUp.express()
    app.use('/management', security.managementApi())
    app.use('/ops', security.webApps(), (_request, response) => void response.json({}))
    const port = await serveSockets(security, app, ({ auth }, ws) => ws.send(`${auth}`))
    const statuses = async (headers: Record<string, string>): Promise<number[]> =>
      Promise.all(
        ['/management/news', '/ops/live'].map(async (path) => (await connect({ port }, path, headers)).status),
      )
    expect(await statuses({})).toEqual([101, 101])
    expect(await statuses({ origin: `http://127.0.0.1:${port}` })).toEqual([101, 101])
    expect(await statuses({ origin: 'https://evil.example' })).toEqual([403, 403])
  })
})

describe('socket.io', () => {
  it('is let in, refused and ended by what guards its path', async () => {
    const security = await createSecurity(source(), { logger: recordedLog().logger })
    const app = oneSetUp.express()
    app.use('/management', security.managementApi())
    const server = security.createServer(app, { protocol: 'http' })
    const io = new SocketServer(server, {
      path: '/management/socket.io',
      async allowRequest(request, callback) {
        try {
          const connection = await security.authenticateUpgrade(request)
          connections.set(request, connection)
          callback(null, true)
        } catch (error) {
          callback((error as Error).message, false)
        }
      },
    })
    const connections = new WeakMap<http.IncomingMessage, GuardedConnection>()
    io.on('connection', (socket) => {
      connections.get(socket.request)?.signal.addEventListener('abort', () => socket.disconnect(true))
    })
    onTestFinished(() => io.close())
    const port = await listen(server, security)
    const url = `http://127.0.0.1:${port}`
    const authorizationOf = async (): Promise<string> => {
      const headers = { authorization: basic('admin', users.admin.password).slice('Authorization: '.length) }
      const login = await fetch(`${url}/management/login`, { headers })
      return `Bearer ${((await login.json()) as { AccessToken: string }).AccessToken}`
    }
    const open = (transports: string[], headers: Record<string, string>): ClientSocket =>
      connectSocket(url, {
        path: '/management/socket.io',
        transports,
        reconnection: false,
        forceNew: true,
        extraHeaders: headers,
      })
    const authorization = await authorizationOf()
    const refused = [open(['websocket'], {}), open(['polling'], { authorization })]
    await Promise.all(refused.map((stranger) => new Promise((resolve) => stranger.on('connect_error', resolve))))
    const client = open(['websocket'], { authorization })
    await new Promise<void>((resolve) => client.on('connect', resolve))
    const ended = new Promise<number>((resolve) => client.on('disconnect', () => resolve(1)))
    await security.tokens.revokeUser('admin')
    expect(await within(ended, patienceMs)).toBe(1)
  })
})

describe('an event stream', () => {
  it('ends within a second of the end of its session', async () => {
    const stage = await startStage()
    const cookie = await stage.signIn()
    const response = await stage.fetch('/shop/events', { cookie })
    const reader = response.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: hello\n\n')
    await stage.security.tokens.revokeUser('admin')
    const ended = reader.read().then(({ done }) => (done ? 1 : 0))
    expect(await within(ended, patienceMs)).toBe(1)
  })

  it('ends at once where no mount guards it', async () => {
    const security = await createSecurity(document(), { logger: recordedLog().logger })
    const app = oneSetUp.express()
    app.get('/events', (_request, response) => {
      security.endWhenRefused(response)
      response.type('text/event-stream').flushHeaders()
    })
    const port = await listen(security.createServer(app, { protocol: 'http' }), security)
    expect(await (await fetch(`http://127.0.0.1:${port}/events`)).text()).toBe('')
  })

  it('leaves no connection open, though its client reads nothing', async () => {
    const withPaths = (...paths: string[]): object => document({ managementApi: { public_paths: paths } })
    const security = await createSecurity(withPaths('/flood'), { logger: recordedLog().logger })
    const app = oneSetUp.express()
    let flood: ServerResponse | undefined
    app.use('/management', security.managementApi(), (_request, response) => {
      security.endWhenRefused(response)
      response.write(Buffer.alloc(32 * 1024 * 1024))
      flood = response
    })
    const port = await listen(security.createServer(app, { protocol: 'http' }), security)
    const client = net.connect(port, '127.0.0.1').pause()
    client.on('error', () => undefined).write('GET /management/flood HTTP/1.1\r\nHost: a\r\n\r\n')
    await expect.poll(() => flood?.writable).toBe(true)
    await security.reload(withPaths())
    await expect.poll(() => flood?.destroyed).toBe(true)
    client.destroy()
  })
})

describe('a client that is gone', () => {
  it('ends nothing but its own connection, though it went while it was asked about', async () => {
    const security = await createSecurity(source(), { logger: recordedLog().logger })
    const app = oneSetUp.express()
    let goOn: (() => void) | undefined
    app.use((_request, _response, next) => {
      goOn = next
    })
    app.use('/management', security.managementApi())
    const server = security.createServer(app, { protocol: 'http' })
    let outcome: Promise<unknown> | undefined
    let socket: Duplex | undefined
    server.on('upgrade', (request, duplex) => {
      socket = duplex
      outcome = security.authenticateUpgrade(request, duplex)
    })
    const client = net.connect(await listen(server, security), '127.0.0.1')
    client.write('GET /management/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await expect.poll(() => goOn).toBeDefined()
    client.resetAndDestroy()
    // An error of the socket that nobody listens to ends the process, and this test with it.
    await expect.poll(() => socket?.destroyed).toBe(true)
    goOn?.()
    expect(await outcome).toBeUndefined()
  })

  it('is asked about no more', async () => {
    const security = await createTestSecurity({ management_api: { public_paths: ['/news'] } })
    const app = oneSetUp.express()
    app.use('/management', security.managementApi())
    const port = await serveSockets(security, app, (connection, ws) => connection.end(ws))
    const [gone, stays] = [await connect({ port }, '/management/news'), await connect({ port }, '/management/news')]
    gone.ws.terminate()
    await gone.closed
    await new Promise((resolve) => setTimeout(resolve, twoChecksMs))
    security.decisions.length = 0
    await security.reload({ management_api: { public_paths: ['/news', '/more'] } })
    await expect.poll(() => security.decisions.length).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, twoChecksMs))
    expect(security.decisions).toHaveLength(1)
    expect(await within(stays.closed, 0)).toBe('still open')
  })
})

describe('an upgrade that is accepted without having been asked for', () => {
  it('is refused below a mount in a sub-app, which only a request could find', async () => {
    const security = await createSecurity(source(), { logger: recordedLog().logger })
    const inner = oneSetUp.express()
    inner.use('/management', security.managementApi())
    const app = oneSetUp.express()
    app.use('/inner', inner)
    const server = security.createServer(app, { protocol: 'http' })
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => undefined))
    const port = await listen(server, security, sockets)
    expect((await connect({ port }, '/inner/management/live')).status).toBe(403)
  })

  it('is refused below a mount, and logged elsewhere', async () => {
    const stage = await startStage(oneSetUp, { accept: 'all' })
    expect((await connect(stage, '/management/live')).status).toBe(403)
    expect((await connect(stage, '/shop/live?x=1')).status).toBe(403)
    expect(stage.sockets.clients.size).toBe(0)
    expect(stage.lines.join('')).toContain('an upgrade below a mount was refused')
    expect((await connect(stage, '/public')).status).toBe(101)
    expect(stage.lines.join('')).toContain('nobody has checked who calls')
  })
})

/** A server with a portal behind an address list, and `listener` for its upgrades. */
async function startGuarded(
  listener: (request: http.IncomingMessage, socket: Duplex, security: Security) => unknown,
): Promise<{ port: number; security: Security; app: Express; lines: readonly string[]; server: Server }> {
  const log = recordedLog()
  const root = { web_app: { control_access: { enable: true, allow: ['127.0.0.1'] } }, portal: { shop: {} } }
  const security = await createSecurity(document({ root }), { logger: log.logger })
  const app = oneSetUp.express()
  app.use(security.webApps())
  app.use('/shop', security.portal('shop'))
  const server = security.createServer(app, { protocol: 'http' })
  server.on('upgrade', (request, socket) => listener(request, socket, security))
  return { port: await listen(server, security), security, app, server, lines: log.lines }
}

/** Sends the handshake as bytes; resolves with what came until the connection ended. */
async function exchange(port: number, target: string): Promise<string> {
  const client = net.connect(port, '127.0.0.1')
  client.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
  let text = ''
  for await (const chunk of client) text += chunk
  return text
}

describe('behind an address list', () => {
  it('neither an upgrade nor a stream runs the routes of the app once more', async () => {
    let count = 0
    const { port, app, security } = await startGuarded(async (request, socket) => {
      const connection = await security.authenticateUpgrade(request, socket)
      if (connection !== undefined) socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    })
    app.get('/stream', (_request, response) => {
      count++
      security.endWhenRefused(response)
      response.type('text/event-stream').flushHeaders()
      response.write('data: hello\n\n')
    })
    expect(await exchange(port, '/stream')).toContain('101 Switching Protocols')
    expect(count).toBe(0)
    const response = await fetch(`http://127.0.0.1:${port}/stream`)
    const reader = response.body!.getReader()
    await reader.read()
    await new Promise((resolve) => setTimeout(resolve, twoChecksMs))
    expect(count).toBe(1)
    await reader.cancel()
  })

  it('an upgrade of a portal needs its session, however its path is written', async () => {
    const { port, security } = await startGuarded(async (request, socket) => {
      const connection = await security.authenticateUpgrade(request, socket)
      if (connection !== undefined) socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    })
    expect(await exchange(port, '/elsewhere')).toContain('HTTP/1.1 101')
    expect(await exchange(port, '/shop/live')).toContain('HTTP/1.1 403')
    for (const target of ['/a/../shop/live', '/a/%2e%2e/shop/live', 'http://x/shop/live', '//x/shop/live', '/shop#x']) {
      expect([target, (await exchange(port, target)).slice(0, 12)]).toEqual([target, 'HTTP/1.1 400'])
    }
  })
})

describe('a refused upgrade', () => {
  it('leaves no connection open, though its client keeps its half', async () => {
    const { port, server, security } = await startGuarded((request, socket) =>
      security.authenticateUpgrade(request, socket),
    )
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    client.on('error', () => undefined)
    client.write('GET /shop/live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const connections = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_error, n) => resolve(n)))
    expect(String((await once(client, 'data'))[0])).toContain('HTTP/1.1 403')
    await expect.poll(connections).toBe(0)
    client.destroy()
  })

  it.each([
    ['in one write', (socket: Duplex) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nfirst')],
    ['as bytes', (socket: Duplex) => void socket.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'))],
    ['with the end', (socket: Duplex) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
    [
      'in two writes',
      (socket: Duplex) => {
        socket.write('HTTP')
        socket.write('/1.1 101 Switching Protocols\r\n\r\n')
      },
    ],
    ['after 100', (socket: Duplex) => void socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n')],
  ])('is one that the listener accepts without having asked, %s', async (_how, accept) => {
    const { port, lines } = await startGuarded((_request, socket) => {
      accept(socket)
      socket.write('and more')
    })
    for (const target of ['/shop/live', '/a/../shop/live', 'http://x/shop/live']) {
      const answer = await exchange(port, target)
      expect([target, answer.slice(0, 12), answer.includes('101')]).toEqual([target, 'HTTP/1.1 403', false])
    }
    expect(lines.join('')).toContain('an upgrade below a mount was refused')
  })

  it('may be refused by the listener itself', async () => {
    const { port } = await startGuarded((_request, socket) => {
      socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n', () => socket.destroy())
    })
    expect(await exchange(port, '/shop/live')).toContain('HTTP/1.1 426')
  })
})

describe('a role that is taken', () => {
  it('ends the connections that needed it, and no others', async () => {
    let roles: readonly string[] = ['buyer']
    const account = (): { subject: string; roles: readonly string[]; isAdmin: boolean; version: string } => {
      return { subject: 'ada', roles, isAdmin: false, version: '1' }
    }
    const userStore = { authenticate: () => ({ account: account() }), find: account, close() {} }
    const root = { portal: { shop: { roles: ['buyer'] }, desk: {} } }
    let now = Date.now()
    const options = { userStore: userStore as never, clock: () => now, logger: recordedLog().logger }
    const security = await createSecurity(document({ root }), options)
    const app = oneSetUp.express()
    app.use('/shop', security.portal('shop'))
    app.use('/desk', security.portal('desk'))
    const port = await serveSockets(security, app, (connection, ws) => connection.end(ws))
    const origin = `http://127.0.0.1:${port}`
    const open = async (path: string): Promise<Awaited<ReturnType<typeof connect>>> => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', origin, accept: 'text/html' }
      const body = 'username=ada&password=x'
      const answer = await fetch(`${origin}${path}/login`, { method: 'POST', headers, body, redirect: 'manual' })
      const cookie = answer.headers.getSetCookie()[0]!.split(';', 1)[0]!
      return connect({ port }, `${path}/live`, { cookie, origin })
    }
    const [shop, desk] = [await open('/shop'), await open('/desk')]
    expect([shop.status, desk.status]).toEqual([101, 101])
    roles = []
    now += 61_000
    expect(await within(shop.closed, patienceMs)).toBe(4401)
    expect(await within(desk.closed, twoChecksMs)).toBe('still open')
  })
})
