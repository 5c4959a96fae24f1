import { isIPv4, isIPv6 } from 'node:net'
import express from 'express'
import request from 'supertest'
import { describe, expect, it, vi } from 'vitest'
import { clientAddress, trustProxyGate, trustProxyProblem, trustProxyWarning } from '../../lib/addresses/trust-proxy.js'
import { HttpError } from '../../lib/core/errors.js'
import { toHandler } from '../../lib/http/gate.js'
import { expressVersions } from '../helpers/express-versions.js'

function appWith(setting: unknown): express.Express {
  const app = express()
  try {
    app.set('trust proxy', setting)
  } catch {
    // Express refuses some settings after it has stored them.
  }
  return app
}

// Covers: F03
describe('trustProxyProblem', () => {
  it.each([
    [undefined],
    [null],
    [''],
    [false],
    [0],
    [1],
    ['loopback'],
    ['loopback, linklocal,uniquelocal'],
    ['10.0.0.1'],
    ['10.0.0.0/8, 2001:db8::/32'],
    ['10.0.0.0/255.0.0.0'],
    ['::ffff:10.0.0.1'],
    ['::ffff:10.0.0.0/104'],
    [['10.0.0.1', 'loopback']],
    [[]],
    [(address: string) => address === '10.0.0.1'],
    [(_address: string, hop: number) => hop < 2],
    [() => undefined],
    [() => null],
  ])('accepts %o', (setting) => {
    expect(trustProxyProblem(appWith(setting))).toBeUndefined()
  })

  it('accepts a function that throws, because then no request has an address', () => {
    const isTrusted = () => {
      throw new Error('no answer')
    }
    expect(trustProxyProblem(appWith(isTrusted))).toBeUndefined()
  })

  it.each([
    [true, 'is true'],
    ['true', 'has the entry "true", which is not an address or a network'],
    ['1', 'has the entry "1", which is a count as text'],
    ['loopback, 2', 'has the entry "2", which is a count as text'],
    ['127.1', 'has the entry "127.1", which is not an address'],
    ['fe80::1%eth0', 'which is not an address'],
    [['10.0.0.1', '0x7f000001'], 'has the entry "0x7f000001"'],
    [['10.0.0.1', 7], 'has the entry 7, which is not text'],
    [['::ffff:10.0.0.0/8'], 'may mean every IPv4 address'],
    ['::ffff:10.0.0.0/95', 'may mean every IPv4 address'],
    ['::/8', 'may mean every IPv4 address'],
    ['::fffe:0:0/95', 'may mean every IPv4 address'],
    [-1, 'is -1, which is not a count'],
    [Number.NaN, 'is NaN, which is not a count'],
    [1.5, 'is 1.5, which is not a count'],
    [Number.POSITIVE_INFINITY, 'is Infinity, which is not a count'],
    [{}, 'is of type object'],
    [['0.0.0.0/1', '128.0.0.0/1'], 'has networks that together are every IPv4 address'],
    ['0.0.0.0/128.0.0.0, 128.0.0.0/128.0.0.0', 'has networks that together are every IPv4 address'],
    ['2000::/3', 'has networks that together are every IPv6 address'],
    ['0.0.0.0/0', 'has networks that together are every IPv4 address'],
    [() => true, 'is a function that trusts every address'],
    [isIPv4, 'is a function that trusts every IPv4 address'],
    [isIPv6, 'is a function that trusts every IPv4 address'],
    [(address: string) => address.startsWith('::ffff:'), 'is a function that trusts every IPv4 address'],
    [
      (address: string) => isIPv6(address) && !address.startsWith('::ffff:'),
      'is a function that trusts every IPv6 address',
    ],
    [(address: string) => address !== '198.51.100.7', 'is a function that trusts every address'],
    [(address: string) => !address.startsWith('10.'), 'is a function that trusts every address'],
    [async () => false, 'is a function that returns a promise'],
    [() => Promise.reject(new Error('down')), 'is a function that returns a promise'],
  ])('refuses %o: it %s', (setting, reason) => {
    const problem = trustProxyProblem(appWith(setting))
    expect(problem).toContain(`"trust proxy" ${reason.startsWith('is') || reason.startsWith('has') ? reason : ''}`)
    expect(problem).toContain(reason)
    expect(problem).toContain('set it to the addresses of your own proxies')
  })

  it.each([
    [() => true, 'is a function that trusts every address'],
    [async () => false, 'is a function that returns a promise'],
    [() => false, undefined],
  ])('judges %o where it was set past the setting', (isTrusted, reason) => {
    const app = appWith(['10.0.0.1'])
    app.set('trust proxy fn', isTrusted)
    const problem = trustProxyProblem(app)
    if (reason === undefined) expect(problem).toBeUndefined()
    else expect(problem).toContain(`"trust proxy" ${reason}`)
  })

  it('reads the setting that a sub-app inherits, and its own where it has one', () => {
    const parent = appWith(true)
    const heir = express()
    const owner = appWith(['10.0.0.1'])
    parent.use('/heir', heir)
    parent.use('/owner', owner)
    expect(trustProxyProblem(heir)).toContain('is true')
    expect(trustProxyProblem(owner)).toBeUndefined()
  })
})

