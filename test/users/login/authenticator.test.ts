import { hash as argon2 } from '@node-rs/argon2'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StoreError, UnavailableError } from '../../../lib/core/errors.js'
import { SecurityEvents } from '../../../lib/core/events.js'
import { jsonLogger } from '../../../lib/core/logger.js'
import { fileUserStore } from '../../../lib/users/file/file-user-store.js'
import {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from '../../../lib/users/login/authenticator.js'
import {
  createLoginThrottle,
  type LoginAttempt,
  type LoginThrottle,
} from '../../../lib/users/throttle/login-throttle.js'
import type { AuthenticationResult, UserStore } from '../../../lib/users/user-store.js'
import { type Deferred, deferred } from '../deferred.js'

const alice = { subject: 'alice', roles: ['audit'], isAdmin: false, version: '1' }
const context = { address: '192.0.2.1' }
const clock = () => 1_700_000_000_000

/** What the store answers, by user name. */
const answers: Record<string, (password: string) => Promise<AuthenticationResult>> = {
  alice: async (password) => (password === 'pa55' ? { account: alice } : { failure: 'wrong-password' }),
  disabled: async () => ({ failure: 'disabled' }),
  down: () => Promise.reject(new StoreError('ldap://directory.example refused the connection')),
  busy: () => Promise.reject(new UnavailableError('ERR_LOGIN_OVERLOADED', 'Too many logins.')),
  broken: () => Promise.reject(new TypeError('a bug')),
}

function setUp(options: Partial<AuthenticatorOptions> = {}) {
  const asked: string[] = []
  const log: string[] = []
  const events = new SecurityEvents(jsonLogger((line) => log.push(line)))
  const reasons: string[] = []
  events.on('loginRefused', ({ reason }) => reasons.push(reason))
  const users: UserStore = {
    authenticate(name, password) {
      asked.push(name)
      return answers[name]?.(password) ?? Promise.resolve({ failure: 'unknown-user' })
    },
    find: () => undefined,
    close() {},
  }
  const authenticator = createAuthenticator({ users, events, clock, ...options })
  return { authenticator, asked, events, log, reasons }
}

/** Logs in and tells after how many milliseconds the answer came; time runs only here. */
async function timed(authenticator: Authenticator, name: string, password: string) {
  let outcome: unknown
  authenticator.authenticate(name, password, context).then(
    (account) => {
      outcome = account
    },
    (error: unknown) => {
      outcome = error
    },
  )
  let milliseconds = 0
  await vi.advanceTimersByTimeAsync(0)
  while (outcome === undefined && milliseconds < 1000) {
    milliseconds++
    await vi.advanceTimersByTimeAsync(1)
  }
  return { outcome, milliseconds }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('a user of the store is never taken for the account for emergencies, of which no second factor is asked', async () => {
  const account = { ...alice, subject: 'BREAK-GLASS/alice' }
  const users: UserStore = { authenticate: () => Promise.resolve({ account }), find: () => undefined, close() {} }
  const authenticator = createAuthenticator({ users, failureFloorMs: 0 })
  await expect(authenticator.authenticate('alice', 'pa55', context)).rejects.toMatchObject({
    code: 'ERR_AUTH_INVALID_CREDENTIALS',
  })
})

describe('the authenticator', () => {
  it('gives the account at once when the password is right, and reports nothing', async () => {
    const { authenticator, reasons } = setUp()
    expect(await timed(authenticator, 'alice', 'pa55')).toEqual({ outcome: alice, milliseconds: 0 })
    expect(reasons).toEqual([])
  })

  const longName = 'x'.repeat(256)
  const refusals: readonly (readonly [string, string, string, string])[] = [
    ['a wrong password', 'alice', 'pa55 ', 'wrong-password'],
    ['an unknown user', 'carol', 'pa55', 'unknown-user'],
    ['a disabled user', 'disabled', 'pa55', 'disabled'],
    ['an empty name', '', 'pa55', 'malformed'],
    ['an empty password', 'alice', '', 'malformed'],
    ['a name of 256 characters', longName, 'pa55', 'malformed'],
    ['a line break in the name', 'alice\r\nfake', 'pa55', 'malformed'],
    ['NUL in the name', 'alice\0', 'pa55', 'malformed'],
    ['a password of 1025 bytes', 'alice', 'A'.repeat(1025), 'malformed'],
    ['a password of 1 MB', 'alice', 'A'.repeat(1_000_000), 'malformed'],
    ['a password of 1028 bytes in 257 letters', 'alice', '\u{1f511}'.repeat(257), 'malformed'],
  ]

  // Covers: A10
  it.each(refusals)(
    'answers %s with the same 401, after 250 ms unless it is malformed',
    async (_what, name, password, reason) => {
      const { authenticator, reasons } = setUp()
      const { outcome, milliseconds } = await timed(authenticator, name, password)
      expect(outcome).toMatchObject({
        name: 'UnauthorizedError',
        status: 401,
        code: 'ERR_AUTH_INVALID_CREDENTIALS',
        message: 'Invalid user name or password.',
        headers: {},
        bare: 'without-accept',
      })
      expect((outcome as Error).cause).toBeUndefined()
      expect(milliseconds).toBe(reason === 'malformed' ? 0 : 250)
      expect(reasons).toEqual([reason])
    },
  )

  it('does not ask the store for what nobody can be called', async () => {
    const { authenticator, asked } = setUp()
    for (const [, name, password, reason] of refusals) {
      if (reason === 'malformed') await timed(authenticator, name, password)
    }
    expect(asked).toEqual([])
  })

  it.each(['x'.repeat(255), '__proto__', '*', "admin'--", ' '])('asks the store for %.20s', async (name) => {
    const { authenticator, asked } = setUp()
    await timed(authenticator, name, 'A'.repeat(1024))
    expect(asked).toEqual([name])
  })

  it('asks the store for the name in NFC', async () => {
    const { authenticator, asked } = setUp()
    await timed(authenticator, 'jo\u0308rg', 'pa55')
    expect(asked).toEqual(['j\u00f6rg'])
  })

  // Covers: A10
  it('answers at the next step when the work has taken longer than the floor', async () => {
    answers['slow'] = () => new Promise((resolve) => setTimeout(() => resolve({ failure: 'wrong-password' }), 260))
    expect(await timed(setUp().authenticator, 'slow', 'x')).toMatchObject({ milliseconds: 500 })
  })

  it('takes no time when the floor is 0', async () => {
    expect(await timed(setUp({ failureFloorMs: 0 }).authenticator, 'carol', 'x')).toMatchObject({ milliseconds: 0 })
  })

  it.each([
    ['down', 'ERR_STORE_UNAVAILABLE', 'store-unavailable'],
    ['busy', 'ERR_LOGIN_OVERLOADED', 'overloaded'],
  ])('answers 503 with Retry-After when the store is %s', async (name, code, reason) => {
    const { authenticator, reasons } = setUp()
    const { outcome } = await timed(authenticator, name, 'pa55')
    expect(outcome).toMatchObject({ status: 503, code, headers: { 'Retry-After': '5' } })
    expect((outcome as Error).message).not.toContain('directory.example')
    expect(reasons).toEqual([reason])
  })

  it('lets a bug through as it is', async () => {
    const { authenticator, reasons } = setUp()
    expect((await timed(authenticator, 'broken', 'pa55')).outcome).toBeInstanceOf(TypeError)
    expect(reasons).toEqual([])
  })

  it('refuses at once when too many logins are under way', async () => {
    const { authenticator, asked, reasons } = setUp({ maxInProgress: 2 })
    const waiting = [1, 2].map(() => authenticator.authenticate('carol', 'x', context).catch(() => 'refused'))
    await expect(authenticator.authenticate('alice', 'pa55', context)).rejects.toMatchObject({
      status: 503,
      code: 'ERR_LOGIN_OVERLOADED',
    })
    expect(asked).toEqual(['carol', 'carol'])
    await vi.advanceTimersByTimeAsync(250)
    await Promise.all(waiting)
    await expect(authenticator.authenticate('alice', 'pa55', context)).resolves.toBe(alice)
    expect(reasons).toContain('overloaded')
  })

  it('gives what is malformed no place among the logins', async () => {
    const { authenticator } = setUp({ maxInProgress: 0 })
    await expect(authenticator.authenticate('alice', '', context)).rejects.toMatchObject({ status: 401 })
    await expect(authenticator.authenticate('alice', 'pa55', context)).rejects.toMatchObject({ status: 503 })
  })

  it('does nothing for a client that has gone before', async () => {
    const { authenticator, asked, reasons } = setUp()
    const login = authenticator.authenticate('alice', 'pa55', { ...context, signal: AbortSignal.abort() })
    await expect(login).rejects.toMatchObject({ status: 503 })
    expect([asked, reasons]).toEqual([[], []])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not wait for a client that has gone', async () => {
    const client = new AbortController()
    const { authenticator } = setUp()
    const login = authenticator.authenticate('carol', 'x', { ...context, signal: client.signal }).catch(() => 'refused')
    await vi.advanceTimersByTimeAsync(1)
    client.abort()
    expect(await login).toBe('refused')
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** A store that does not answer until it is told to; what it was asked with. */
function hangingStore() {
  const calls: { readonly verdict: Deferred<AuthenticationResult>; readonly signal: AbortSignal | undefined }[] = []
  const users: UserStore = {
    authenticate(_name, _password, signal) {
      const verdict = deferred<AuthenticationResult>()
      calls.push({ verdict, signal })
      return verdict.promise
    },
    find: () => undefined,
    close() {},
  }
  return { users, calls }
}

describe('with a store that does not answer', () => {
  const codeOf = (login: Promise<unknown>) =>
    login.then(
      () => 'in',
      (error: { code: string }) => error.code,
    )

  it('gives a login up after 20 seconds with 503, and tells the store', async () => {
    const { users, calls } = hangingStore()
    const { authenticator, reasons } = setUp({ users })
    const login = authenticator.authenticate('alice', 'pa55', context).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(19_999)
    expect(calls[0]!.signal!.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await login).toMatchObject({ status: 503, code: 'ERR_STORE_UNAVAILABLE', cause: expect.any(StoreError) })
    expect(calls[0]!.signal!.reason).toBeInstanceOf(StoreError)
    expect(reasons).toEqual(['store-unavailable'])
    expect(vi.getTimerCount()).toBe(0)
  })

  // Covers: K03
  it.each([
    ['rejects', () => Promise.reject(new Error('late'))],
    [
      'throws',
      () => {
        throw new Error('late')
      },
    ],
    [
      'fails to count',
      () => ({
        ...{ isAllowed: true, succeed() {}, cancel() {} },
        fail() {
          throw new Error('late')
        },
      }),
    ],
  ] as const)('ends nothing when the throttle %s for a wrong password that comes too late', async (_how, late) => {
    const { users, calls } = hangingStore()
    let begins = 0
    const first = { isAllowed: true, fail() {}, succeed() {}, cancel() {} } as const
    const throttle = { start: () => (begins++ === 0 ? first : late()), unlock() {} } as LoginThrottle
    const { authenticator } = setUp({ users, throttle, timeoutMs: 100 })
    const login = codeOf(authenticator.authenticate('alice', 'pa55', context))
    await vi.advanceTimersByTimeAsync(100)
    expect(await login).toBe('ERR_STORE_UNAVAILABLE')
    calls[0]!.verdict.resolve({ failure: 'wrong-password' })
    await vi.advanceTimersByTimeAsync(0)
    expect(begins).toBe(2)
  })

  // Covers: A10
  it.each([
    ['wrong', { failure: 'wrong-password' }],
    ['right', { account: alice }],
  ] as const)('answers 503 when it cannot be counted that the password was %s', async (_which, verdict) => {
    const { users, calls } = hangingStore()
    const lost = () => Promise.reject(new StoreError('no answer'))
    const attempt: LoginAttempt = { isAllowed: true, fail: lost, succeed: lost, cancel() {} }
    const { authenticator, reasons } = setUp({ users, throttle: { start: () => attempt, unlock() {} } })
    const login = codeOf(authenticator.authenticate('alice', 'pa55', context))
    await vi.advanceTimersByTimeAsync(0)
    calls[0]!.verdict.resolve(verdict)
    expect(await login).toBe('ERR_STORE_UNAVAILABLE')
    expect(reasons).toEqual(['store-unavailable'])
  })

  it('answers when the outcome is counted, and has it counted when the client leaves meanwhile', async () => {
    const { users, calls } = hangingStore()
    const counting = deferred()
    let isCounted = false
    const fail = async () => {
      await counting.promise
      isCounted = true
    }
    const attempt: LoginAttempt = { isAllowed: true, fail, succeed: () => true, cancel() {} }
    const throttle = { start: () => attempt, unlock() {} }
    const { authenticator } = setUp({ users, throttle, failureFloorMs: 0 })
    const client = new AbortController()
    const login = codeOf(authenticator.authenticate('alice', 'x', { ...context, signal: client.signal }))
    const isCountedAtAnswer = login.then(() => isCounted)
    await vi.advanceTimersByTimeAsync(0)
    calls[0]!.verdict.resolve({ failure: 'wrong-password' })
    await vi.advanceTimersByTimeAsync(0)
    client.abort()
    await vi.advanceTimersByTimeAsync(0)
    counting.resolve()
    expect(await isCountedAtAnswer).toBe(true)
  })

  it('gives the places of its logins back', async () => {
    const { users, calls } = hangingStore()
    const { authenticator } = setUp({ users, maxInProgress: 2, timeoutMs: 100 })
    const hung = [1, 2].map(() => codeOf(authenticator.authenticate('alice', 'pa55', context)))
    expect(await codeOf(authenticator.authenticate('alice', 'pa55', context))).toBe('ERR_LOGIN_OVERLOADED')
    await vi.advanceTimersByTimeAsync(100)
    expect(await Promise.all(hung)).toEqual(['ERR_STORE_UNAVAILABLE', 'ERR_STORE_UNAVAILABLE'])
    const login = codeOf(authenticator.authenticate('alice', 'pa55', context))
    await vi.advanceTimersByTimeAsync(0)
    calls[2]!.verdict.resolve({ account: alice })
    expect(await login).toBe('in')
  })

  it('lets the same user in from the same source once five clients that waited have gone', async () => {
    const { users, calls } = hangingStore()
    const { authenticator } = setUp({ users, throttle: createLoginThrottle({ clock }) })
    const client = new AbortController()
    const hung = Array.from({ length: 5 }, () =>
      codeOf(authenticator.authenticate('alice', 'pa55', { ...context, signal: client.signal })),
    )
    const waiting = codeOf(authenticator.authenticate('alice', 'pa55', context))
    await vi.advanceTimersByTimeAsync(0)
    expect(calls).toHaveLength(5)
    client.abort()
    await Promise.all(hung)
    await vi.advanceTimersByTimeAsync(0)
    calls[5]!.verdict.resolve({ account: alice })
    expect(await waiting).toBe('in')
  })

  it('does not keep a login waiting for its turn for ever, or for a client that has gone', async () => {
    const { users, calls } = hangingStore()
    const { authenticator } = setUp({ users, throttle: createLoginThrottle({ clock, maxFailures: 1 }), timeoutMs: 100 })
    const first = codeOf(authenticator.authenticate('alice', 'pa55', context))
    const second = codeOf(authenticator.authenticate('alice', 'pa55', context))
    const client = new AbortController()
    const third = codeOf(authenticator.authenticate('alice', 'pa55', { ...context, signal: client.signal }))
    await vi.advanceTimersByTimeAsync(1)
    client.abort()
    expect(await third).toBe('ERR_LOGIN_OVERLOADED')
    await vi.advanceTimersByTimeAsync(99)
    expect(await Promise.all([first, second])).toEqual(['ERR_STORE_UNAVAILABLE', 'ERR_STORE_UNAVAILABLE'])
    expect(calls.length).toBeLessThanOrEqual(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('counts a wrong password whose client did not wait for the answer', async () => {
    const { users, calls } = hangingStore()
    const { authenticator } = setUp({ users, throttle: createLoginThrottle({ clock }) })
    const client = new AbortController()
    const guesses = Array.from({ length: 5 }, () =>
      codeOf(authenticator.authenticate('alice', 'x', { ...context, signal: client.signal })),
    )
    await vi.advanceTimersByTimeAsync(0)
    client.abort()
    await Promise.all(guesses)
    for (const { verdict } of calls) verdict.resolve({ failure: 'wrong-password' })
    await vi.advanceTimersByTimeAsync(0)
    expect(await codeOf(authenticator.authenticate('alice', 'pa55', context))).toBe('ERR_LOGIN_THROTTLED')
  })

  it('asks the break-glass account', async () => {
    const { users } = hangingStore()
    const breakGlass = { primary: users, authenticate: async () => ({ account: alice }) }
    const { authenticator } = setUp({ users, breakGlass })
    const login = codeOf(authenticator.authenticate('alice', 'pa55', context))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await login).toBe('in')
  })
})

describe('the event of a refused login', () => {
  it('has the private reason when a store failed, and else none', async () => {
    const { authenticator, events } = setUp()
    const told: { readonly cause?: unknown }[] = []
    events.on('loginRefused', (event) => told.push(event))
    for (const name of ['down', 'busy', 'carol', 'broken']) await timed(authenticator, name, 'pa55')
    expect(told).toMatchObject([
      { reason: 'store-unavailable', cause: new StoreError('ldap://directory.example refused the connection') },
      { reason: 'overloaded' },
      { reason: 'unknown-user' },
    ])
    expect(told.filter(({ cause }) => cause !== undefined)).toHaveLength(1)
  })

  it('names the client and what it typed, never the password', async () => {
    const { authenticator, events, log } = setUp()
    const told: unknown[] = []
    events.on('loginRefused', (event) => told.push(event))
    await timed(authenticator, 'mallory', 'hunter2-secret')
    expect(told).toEqual([{ at: clock(), address: '192.0.2.1', userName: 'mallory', reason: 'unknown-user' }])
    expect(log.join()).not.toContain('hunter2-secret')
  })

  it('has no more than 255 characters of the name, and one line in the log', async () => {
    const { authenticator, log } = setUp()
    await timed(authenticator, `x\r\n${'y'.repeat(1_000_000)}`, 'pa55')
    expect(log).toHaveLength(1)
    expect(log[0]!.length).toBeLessThan(600)
    expect(log[0]!.trimEnd()).not.toMatch(/[\r\n]/)
  })
})

describe('with a throttle', () => {
  const setUpThrottled = (options: Partial<AuthenticatorOptions> = {}) =>
    setUp({ throttle: createLoginThrottle({ clock }), failureFloorMs: 0, ...options })

  const attempt = ({ authenticator }: { authenticator: Authenticator }, name: string, password: string) =>
    authenticator.authenticate(name, password, context).then(
      () => 200,
      (error: { status: number }) => error.status,
    )

  it('answers 429 with Retry-After from the sixth try on, without asking the store', async () => {
    const system = setUpThrottled()
    for (let index = 0; index < 5; index++) expect(await attempt(system, 'alice', 'x')).toBe(401)
    await expect(system.authenticator.authenticate('alice', 'pa55', context)).rejects.toMatchObject({
      name: 'TooManyRequestsError',
      status: 429,
      code: 'ERR_LOGIN_THROTTLED',
      headers: { 'Retry-After': '60' },
    })
    expect(system.asked).toHaveLength(5)
    expect(system.reasons.at(-1)).toBe('throttled')
  })

  it('counts from nothing after a good login', async () => {
    const system = setUpThrottled()
    const statuses = []
    for (const password of ['x', 'x', 'x', 'x', 'pa55', 'x', 'x', 'x', 'x', 'pa55']) {
      statuses.push(await attempt(system, 'alice', password))
    }
    expect(statuses).toEqual([401, 401, 401, 401, 200, 401, 401, 401, 401, 200])
  })

  it('asks the store five times for 100 wrong passwords at the same time', async () => {
    const system = setUpThrottled()
    const statuses = await Promise.all(Array.from({ length: 100 }, () => attempt(system, 'alice', 'x')))
    expect(system.asked).toHaveLength(5)
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(95)
  })

  it('lets 100 right ones in at the same time', async () => {
    const system = setUpThrottled()
    const statuses = await Promise.all(Array.from({ length: 100 }, () => attempt(system, 'alice', 'pa55')))
    expect(statuses).toEqual(Array(100).fill(200))
  })

  it.each([
    ['an unknown user', 'carol', 401],
    ['a disabled user', 'disabled', 401],
  ])('locks %s like any other, so that the lock tells nothing', async (_what, name, status) => {
    const system = setUpThrottled()
    for (let index = 0; index < 5; index++) expect(await attempt(system, name, 'x')).toBe(status)
    expect(await attempt(system, name, 'x')).toBe(429)
  })

  it.each([
    ['a store that is down', 'down', 503],
    ['an overload', 'busy', 503],
    ['a bug', 'broken', undefined],
  ])('does not count %s', async (_what, name, status) => {
    const system = setUpThrottled()
    for (let index = 0; index < 20; index++) expect(await attempt(system, name, 'x')).toBe(status)
  })

  it('does not count what is malformed', async () => {
    const system = setUpThrottled()
    for (let index = 0; index < 20; index++) expect(await attempt(system, 'alice', '')).toBe(401)
    expect(await attempt(system, 'alice', 'pa55')).toBe(200)
  })

  it('frees the place of a refused login before the wait of the floor', async () => {
    const system = setUpThrottled({ failureFloorMs: 250 })
    const wrong = Array.from({ length: 4 }, () => attempt(system, 'alice', 'x'))
    await vi.advanceTimersByTimeAsync(1)
    expect(await attempt(system, 'alice', 'pa55')).toBe(200)
    await vi.advanceTimersByTimeAsync(250)
    expect(await Promise.all(wrong)).toEqual([401, 401, 401, 401])
  })
})

describe('with the file users', () => {
  it('holds no hash slot while a refused login waits', async () => {
    vi.useRealTimers()
    const password = await argon2('pa55', { memoryCost: 8, timeCost: 1, parallelism: 1 })
    const begun = deferred()
    let running = 0
    const users = await fileUserStore({
      users: [{ name: 'alice', password, isAdmin: false, roles: [] }],
      hashQueue: {
        async run(work) {
          running++
          try {
            return await work()
          } finally {
            running--
            begun.resolve()
          }
        },
      },
    })
    const client = new AbortController()
    const authenticator = createAuthenticator({ users, failureFloorMs: 600_000 })
    const login = authenticator.authenticate('alice', 'x', { ...context, signal: client.signal }).catch(() => 'refused')
    await begun.promise
    expect(running).toBe(0)
    client.abort()
    expect(await login).toBe('refused')
  })
})

describe('where tokens cannot be added', () => {
  it('is asked before and after the password: a wrong one is answered as a right one would be', async () => {
    let calls = 0
    const failAt = (call: number) => () => {
      if (++calls === call) throw new StoreError('the store is away')
    }
    for (const [call, asked] of [
      [1, []],
      [2, ['alice']],
    ] as const) {
      calls = 0
      const front = setUp({ assertReady: failAt(call), failureFloorMs: 0 })
      await expect(front.authenticator.authenticate('alice', 'wrong', context)).rejects.toMatchObject({ status: 503 })
      expect(front.asked).toEqual(asked)
      expect(front.reasons).toEqual(['store-unavailable'])
    }
  })
})
