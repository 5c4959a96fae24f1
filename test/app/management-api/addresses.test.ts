import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import { basic, bearer, document, startFront, users } from '../../helpers/front.js'
import { requestBytes, sendRaw } from '../../helpers/raw-http.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { oneSetUp, pairSetUps, type SetUp, serverSetUps, twoSetUps } from '../../helpers/set-ups.js'

const allowing = (...allow: string[]): object =>
  document({ managementApi: { control_access: { enable: true, allow } } })
const behindProxy = {
  prepare: (app: { set(name: string, value: unknown): unknown }) => void app.set('trust proxy', 'loopback'),
}

// Covers: F01
describe.each(pairSetUps)('control_access on $name', (setUp) => {
  it.each([
    ['10.1.2.3', 401],
    ['10.255.255.255', 401],
    ['::ffff:10.1.2.3', 401],
    ['192.0.2.7', 401],
    ['2001:db8::1', 401],
    ['2001:DB8:0:0:0:0:0:1', 401],
    ['11.1.2.3', 403],
    ['192.0.2.8', 403],
    ['::ffff:11.1.2.3', 403],
    ['2001:db9::1', 403],
    ['not an address', 403],
  ])('answers %s with %i', async (address, status) => {
    const front = await startFront(setUp, {
      source: allowing('10.0.0.0/8', '192.0.2.7', '2001:db8::/32'),
      ...behindProxy,
    })
    const answer = await front.call('GET', '/apis', [`X-Forwarded-For: ${address}`])
    expect(answer.status).toBe(status)
    expect(answer.body).toBe('')
    expect(front.handled).toEqual([])
  })

  it('never believes X-Forwarded-For of a peer that is no trusted proxy', async () => {
    const front = await startFront(setUp, { source: allowing('10.0.0.0/8') })
    for (const line of ['X-Forwarded-For: 10.1.2.3', 'Forwarded: for=10.1.2.3', 'X-Real-IP: 10.1.2.3']) {
      expect((await front.call('GET', '/apis', [line])).status).toBe(403)
    }
  })

  it('refuses everybody with an empty list, good tokens included', async () => {
    const front = await startFront(setUp, { source: allowing() })
    const account = await front.security.users.find('admin')
    const { token } = await front.security.tokens.issue(account!)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(403)
    expect((await front.call('GET', '/login', [basic(users.admin.name, users.admin.password)])).status).toBe(403)
    expect(front.handled).toEqual([])
    // The token was issued by a call of the app.
    expect(front.events.map(({ name }) => name)).toEqual(['login', 'refusal', 'refusal'])
  })

  it.each(['application/json', 'text/html', '*/*'])('has no body for Accept: %s either', async (accept) => {
    const front = await startFront(setUp, { source: allowing('192.0.2.1') })
    const answer = await front.call('GET', '/apis', [`Accept: ${accept}`])
    expect(answer.status).toBe(403)
    expect(answer.body).toBe('')
  })

  // Covers: F05
  it('comes before everything else: no login is tried and nothing but the refusal is told', async () => {
    const front = await startFront(setUp, { source: allowing('192.0.2.1') })
    for (const [method, path] of [
      ['GET', '/login'],
      ['PUT', '/login'],
      ['GET', '/jwks'],
      ['GET', '/%zz'],
      ['OPTIONS', '/apis'],
    ] as const) {
      const answer = await front.call(method, path, [
        basic('admin', 'a-wrong-password'),
        basic('admin', 'a-wrong-password'),
      ])
      expect(answer.status).toBe(403)
      expect(answer.body).toBe('')
      expect(answer.header('www-authenticate')).toBeUndefined()
    }
    expect(new Set(front.events.map((event) => 'code' in event && event.code))).toEqual(new Set(['ERR_IP_NOT_ALLOWED']))
  })
})

describe.each(serverSetUps)('an IPv4 peer on a socket of both families, $name', (setUp) => {
  it.each([
    ['127.0.0.1', 401],
    ['127.0.0.0/8', 401],
    ['::ffff:127.0.0.1', 401],
    ['::1', 403],
    ['::/0', 403],
  ])('is judged by %s: %i', async (network, status) => {
    const front = await startFront(setUp, { source: allowing(network), host: '::' })
    expect((await front.call('GET', '/apis')).status).toBe(status)
  })
})

const trustAll = (app: { set(name: string, value: unknown): unknown }) => void app.set('trust proxy', true)
const trustOne = (app: { set(name: string, value: unknown): unknown }) => void app.set('trust proxy', 1)
const [onCreateServer, onListen] = [true, false].map((wanted) =>
  serverSetUps.filter(({ usesCreateServer }) => usesCreateServer === wanted),
)