describe('trustProxyWarning', () => {
  it('warns of a count of proxies', () => {
    expect(trustProxyWarning(appWith(2))).toContain('is a count of 2')
  })

  it.each([[0], [-1], [Number.NaN], [false], [true], ['10.0.0.1'], [['10.0.0.1']]])(
    'does not warn of %o',
    (setting) => {
      expect(trustProxyWarning(appWith(setting))).toBeUndefined()
    },
  )
})

const testLogger = () => ({ info: vi.fn(), warn: vi.fn(), error: vi.fn() })

describe.each(expressVersions)('trustProxyGate on %s', (_name, createApp) => {
  function guardedApp(setting: unknown) {
    const logger = testLogger()
    const app = createApp()
    app.set('trust proxy', setting)
    app.use(
      toHandler(trustProxyGate(logger), (error, _request, response) => {
        response.status(error.status).json({ code: error.code, message: error.message })
      }),
    )
    app.get('/', (incoming, response) => void response.json({ address: clientAddress(incoming) ?? null }))
    return { app, logger }
  }

  it('answers 503 to every request while every client is trusted, and reports the reason once', async () => {
    const { app, logger } = guardedApp(true)
    for (let round = 0; round < 3; round++) {
      const response = await request(app).get('/').expect(503)
      expect(response.body).toEqual({
        code: 'ERR_TRUST_PROXY_UNSAFE',
        message: 'The server is not set up safely. The log has the reason.',
      })
    }
    expect(logger.error).toHaveBeenCalledTimes(1)
    expect(logger.error.mock.calls[0]?.[1]).toContain('"trust proxy" is true')
    expect(logger.warn).not.toHaveBeenCalled()
  })

  it('gives the reason to the log with the refusal too', () => {
    const app = createApp()
    app.set('trust proxy', true)
    const refusal = trustProxyGate(testLogger())({ app } as never, {} as never)
    expect(refusal).toMatchObject({ status: 503, cause: { message: expect.stringContaining('"trust proxy" is true') } })
  })

  it('tells a logger of an app once, however many guards the app has', async () => {
    const { app, logger } = guardedApp(true)
    const second = trustProxyGate(logger)({ app } as never, {} as never)
    await request(app).get('/').expect(503)
    expect(second).toMatchObject({ status: 503 })
    expect(logger.error).toHaveBeenCalledTimes(1)

    const other = testLogger()
    void trustProxyGate(other)({ app } as never, {} as never)
    expect(other.error).toHaveBeenCalledTimes(1)
  })

  it('lets requests pass when the setting is safe', async () => {
    const { app, logger } = guardedApp(['127.0.0.1'])
    const response = await request(app).get('/').set('X-Forwarded-For', '198.51.100.7').expect(200)
    expect(response.body).toEqual({ address: '198.51.100.7' })
    expect(logger.error).not.toHaveBeenCalled()
    expect(logger.warn).not.toHaveBeenCalled()
  })

  it('warns once of a count of proxies, and lets requests pass', async () => {
    const { app, logger } = guardedApp(1)
    await request(app).get('/').expect(200)
    await request(app).get('/').expect(200)
    expect(logger.warn).toHaveBeenCalledTimes(1)
    expect(logger.error).not.toHaveBeenCalled()
  })

  it('judges again when the setting is changed', async () => {
    const { app, logger } = guardedApp(false)
    await request(app).get('/').expect(200)
    app.set('trust proxy', true)
    await request(app).get('/').expect(503)
    app.set('trust proxy', ['127.0.0.1'])
    await request(app).get('/').expect(200)
    expect(logger.error).toHaveBeenCalledTimes(1)
  })

  it('judges again when the function that Express asks is changed past the setting, and so does a second guard', async () => {
    const { app, logger } = guardedApp(['127.0.0.1'])
    const second = trustProxyGate(logger)
    await request(app).get('/').expect(200)
    expect(second({ app } as never, {} as never)).toBeUndefined()
    app.set('trust proxy fn', () => true)
    await request(app).get('/').expect(503)
    expect(second({ app } as never, {} as never)).toMatchObject({ status: 503 })
    expect(trustProxyGate(logger)({ app } as never, {} as never)).toMatchObject({ status: 503 })
    expect(logger.error).toHaveBeenCalledTimes(1)
  })

  it('judges each app by its own setting', async () => {
    const gate = toHandler(trustProxyGate(testLogger()), (error, _request, response) => {
      response.status(error instanceof HttpError ? error.status : 500).end()
    })
    const [safe, unsafe] = [createApp(), createApp()]
    unsafe.set('trust proxy', true)
    for (const app of [safe, unsafe]) app.use(gate, (_request, response) => void response.end())
    await request(safe).get('/').expect(200)
    await request(unsafe).get('/').expect(503)
    await request(safe).get('/').expect(200)
  })
})

