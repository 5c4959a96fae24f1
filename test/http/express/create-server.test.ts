import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { Socket } from 'node:net'
import type { Express, Request, Response } from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { createExpressServer } from '../../../lib/http/express/create-server.js'
import { createMessages } from '../../../lib/http/express/express-messages.js'
import { expressVersions } from '../../helpers/express-versions.js'
import { exchange, listen, open, requestBytes } from '../../helpers/raw-exchange.js'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** Starts a server that the end of the test closes. */
async function started<Server extends http.Server>(server: Server): Promise<Server> {
  servers.push(server)
  await listen(server)
  return server
}

interface Seen {
  readonly request: object
  readonly response: object
}

/** The prototypes with which Node made the request and the response, before any listener has seen them. */
async function prototypesAtBirth(server: http.Server, bytes = requestBytes('GET /')): Promise<Seen> {
  const seen: Seen[] = []
  const note = (message: unknown): void => {
    const { request, response, server: origin } = message as { request: object; response: object; server: http.Server }
    if (origin !== server) return
    seen.push({ request: Object.getPrototypeOf(request), response: Object.getPrototypeOf(response) })
  }
  subscribe('http.server.request.start', note)
  await exchange(server, bytes)
  unsubscribe('http.server.request.start', note)
  expect(seen).toHaveLength(1)
  return seen[0]!
}

const nodePrototypes: Seen = { request: http.IncomingMessage.prototype, response: http.ServerResponse.prototype }

function expectBirthWith(actual: Seen, expected: Seen): void {
  // Compared by identity, and without printing whole prototypes.
  expect([actual.request === expected.request, actual.response === expected.response]).toEqual([true, true])
}