// Covers: F03
describe.each(onCreateServer!)('trust proxy = true on $name', (setUp) => {
  it('keeps createServer from making a server while there is a list of addresses', async () => {
    await expect(startFront(setUp, { source: allowing('10.0.0.0/8'), prepare: trustAll })).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [{ key: 'trust proxy', rule: expect.stringContaining('true') }],
    })
  })

  it('serves without a list of addresses', async () => {
    const front = await startFront(setUp, { prepare: trustAll })
    expect((await front.call('GET', '/apis')).status).toBe(401)
  })
})

// Covers: F03
describe.each(onListen!)('trust proxy = true on $name', (setUp) => {
  it('is answered with 503 while there is a list of addresses, and the log says why', async () => {
    const front = await startFront(setUp, { source: allowing('10.0.0.0/8'), prepare: trustAll })
    for (let count = 0; count < 3; count++) {
      const answer = await front.call('GET', '/apis', ['X-Forwarded-For: 10.1.2.3'])
      expect(answer.status).toBe(503)
      expect(answer.header('retry-after')).toMatch(/^\d+$/)
    }
    expect(front.handled).toEqual([])
    expect(front.entries.filter(({ message }) => message.includes('"trust proxy" is true')).length).toBeGreaterThan(0)
  })

  it('warns of a count of proxies', async () => {
    const front = await startFront(setUp, { source: allowing('10.0.0.0/8'), prepare: trustOne })
    expect((await front.call('GET', '/apis', ['X-Forwarded-For: 10.1.2.3'])).status).toBe(401)
    expect(front.entries.some(({ level, message }) => level === 'warn' && message.includes('count of 1'))).toBe(true)
  })
})

describe.each(twoSetUps)('a password over plain HTTP on $name', (setUp) => {
  const login = [basic(users.admin.name, users.admin.password)]
  const forwarding = [
    'X-Forwarded-For: 192.0.2.1',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: front.example',
    'X-Real-IP: 192.0.2.1',
    'Forwarded: for=192.0.2.1;proto=https',
    'Via: 1.1 proxy',
  ]

  it('is taken from this machine itself', async () => {
    expect((await (await startFront(setUp)).call('GET', '/login', login)).status).toBe(200)
  })

  it.each(forwarding)('is refused when a proxy says that it came from elsewhere: %s', async (line) => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/login', [...login, line])
    expect(answer.status).toBe(403)
    expect(answer.json()).toEqual({
      Error: expect.stringMatching(/trust proxy.*protocols/),
      code: 'ERR_HTTPS_REQUIRED',
    })
    expect(front.events.some(({ name }) => name === 'login' || name === 'loginRefused')).toBe(false)
  })

  it('is refused behind a trusted proxy that took it over plain HTTP, and taken behind one that took it over TLS', async () => {
    const front = await startFront(setUp, behindProxy)
    const from = 'X-Forwarded-For: 192.0.2.1'
    expect((await front.call('GET', '/login', [...login, from, 'X-Forwarded-Proto: http'])).status).toBe(403)
    const answer = await front.call('GET', '/login', [...login, from, 'X-Forwarded-Proto: https'])
    expect(answer.status).toBe(200)
    bearer(answer.json<{ AccessToken: string }>().AccessToken)
  })

  it.each(['http', 'https http', ['https', 'http']])(
    'is taken where the file has protocols = %j',
    async (protocols) => {
      const front = await startFront(setUp, { source: document({ managementApi: { protocols } }) })
      const answer = await front.call('GET', '/login', [...login, forwarding[0]!])
      expect(answer.status).toBe(200)
      bearer(answer.json<{ AccessToken: string }>().AccessToken)
    },
  )

  it('is refused where the file has https alone', async () => {
    // createServer serves such a file in the clear only when it is told to.
    const source = document({ managementApi: { protocols: 'https' } })
    const front = await startFront({ ...setUp, usesCreateServer: false }, { source })
    expect((await front.call('GET', '/login', [...login, forwarding[0]!])).status).toBe(403)
  })

  it('is refused on every resource where Basic is on', async () => {
    const source = document({ managementApi: { basic_security_handler: { enable: true } }, jwt: { enable: false } })
    const front = await startFront(setUp, { source })
    expect((await front.call('GET', '/apis', [...login, forwarding[0]!])).status).toBe(403)
    expect(front.handled).toEqual([])
    expect((await front.call('GET', '/apis', login)).status).toBe(200)
  })
})

it('judges each app by its own trust proxy when one front guards two', async () => {
  const log = recordedLog()
  await using security = await createSecurity(allowing('10.0.0.0/8'), { logger: log.logger })
  const handler = security.managementApi()
  const serve = async (trustProxy: unknown, { express }: SetUp = oneSetUp): Promise<number> => {
    const app = express()
    app.set('trust proxy', trustProxy)
    app.use('/management', handler)
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const bytes = requestBytes('GET', '/management/apis', ['X-Forwarded-For: 10.1.2.3'])
  expect((await sendRaw(await serve(true), bytes)).status).toBe(503)
  expect((await sendRaw(await serve('loopback'), bytes)).status).toBe(401)
  expect((await sendRaw(await serve(false), bytes)).status).toBe(403)
})