// Covers: F04
describe('clientAddress', () => {
  it.each(expressVersions)('is read without the port that Azure and IIS add, with %s', async (_version, express) => {
    const app = express()
    app.set('trust proxy', 'loopback')
    app.get('/', (incoming, response) => void response.json(clientAddress(incoming)))
    for (const [forwarded, address] of [
      ['203.0.113.9:54321', '203.0.113.9'],
      ['198.51.100.1:1, 203.0.113.9:54321', '203.0.113.9'],
      ['[2001:db8::9]:443', '2001:db8::9'],
      ['[2001:db8::9]', '2001:db8::9'],
      ['2001:db8::9', '2001:db8::9'],
      ['203.0.113.9:123456', '203.0.113.9:123456'],
      ['203.0.113.9:65536', '203.0.113.9:65536'],
      ['[2001:db8::9]:65536', '[2001:db8::9]:65536'],
      // Express does not know its own proxy with a port, so that it does not look behind it.
      ['203.0.113.9:5000, 127.0.0.1:41000', '127.0.0.1:41000'],
      ['203.0.113.9:', '203.0.113.9:'],
      ['[203.0.113.9', '[203.0.113.9'],
    ] as const) {
      const response = await request(app).get('/').set('X-Forwarded-For', forwarded)
      expect([forwarded, response.body]).toEqual([forwarded, address])
    }
  })

  it('is undefined when the trust function throws', async () => {
    const app = express()
    app.set('trust proxy', () => {
      throw new Error('no answer')
    })
    app.get('/', (incoming, response) => void response.json({ address: clientAddress(incoming) ?? null }))
    const response = await request(app).get('/').set('X-Forwarded-For', '10.0.0.1').expect(200)
    expect(response.body).toEqual({ address: null })
  })
})