describe.each(expressVersions)('createExpressServer with %s', (_version, express) => {
  it('gives Express requests and responses that carry its prototypes already', async () => {
    const app = express().use((_request, response) => void response.send('ok'))
    expectBirthWith(await prototypesAtBirth(await started(createExpressServer(app))), app)
  })

  it('does so for each app of its own when two have a server', async () => {
    const [first, second] = [express(), express()]
    const server = await started(createExpressServer(first))
    await started(createExpressServer(second))
    expectBirthWith(await prototypesAtBirth(server), first)
  })

  it('follows app.request when it is replaced before the server listens', async () => {
    const app = express()
    const server = createExpressServer(app)
    app.request = Object.create(app.request, { added: { value: 1 } })
    expectBirthWith(await prototypesAtBirth(await started(server)), app)
  })

  it('serves extensions made before, after and while listening', async () => {
    const app = express()
    const extend = (name: string): void => void Object.assign(app.request, { [name]: () => name })
    app.get('/', (request, response) => {
      const { before, after, listening } = request as unknown as Record<string, () => string>
      response.json([before?.(), after?.(), listening?.()])
    })
    extend('before')
    const server = createExpressServer(app)
    extend('after')
    await started(server)
    extend('listening')
    expect(await exchange(server, requestBytes('GET /'))).toMatch(/\["before","after","listening"\]$/)
  })

  it.each([
    ['a getter under a name that Node assigns', 'request', 'url', { get: (): string => '/elsewhere' }],
    ['a read-only value under such a name', 'request', 'method', { value: 'NONE' }],
    ['a method that Node calls', 'response', 'assignSocket', { value: () => {} }],
    ['a getter that Node reads', 'request', 'headers', { get: (): object => ({ expect: '200-ok' }) }],
    ['the events of an emitter', 'request', '_events', { value: {} }],
  ] as const)('behaves like a plain server when the app redefines %s', async (_title, which, name, descriptor) => {
    const answers: string[] = []
    for (const create of [http.createServer, createExpressServer]) {
      const app = express()
      Object.defineProperty(app[which], name, { configurable: true, ...descriptor })
      app.use((request, response) => void response.end(`${request.method} ${request.url}`))
      const server = await started(create(app))
      expectBirthWith(await prototypesAtBirth(server), nodePrototypes)
      answers.push(await exchange(server, requestBytes('GET /here')))
    }
    expect(answers[1]).toBe(answers[0])
  })

  it('notices what is redefined between its making and listening', async () => {
    const app = express()
    const server = createExpressServer(app)
    Object.defineProperty(app.request, 'url', { get: () => '/elsewhere' })
    expectBirthWith(await prototypesAtBirth(await started(server)), nodePrototypes)
  })

  it('lets another listener of request write what Express 5 only lets read, until it is removed', async () => {
    const app = express().use((request, response) => void response.json(request.query))
    const server = await started(createExpressServer(app))
    const early = (request: object): void => {
      ;(request as Partial<Request>).query = { own: 'yes' }
    }
    server.prependListener('request', early)
    expectBirthWith(await prototypesAtBirth(server), nodePrototypes)
    expect(await exchange(server, requestBytes('GET /?a=1'))).toMatch(/\{"own":"yes"\}$/)

    server.removeListener('request', early)
    expectBirthWith(await prototypesAtBirth(server), app)
  })

  it('behaves like a plain server when another listener takes the place of the app', async () => {
    const app = express()
    const server = await started(createExpressServer(app))
    server.removeAllListeners('request').on('request', (request, response) => app(request, response))
    expectBirthWith(await prototypesAtBirth(server), nodePrototypes)
  })

  it.each([
    ['upgrade', requestBytes('GET /', { Connection: 'Upgrade', Upgrade: 'websocket' })],
    ['connect', requestBytes('CONNECT example.org:443')],
  ])('gives a listener of %s a plain request', async (event, bytes) => {
    const server = await started(createExpressServer(express()))
    const prototypes: unknown[] = []
    server.on(event, (request: http.IncomingMessage, socket: Socket) => {
      prototypes.push(Object.getPrototypeOf(request))
      socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n')
    })
    expect(await exchange(server, bytes)).toMatch(/^HTTP\/1\.1 426 /)
    expect(prototypes).toEqual([http.IncomingMessage.prototype])
  })

  it.each([
    ['checkContinue', '100-continue'],
    ['checkExpectation', 'cookies'],
  ])('gives a listener of %s a plain request, which the app may answer nevertheless', async (event, expectation) => {
    const app = express().use((_request, response) => void response.send('by the app'))
    const server = await started(createExpressServer(app))
    const prototypes: unknown[] = []
    server.on(event, (...messages: [http.IncomingMessage, http.ServerResponse]) => {
      prototypes.push(...messages.map((message) => Object.getPrototypeOf(message)))
      server.emit('request', ...messages)
    })
    expect(await exchange(server, requestBytes('POST /', { Expect: expectation }))).toMatch(/by the app$/)
    expect(prototypes).toEqual([nodePrototypes.request, nodePrototypes.response])
    expectBirthWith(await prototypesAtBirth(server), app)
  })

  it('leaves the request alone in events that the app makes of its own', async () => {
    const app = express()
    const server = await started(createExpressServer(app))
    server.on('upgrade', () => {})
    app.use((request, response) => {
      server.emit('audit', request)
      response.send(request.hostname)
    })
    expect(await exchange(server, requestBytes('GET /'))).toMatch(/api\.example\.org$/)
  })

  it('restores the prototypes of the app that a request returns to from a sub-app', async () => {
    const [app, inner] = [express(), express()]
    app.use('/inner', inner).use((request, response) => {
      response.json([Object.getPrototypeOf(request) === app.request, Object.getPrototypeOf(response) === app.response])
    })
    expect(await exchange(await started(createExpressServer(app)), requestBytes('GET /inner'))).toMatch(
      /\[true,true\]$/,
    )
  })

  it('makes a server for a sub-app that is mounted elsewhere as well', async () => {
    const [app, inner] = [express(), express()]
    const server = createExpressServer(inner)
    app.use('/inner', inner)
    inner.use((_request, response) => void response.send('inner'))
    expectBirthWith(await prototypesAtBirth(await started(server)), inner)
    expect(await exchange(server, requestBytes('GET /'))).toMatch(/inner$/)
  })

  it.each([
    ['before the answer', false],
    ['in the middle of the answer', true],
  ])('reports a client that leaves %s as a plain server does', async (_title, writesFirst) => {
    const [expected, actual] = await Promise.all(
      [http.createServer, createExpressServer].map((create) => eventsOfEarlyClose(create, express(), writesFirst)),
    )
    expect(actual).toEqual(expected)
    expect(actual).toContain('response close, destroyed true')
  })
})

