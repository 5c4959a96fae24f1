import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { MemoryTokenStore } from '../../../lib/tokens/memory/memory-token-store.js'
import { basic, bearer, document, type Front, startFront, users } from '../../helpers/front.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp, twoSetUps } from '../../helpers/set-ups.js'

/** The log entries that tell of events, without the warnings of the start. */
function told(front: Front): { level: string; event: unknown; message: string }[] {
  return front.entries
    .filter(({ fields }) => 'event' in fields)
    .map(({ level, fields, message }) => ({ level, event: fields['event'], message }))
}

const at = expect.any(Number)
const address = '127.0.0.1'
const kind = 'management'

// Covers: K04
describe.each(twoSetUps)('one event and one line of the log, on $name, tell of', (setUp) => {
  it('a login', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const { tokenId } = (await front.call('GET', '/whoami', [bearer(token)])).json<{ auth: { tokenId: string } }>().auth
    expect(front.events).toEqual([
      { name: 'login', at, address, subject: 'admin', tokenId, kind: 'management', factors: ['password'] },
    ])
    expect(told(front)).toEqual([{ level: 'info', event: 'login', message: 'logged in' }])
  })

  it.each([
    ['wrong-password', 'admin', 'a-wrong-password'],
    ['unknown-user', 'nobody', 'a-wrong-password'],
    ['malformed', 'admin', ''],
    ['malformed', '', 'a-wrong-password'],
  ])('a refused login, with the reason %s (%j, %j)', async (reason, userName, password) => {
    const front = await startFront(setUp)
    expect((await front.call('GET', '/login', [basic(userName, password)])).status).toBe(401)
    expect(front.events).toEqual([{ name: 'loginRefused', at, address, userName, reason, kind }])
    expect(told(front)).toEqual([{ level: 'warn', event: 'loginRefused', message: 'login refused' }])
  })

  it('a login with a header that cannot be read', async () => {
    const front = await startFront(setUp)
    expect((await front.call('GET', '/login', ['Authorization: Basic !!!!'])).status).toBe(401)
    expect(front.events).toHaveLength(1)
    expect(told(front)).toHaveLength(1)
  })

  it('a throttled login', async () => {
    const front = await startFront(setUp, {
      source: document({ managementApi: { login_throttle: { max_failures: 1 } } }),
    })
    await front.call('GET', '/login', [basic('admin', 'a-wrong-password')])
    const answer = await front.call('GET', '/login', [basic(users.admin.name, users.admin.password)])
    expect(answer.status).toBe(429)
    expect(answer.header('retry-after')).toBe('60')
    expect(answer.json()).toMatchObject({ Error: expect.any(String), code: 'ERR_LOGIN_THROTTLED' })
    expect(front.events.slice(1)).toEqual([
      { name: 'loginRefused', at, address, userName: 'admin', reason: 'throttled', kind },
    ])
    expect(told(front).map(({ event }) => event)).toEqual(['lock', 'loginRefused', 'loginRefused'])
  })

  it('a login that finds the token store full', async () => {
    const store = { max_size: 1, remove_oldest_token_on_overflow: false }
    const front = await startFront(setUp, {
      source: document({ jwt: { token_store_config: store, token_config: { algorithm: 'ES256' } } }),
    })
    await front.login()
    expect((await front.call('GET', '/login', [basic(users.admin.name, users.admin.password)])).status).toBe(503)
    expect(front.events.slice(1)).toEqual([
      { name: 'loginRefused', at, address, userName: 'admin', reason: 'token-store-full', kind },
    ])
    expect(told(front)).toHaveLength(2)
  })

  it('a login that finds the user store down', async () => {
    const userStore = {
      authenticate: () => Promise.reject(new StoreError('the directory is gone')),
      find: () => undefined,
      close() {},
    }
    const front = await startFront(setUp, { options: { userStore } })
    expect((await front.call('GET', '/login', [basic('admin', 'a-wrong-password')])).status).toBe(503)
    expect(front.events).toMatchObject([{ name: 'loginRefused', userName: 'admin', reason: 'store-unavailable' }])
    expect(told(front)).toHaveLength(1)
  })

  it('a logout', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    await front.call('GET', '/logout', [bearer(token)])
    const { tokenId } = front.events[0] as { tokenId: string }
    expect(front.events.slice(1)).toEqual([{ name: 'logout', at, address, subject: 'admin', tokenId }])
    expect(told(front).slice(1)).toEqual([{ level: 'info', event: 'logout', message: 'logged out' }])
  })

  it('a refusal, with the path and without the query', async () => {
    const front = await startFront(setUp)
    const token = await front.login(users.reader)
    await front.call('POST', `/users/bob?note=${secret('query-secret-value')}`, [bearer(token)])
    expect(front.events.slice(1)).toEqual([
      {
        name: 'refusal',
        at,
        address,
        method: 'POST',
        path: '/management/users/bob',
        status: 403,
        code: 'ERR_ADMIN_REQUIRED',
        subject: 'reader',
        cause: undefined,
        rule: expect.stringContaining('authorization_handler'),
      },
    ])
    expect(told(front).slice(1)).toEqual([{ level: 'warn', event: 'refusal', message: 'request refused' }])
  })

  it('a refusal for a store that is down, with the private reason', async () => {
    const cause = new StoreError('the cache is gone')
    const tokenStore = Object.assign(Object.create(new MemoryTokenStore()), {
      find: () => Promise.reject(cause),
      close() {},
    })
    const front = await startFront(setUp, { options: { tokenStore } })
    await front.call('GET', '/apis', [bearer('some.bad.token')])
    expect(front.events).toMatchObject([{ name: 'refusal', status: 503, code: 'ERR_STORE_UNAVAILABLE', cause }])
    expect(told(front)).toEqual([{ level: 'error', event: 'refusal', message: 'request refused' }])
  })

  it('an eviction', async () => {
    const front = await startFront(setUp, {
      source: document({ jwt: { token_store_config: { max_size: 1 }, token_config: { algorithm: 'ES256' } } }),
    })
    await front.login()
    await front.login(users.reader)
    const { tokenId } = front.events[0] as { tokenId: string }
    expect(front.events.filter(({ name }) => name === 'eviction')).toEqual([
      { name: 'eviction', at, subject: 'admin', tokenId, kind: 'management' },
    ])
    expect(told(front).filter(({ event }) => event === 'eviction')).toEqual([
      { level: 'warn', event: 'eviction', message: 'token evicted to make room' },
    ])
  })

  it('the revocation of all tokens of a user', async () => {
    const front = await startFront(setUp)
    await front.login()
    await front.login()
    await front.security.tokens.revokeUser('admin', { by: 'root', reason: 'a stolen laptop' })
    const event = { name: 'revocation', at, subject: 'admin', tokenId: undefined, count: 2 }
    expect(front.events.slice(2)).toEqual([{ ...event, by: 'root', reason: 'a stolen laptop' }])
  })
})

