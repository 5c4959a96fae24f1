import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { MemoryTokenStore } from '../../../lib/tokens/memory/memory-token-store.js'
import type { TokenStore } from '../../../lib/tokens/token-store.js'
import type { UserAccount, UserStore } from '../../../lib/users/user-store.js'
import { basic, bearer, type Front, startFront } from '../../helpers/front.js'
import type { RawAnswer } from '../../helpers/raw-http.js'
import { pairSetUps, type SetUp, twoSetUps } from '../../helpers/set-ups.js'

const ways = ['throws', 'rejects'] as const
type Way = (typeof ways)[number]

/** Fails once it is switched on. Its message is what a driver could say. */
class Fault {
  isOn = false
  readonly #way: Way

  constructor(way: Way) {
    this.#way = way
  }

  run<T>(work: () => T): T | Promise<never> {
    if (!this.isOn) return work()
    const error = new StoreError('redis://10.0.0.9:6379 is gone', { cause: new Error('ECONNREFUSED') })
    if (this.#way === 'throws') throw error
    return Promise.reject(error)
  }
}

/** A token store of which one method fails. */
function faultyTokenStore(method: keyof TokenStore, fault: Fault): TokenStore {
  const memory = new MemoryTokenStore()
  return new Proxy<TokenStore>(memory, {
    get(_target, name) {
      const own = Reflect.get(memory, name) as unknown
      if (typeof own !== 'function') return own
      const bound = (own as (...values: unknown[]) => unknown).bind(memory)
      return name === method ? (...values: unknown[]) => fault.run(() => bound(...values)) : bound
    },
  })
}

const account: UserAccount = { subject: 'admin', roles: ['admin'], isAdmin: true, version: '1' }

/** A user store with one user, of which one method fails. */
function faultyUserStore(method: 'authenticate' | 'find', fault: Fault): UserStore {
  const answer = async <T>(name: string, value: T): Promise<T> => (name === method ? fault.run(() => value) : value)
  return {
    authenticate:
      method === 'authenticate'
        ? ((() => fault.run(async () => ({ account }))) as UserStore['authenticate'])
        : () => answer('authenticate', { account }),
    find: method === 'find' ? () => fault.run(() => account) : () => account,
    close() {},
  }
}

function expectUnavailable(answer: RawAnswer): void {
  expect(answer.status, answer.body).toBe(503)
  expect(answer.header('retry-after')).toBe('5')
  expect(answer.json()).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  expect(answer.body).not.toMatch(/redis|ECONNREFUSED|10\.0\.0\.9/)
  expect(answer.header('cache-control')).toBe('no-store')
}

const cases = ways.flatMap((way) => pairSetUps.map((setUp) => ({ ...setUp, way })))

// Covers: K01 K03
describe.each(cases)('a token store that $way, on $name', ({ way, ...setUp }) => {
  async function startWith(method: keyof TokenStore): Promise<{ front: Front; fault: Fault }> {
    const fault = new Fault(way)
    const front = await startFront(setUp as SetUp, { options: { tokenStore: faultyTokenStore(method, fault) } })
    return { front, fault }
  }

  it.each(['find', 'touch'] as const)('in %s refuses every token with 503 until it is back', async (method) => {
    const { front, fault } = await startWith(method)
    const token = await front.login()
    fault.isOn = true
    expectUnavailable(await front.call('GET', '/apis', [bearer(token)]))
    expectUnavailable(await front.call('GET', '/logout', [bearer(token)]))
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
    const causes = front.entries.filter(({ level }) => level === 'error').map(({ fields }) => fields['cause'])
    expect(causes).toContainEqual(expect.objectContaining({ name: 'StoreError', message: expect.any(String) }))
    fault.isOn = false
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
  })

  it('in add refuses a login with 503', async () => {
    const { front, fault } = await startWith('add')
    fault.isOn = true
    expectUnavailable(await front.call('GET', '/login', [basic('admin', 'Correct-horse-1')]))
    expect(front.events.filter(({ name }) => name === 'login')).toEqual([])
  })

  // Covers: C07
  it('in remove refuses a logout with 503, and takes the token no more', async () => {
    const { front, fault } = await startWith('remove')
    const token = await front.login()
    fault.isOn = true
    expectUnavailable(await front.call('GET', '/logout', [bearer(token)]))
    expectUnavailable(await front.call('GET', '/apis', [bearer(token)]))
    expectUnavailable(await front.call('GET', '/logout', [bearer(token)]))
    expect(await front.security.tokens.list()).toHaveLength(1)
    fault.isOn = false
    expect((await front.call('GET', '/logout', [bearer(token)])).status).toBe(200)
    expect(await front.security.tokens.list()).toEqual([])
    for (const path of ['/logout', '/apis']) {
      expect((await front.call('GET', path, [bearer(token)])).status).toBe(401)
    }
    expect(front.handled).toEqual([])
    expect(front.events.filter(({ name }) => name === 'logout')).toMatchObject([{ subject: 'admin' }])
  })

  it('in remove refuses the token until the store has taken its end, whoever comes with it', async () => {
    const { front, fault } = await startWith('remove')
    const token = await front.login()
    fault.isOn = true
    expectUnavailable(await front.call('GET', '/logout', [bearer(token)]))
    fault.isOn = false
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    expect(await front.security.tokens.list()).toEqual([])
    expect((await front.call('GET', '/logout', [bearer(token)])).status).toBe(401)
    expect(front.handled).toEqual([])
  })

  it.each(['removeBySubject', 'list'] as const)('in %s says so to the caller of tokens', async (method) => {
    const { front, fault } = await startWith(method)
    fault.isOn = true
    const call = method === 'list' ? front.security.tokens.list() : front.security.tokens.revokeUser('admin')
    await expect(call).rejects.toBeInstanceOf(StoreError)
    fault.isOn = false
  })
})

// Covers: K01 K03
describe.each(cases)('a user store that $way, on $name', ({ way, ...setUp }) => {
  it('in authenticate refuses a login with 503, which is no failed login', async () => {
    const fault = new Fault(way)
    const front = await startFront(setUp as SetUp, { options: { userStore: faultyUserStore('authenticate', fault) } })
    fault.isOn = true
    for (let count = 0; count < 7; count++) {
      expectUnavailable(await front.call('GET', '/login', [basic('admin', 'Correct-horse-1')]))
    }
    fault.isOn = false
    expect((await front.call('GET', '/login', [basic('admin', 'Correct-horse-1')])).status).toBe(200)
  })

  it('in find leaves the last verdict for 5 minutes beyond recheck_interval, then answers 503', async () => {
    const start = Date.parse('2026-03-01T12:00:00Z')
    let now = start
    const fault = new Fault(way)
    const front = await startFront(setUp as SetUp, {
      options: { userStore: faultyUserStore('find', fault), clock: () => now },
    })
    const token = await front.login()
    fault.isOn = true
    now = start + 359_000
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    now = start + 361_000
    expectUnavailable(await front.call('GET', '/apis', [bearer(token)]))
    expect(front.handled).toEqual(['GET /apis'])
    fault.isOn = false
    now = start + 370_000
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
  })
})

// Covers: E09
describe.each(twoSetUps)('a store with a bug of its own on $name', (setUp) => {
  it.each([
    [
      'throws what is no StoreError',
      () => {
        throw new TypeError('a bug with redis://10.0.0.9')
      },
    ],
    ['rejects with what is no StoreError', () => Promise.reject(new TypeError('a bug with redis://10.0.0.9'))],
    ['rejects with a text', () => Promise.reject('redis://10.0.0.9')],
    ['rejects with nothing', () => Promise.reject(undefined)],
  ])('%s: 500, without a word about it, and never a pass', async (_what, find) => {
    const memory = new MemoryTokenStore()
    const tokenStore: TokenStore = Object.assign(Object.create(memory) as TokenStore, {
      add: (record: never) => memory.add(record),
      close: () => memory.close(),
      find,
    })
    const front = await startFront(setUp, { options: { tokenStore } })
    const answer = await front.call('GET', '/apis', [bearer(await front.login())])
    expect([500, 503]).toContain(answer.status)
    expect(answer.body).not.toContain('redis')
    expect(front.handled).toEqual([])
  })
})
