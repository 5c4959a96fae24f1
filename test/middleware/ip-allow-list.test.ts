import request from 'supertest'
import { describe, expect, it, vi } from 'vitest'
import { ConfigError, type HttpError } from '../../lib/core/errors.js'
import { type IpAllowListOptions, ipAllowList } from '../../lib/middleware/ip-allow-list.js'
import { expressVersions } from '../helpers/express-versions.js'

describe.each(expressVersions)('ipAllowList on %s', (_name, express) => {
  function guardedApp(options: IpAllowListOptions, trust: unknown = false) {
    const refusals: unknown[] = []
    const app = express()
    app.set('trust proxy', trust)
    app.use(ipAllowList(options))
    app.use((_request, response) => void response.end('reached'))
    app.use(((error, _request, response, _next) => {
      refusals.push(error)
      response.status(error.status ?? 500).json({ code: error.code, message: error.message })
    }) as import('express').ErrorRequestHandler)
    return { app, refusals }
  }

  it('lets an address of the list pass', async () => {
    const { app } = guardedApp({ networks: ['127.0.0.0/8'] })
    await request(app).get('/').expect(200, 'reached')
  })

  it.each(['GET', 'HEAD', 'OPTIONS', 'POST'] as const)('refuses %s from any other address with 403', async (method) => {
    const { app, refusals } = guardedApp({ networks: ['10.0.0.0/8', '::1'] })
    const verb = method.toLowerCase() as 'get' | 'head' | 'options' | 'post'
    await request(app)[verb]('/').expect(403)
    expect(refusals).toEqual([expect.objectContaining({ code: 'ERR_IP_NOT_ALLOWED', status: 403, bare: 'always' })])
    expect((refusals[0] as HttpError).message).not.toMatch(/127|10\.0/)
    expect((refusals[0] as HttpError).headers).toEqual({})
  })

  it('refuses everybody when the list is empty', async () => {
    await request(guardedApp({ networks: [] }).app)
      .get('/')
      .expect(403)
  })

  it('ignores X-Forwarded-For unless the app trusts the proxy', async () => {
    const { app } = guardedApp({ networks: ['10.0.0.7'] })
    await request(app).get('/').set('X-Forwarded-For', '10.0.0.7').expect(403)
  })

  it('judges the client behind a trusted proxy', async () => {
    const { app } = guardedApp({ networks: ['10.0.0.7'] }, 'loopback')
    await request(app).get('/').set('X-Forwarded-For', '10.0.0.7').expect(200)
    await request(app).get('/').set('X-Forwarded-For', '10.0.0.7, 203.0.113.9').expect(403)
    await request(app).get('/').expect(403)
  })

  it('answers 503 when every client is trusted, and logs the reason once', async () => {
    const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
    const { app, refusals } = guardedApp({ networks: ['127.0.0.1'], logger }, true)
    await request(app).get('/').expect(503)
    await request(app).get('/').expect(503)
    expect(refusals[0]).toMatchObject({ code: 'ERR_TRUST_PROXY_UNSAFE', headers: { 'Retry-After': '5' } })
    expect(logger.error).toHaveBeenCalledTimes(1)
    expect(logger.error).toHaveBeenCalledWith({}, expect.stringContaining('"trust proxy" is true'))
  })

  it('warns of a count of proxies', async () => {
    const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
    const { app } = guardedApp({ networks: ['127.0.0.1'], logger }, 1)
    await request(app).get('/').expect(200)
    expect(logger.warn).toHaveBeenCalledWith({}, expect.stringContaining('is a count of 1'))
  })

  it('refuses with 403 when the trust function throws', async () => {
    const { app } = guardedApp({ networks: ['0.0.0.0/0', '::/0'] }, () => {
      throw new Error('no answer')
    })
    await request(app).get('/').set('X-Forwarded-For', '127.0.0.1').expect(403)
  })

  describe('with addressOf', () => {
    it.each([
      ['10.0.0.7', 200],
      ['10.0.0.8', 403],
      ['unknown', 403],
      ['', 403],
      [undefined, 403],
    ])('judges %o: %i', async (address, status) => {
      const { app } = guardedApp({ networks: ['10.0.0.7'], getAddress: () => address })
      await request(app).get('/').expect(status)
    })

    it('refuses with 403 when it throws', async () => {
      const addressOf = () => {
        throw new Error('no answer')
      }
      await request(guardedApp({ networks: ['0.0.0.0/0'], getAddress: addressOf }).app)
        .get('/')
        .expect(403)
    })

    it('does not look at trust proxy', async () => {
      const { app } = guardedApp({ networks: ['10.0.0.7'], getAddress: () => '10.0.0.7' }, true)
      await request(app).get('/').expect(200)
    })
  })
})

describe('ipAllowList, given malformed networks', () => {
  it('throws a ConfigError that names each of them', () => {
    const options = { networks: ['10.0.0.0/8', '10.0.0.1/8', '*'] }
    expect(() => ipAllowList(options)).toThrow(ConfigError)
    expect(() => ipAllowList(options)).toThrow(/networks\[1\].*\nnetworks\[2\]/)
  })
})