describe('a listener of events', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('the listener failed')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the listener failed'))],
  ])('that %s changes nothing for the request, and is logged', async (_what, listener) => {
    const front = await startFront()
    for (const name of ['login', 'loginRefused', 'logout', 'refusal'] as const) front.security.events.on(name, listener)
    const token = await front.login()
    expect((await front.call('GET', '/login', [basic('admin', 'a-wrong-password')])).status).toBe(401)
    expect((await front.call('GET', '/apis')).status).toBe(401)
    expect((await front.call('GET', '/logout', [bearer(token)])).status).toBe(200)
    expect(front.entries.filter(({ message }) => message.includes('listener'))).toHaveLength(4)
  })

  it('that throws at an eviction does not stop the login', async () => {
    const front = await startFront(oneSetUp, {
      source: document({ jwt: { token_store_config: { max_size: 1 }, token_config: { algorithm: 'ES256' } } }),
    })
    front.security.events.on('eviction', () => {
      throw new Error('the listener failed')
    })
    await front.login()
    await front.login(users.reader)
    expect(await front.security.tokens.list()).toMatchObject([{ subject: users.reader.name }])
    expect(front.entries.filter(({ message }) => message.includes('listener'))).toHaveLength(1)
  })
})

// Covers: K01 K06
describe('a logger that throws', () => {
  it('lets nobody in, and does not let a request hang', async () => {
    const throwing = (): never => {
      throw new Error('the disk is full')
    }
    const front = await startFront()
    front.logger.warn = throwing
    front.logger.error = throwing
    expect((await front.call('GET', '/apis')).status).toBeGreaterThanOrEqual(400)
    expect((await front.call('GET', '/login', [basic('admin', 'a-wrong-password')])).status).toBeGreaterThanOrEqual(400)
    expect(front.handled).toEqual([])
  })
})

// Covers: A16
describe('the error of a driver', () => {
  /** Drivers hang their sockets, clients and options on errors. */
  const circular: { self?: unknown } = {}
  circular.self = circular

  it.each([
    ['an object that holds itself', circular],
    ['an error that is its own cause', Object.assign(new Error('gone'), { cause: circular })],
    ['a bigint', 10n],
  ])('does not stop the answer when its cause is %s', async (_what, cause) => {
    const tokenStore = Object.assign(Object.create(new MemoryTokenStore()), {
      find: () => Promise.reject(new StoreError('the cache is gone', { cause })),
      close() {},
    })
    const front = await startFront(oneSetUp, { options: { tokenStore } })
    expect((await front.call('GET', '/apis', [bearer('some.bad.token')])).status).toBe(503)
  })
})

// Covers: K05
describe('what a client chooses', () => {
  it.each([
    ['a turned reading direction', 'ad\u202emin', '\\u202e'],
    ['a line separator', 'ad\u2028min', '\\u2028'],
    ['a zero-width space', 'ad\u200bmin', '\\u200b'],
  ])('stands escaped in the log: a user name with %s', async (_what, name, escaped) => {
    const front = await startFront()
    await front.call('GET', '/login', [basic(name, 'a-wrong-password')])
    const lines = front.lines.filter((line) => line.includes('loginRefused'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`ad${escaped}min`)
    expect(lines[0]).not.toContain(name)
  })

  it.each(['admin\n{"level":"info"}', 'admin\u001b[2J', 'admin\r'])(
    'reaches no line of the log: the user name %j',
    async (name) => {
      const front = await startFront()
      await front.call('GET', '/login', [basic(name, 'a-wrong-password')])
      for (const line of front.lines) expect(line.slice(0, -1)).toMatch(/^[^\p{Cc}]*$/u)
    },
  )
})