async function eventsOfEarlyClose(
  create: (app: Express) => http.Server,
  app: Express,
  writesFirst: boolean,
): Promise<readonly string[]> {
  const events: string[] = []
  const messages = new Promise<readonly [Request, Response]>((resolve) => {
    app.use((request, response) => {
      for (const event of ['aborted', 'close', 'error', 'end']) {
        request.on(event, () =>
          events.push(`request ${event}, destroyed ${request.destroyed}, aborted ${request.aborted}`),
        )
      }
      for (const event of ['close', 'error', 'finish']) {
        response.on(event, () => events.push(`response ${event}, destroyed ${response.destroyed}`))
      }
      if (writesFirst) response.write('first part')
      resolve([request, response])
    })
  })
  const server = await started(create(app))
  const socket = await open(server)
  socket.write(requestBytes('POST /', { 'Content-Length': '10' }, 'half'))
  const [request, response] = await messages
  if (writesFirst) await once(socket, 'data')
  socket.destroy()
  await Promise.all([once(request, 'close').catch(() => {}), once(response, 'close')])
  response.end('too late')
  events.push(`address ${request.ip}, ended ${response.writableEnded}, sent ${response.headersSent}`)
  return events
}

describe('the options of createExpressServer', () => {
  const [, express] = expressVersions[0]!

  it('make an http server that does not listen yet, with 15 seconds for the headers', () => {
    const server = createExpressServer(express())
    expect(server).toBeInstanceOf(http.Server)
    expect(server.listening).toBe(false)
    expect(server.headersTimeout).toBe(15_000)
    const plain = http.createServer()
    expect([server.requestTimeout, server.keepAliveTimeout]).toEqual([plain.requestTimeout, plain.keepAliveTimeout])
  })

  it.each([[{}], [{ protocol: undefined }], [{ protocol: 'http' as const }]])(
    'make no https server of %o',
    (options) => {
      expect(createExpressServer(express(), options)).not.toBeInstanceOf(https.Server)
    },
  )

  it('speaks TLS where key material is given and nothing else is said', () => {
    expect(createExpressServer(express(), { tls: {} })).toBeInstanceOf(https.Server)
    expect(createExpressServer(express(), { protocol: 'http', tls: {} })).not.toBeInstanceOf(https.Server)
    expect(createExpressServer(express())).not.toBeInstanceOf(https.Server)
  })

  it('make an https server, whose own time-outs go first', () => {
    const server = createExpressServer(express(), { protocol: 'https', tls: { headersTimeout: 9000 } })
    expect(server).toBeInstanceOf(https.Server)
    expect(server.headersTimeout).toBe(9000)
    expect(createExpressServer(express(), { protocol: 'https' }).headersTimeout).toBe(15_000)
  })

  it.each([
    ['nothing', undefined],
    ['a plain function', () => {}],
    ['a router', express.Router()],
    ['an object', { request: {}, response: {} }],
    ['null prototypes', Object.assign(() => {}, { request: null, response: null })],
  ])('refuse %s in place of an app', (_title, app) => {
    expect(() => createExpressServer(app as unknown as Express)).toThrow(TypeError)
  })
})

describe('createMessages', () => {
  it('uses classes of Node that are ES classes as they are', () => {
    class IncomingMessage extends http.IncomingMessage {}
    class ServerResponse extends http.ServerResponse {}
    const node = { IncomingMessage, ServerResponse } as unknown as typeof http
    const messages = createMessages({ request: {}, response: {} }, node)
    messages.useApp()
    messages.useNode()
    expect(messages.classes).toBe(node)
  })

  it('makes plain messages when the prototypes of the app do not inherit from those of Node', () => {
    const messages = createMessages({ request: {}, response: {} })
    messages.useApp()
    const request = new messages.classes.IncomingMessage(new Socket())
    expect(Object.getPrototypeOf(request)).toBe(http.IncomingMessage.prototype)
  })

  it('keeps the names and static members of the classes of Node', () => {
    const { classes } = createMessages({ request: {}, response: {} })
    expect([classes.IncomingMessage.name, classes.ServerResponse.name]).toEqual(['IncomingMessage', 'ServerResponse'])
    expect(Object.getPrototypeOf(classes.IncomingMessage)).toBe(http.IncomingMessage)
    expect(Object.getPrototypeOf(classes.ServerResponse)).toBe(http.ServerResponse)
  })
})
