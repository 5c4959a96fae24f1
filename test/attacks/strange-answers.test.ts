import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { StoreError, UnauthorizedError } from '../../lib/core/errors.js'
import { createKeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { createSessions } from '../../lib/tokens/sessions.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { createTokens } from '../../lib/tokens/tokens.js'
import type { UserAccount, UserStore } from '../../lib/users/user-store.js'
import { basic, bearer, type Front, startFront, users } from '../helpers/front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp, twoSetUps } from '../helpers/set-ups.js'
import { exchange, newCode, newTokens, oauthFront, userinfo } from '../oauth/front.js'
import { navigation, startPortals } from '../portals/portal-front.js'

type Method = Exclude<keyof TokenStore, 'close'>

/** Replaces what the methods of a store answer, while `change` is there. */
class Changed<Store extends object> {
  readonly store: Store
  method: string | undefined
  change: (answer: unknown) => unknown = (answer) => answer

  constructor(inner: Store) {
    this.store = new Proxy(inner, {
      get: (target, name) => {
        const own: unknown = Reflect.get(target, name, target)
        if (typeof own !== 'function') return own
        return (...values: unknown[]) => {
          const answer: unknown = own.apply(target, values)
          return name === this.method ? this.change(answer) : answer
        }
      },
    })
  }

  switchOn(method: string, change: (answer: unknown) => unknown): void {
    this.method = method
    this.change = change
  }
}

/** A promise of another realm: `instanceof Promise` does not know it. */
const realm = createContext({})
const promiseOfAnotherRealm = runInContext('(value) => Promise.resolve(value)', realm) as (value: unknown) => unknown

type Then = (resolve: (value: unknown) => void) => unknown

const thenable = (then: Then, target: object = {}): object => Object.defineProperty(target, 'then', { value: then })

const ways: readonly (readonly [string, (answer: unknown) => unknown])[] = [
  ['a promise', async (answer) => answer],
  ['a promise of another realm', promiseOfAnotherRealm],
  ['a thenable', (answer) => thenable((resolve) => resolve(answer))],
  [
    'a function that is a thenable',
    (answer) =>
      thenable(
        (resolve) => resolve(answer),
        () => undefined,
      ),
  ],
  ['a thenable that answers twice', (answer) => thenable((resolve) => [answer, 0].map(resolve))],
]

function fail(error: unknown): never {
  throw error
}

const failures: readonly (readonly [string, () => unknown])[] = [
  ['throws', () => fail(new Error('a secret of the driver'))],
  ['throws a text', () => fail('gone')],
  ['throws a refusal', () => fail(new UnauthorizedError('ERR_TOKEN_INVALID', 'no'))],
  ['rejects', () => Promise.reject(new Error('a secret of the driver'))],
  ['rejects with nothing', () => Promise.reject()],
  ['rejects in another realm', () => runInContext('Promise.reject(new Error("a secret of the driver"))', realm)],
  ['answers with a thenable that throws', () => thenable(() => fail(new Error('no')))],
  [
    'answers with a thenable that cannot be read',
    () => Object.defineProperty({}, 'then', { get: () => fail(new Error('no')) }),
  ],
]

const noRecords: readonly unknown[] = [false, true, null, 0, 1, '', 'yes', {}, [], Symbol('record'), () => undefined]

/** A record of the store, with one field that is another. */
const spoiled: readonly (readonly [keyof TokenRecord, unknown])[] = [
  ['id', undefined],
  ['id', 'another'],
  ['kind', undefined],
  ['kind', 'portal'],
  ['kind', 'admin'],
  ['subject', undefined],
  ['subject', ''],
  ['roles', 'admin'],
  ['roles', [1]],
  ['isAdmin', 'true'],
  ['accountVersion', 1],
  ['scope', null],
  ['issuedAt', '0'],
  ['expiresAt', undefined],
  ['expiresAt', Number.NaN],
  ['expiresAt', Number.POSITIVE_INFINITY],
  ['expiresAt', new Date()],
  ['lastAccessAt', null],
  ['idleTimeoutMs', null],
  ['parent', null],
  ['audience', null],
  ['address', 1],
]

const strangeFinds: readonly (readonly [string, (answer: unknown) => unknown])[] = [
  ...noRecords.map((value) => [`answers ${typeof value} ${String(value)}`, () => value] as const),
  ...spoiled.map(
    ([field, value]) =>
      [
        `answers a record with ${field} ${String(value)}`,
        (found: unknown) => ({ ...(found as object), [field]: value }),
      ] as const,
  ),
  ...failures,
]

function expectUnavailable(answer: RawAnswer, front: Pick<Front, 'entries'>, reason: RegExp): void {
  expect(answer.status, answer.body).toBe(503)
  expect(answer.header('retry-after')).toBe('5')
  expect(answer.json()).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  const reasons = front.entries.flatMap(({ fields }) => fields['cause'] ?? [])
  expect(reasons.at(-1)).toMatchObject({ message: expect.stringMatching(reason) })
}

describe.each(twoSetUps)('a token store of the app, on $name,', (setUp) => {
  async function startChanged() {
    const changed = new Changed<TokenStore>(new MemoryTokenStore())
    const front = await startFront(setUp, { options: { tokenStore: changed.store } })
    return { changed, front }
  }

  const calls: readonly (readonly [Method, string])[] = [
    ['find', '/apis'],
    ['touch', '/apis'],
    ['add', '/login'],
    ['remove', '/logout'],
  ]

  it.each(ways)('may answer with %s, in each method', async (_way, change) => {
    const { changed, front } = await startChanged()
    for (const [method, path] of calls) {
      const token = await front.login()
      changed.switchOn(method, change)
      const credential = path === '/login' ? basic(users.admin.name, users.admin.password) : bearer(token)
      expect((await front.call('GET', path, [credential])).status, method).toBe(200)
    }
    changed.switchOn('list', change)
    expect(await front.security.tokens.list()).not.toEqual([])
    changed.switchOn('removeBySubject', change)
    expect(await front.security.tokens.revokeUser(users.admin.name)).toBeGreaterThan(0)
  })

  it('is refused with 503 and a reason in the log, whatever else it answers', async () => {
    const { changed, front } = await startChanged()
    const token = await front.login()
    for (const [how, change] of strangeFinds) {
      for (const [, later] of [['', (answer: unknown) => answer] as const, ways[0]!]) {
        changed.switchOn('find', (answer) => later(change(answer)))
        const answer = await front.call('GET', '/apis', [bearer(token)])
        expect(answer.status, how).toBe(503)
        expectUnavailable(answer, front, /^the token store (answered find with|failed in find)/)
        expect(answer.body).not.toContain('secret')
      }
    }
    expect(front.handled).toEqual([])
    changed.method = undefined
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
  })

  it.each<[Method, string, readonly unknown[]]>([
    ['add', '/login', [undefined, null, 1, 'OK', {}]],
    ['remove', '/logout', [undefined, null, 1, 'OK', {}]],
  ])('gives 503 where %s answers neither true nor false', async (method, path, answers) => {
    const { changed, front } = await startChanged()
    for (const value of [...answers.map((one) => () => one), ...failures.map(([, fail]) => fail)]) {
      changed.method = undefined
      const token = await front.login()
      changed.switchOn(method, value)
      const credential = path === '/login' ? basic(users.admin.name, users.admin.password) : bearer(token)
      expectUnavailable(await front.call('GET', path, [credential]), front, /^the token store/)
    }
  })
})

describe('list and removeBySubject of a token store of the app', () => {
  it('reject with a StoreError for what is no list and no count', async () => {
    const changed = new Changed<TokenStore>(new MemoryTokenStore())
    const { security } = await startFront(oneSetUp, { options: { tokenStore: changed.store } })
    for (const value of [undefined, null, false, 'text', {}, [undefined], [false], [{}]]) {
      changed.switchOn('list', () => value)
      await expect(security.tokens.list()).rejects.toThrow(StoreError)
    }
    for (const value of [undefined, null, true, '1', -1, Number.NaN, 0.5]) {
      changed.switchOn('removeBySubject', () => value)
      await expect(security.tokens.revokeUser('alice')).rejects.toThrow(StoreError)
    }
  })
})

describe('the session of a portal', () => {
  it('is refused with 503 when the store answers what is no session', async () => {
    const changed = new Changed<TokenStore>(new MemoryTokenStore())
    const front = await startPortals({ options: { tokenStore: changed.store } })
    const cookie = await front.cookieOf('/publisher')
    for (const [how, change] of strangeFinds) {
      if (how.includes('kind portal')) continue
      changed.switchOn('find', change)
      const answer = await front.call('GET', '/publisher/', [cookie, ...navigation])
      expect(answer.status, how).toBe(503)
    }
    for (const [how, change] of ways) {
      changed.switchOn('find', change)
      expect((await front.call('GET', '/publisher/', [cookie, ...navigation])).status, how).toBe(200)
    }
  })

  it('and a token have a parent that is a record', async () => {
    const store = new MemoryTokenStore()
    const changed = new Changed<TokenStore>(store)
    const sessions = createSessions({
      store: changed.store,
      portal: 'shop',
      idleTimeoutMs: 1000,
      absoluteTimeoutMs: 1000,
    })
    const account: UserAccount = { subject: 'alice', roles: [], isAdmin: false, version: '1' }
    const tokens = createTokens({
      store,
      keys: await createKeyRing({ algorithm: 'ES256' }),
      issuer: 'urn:test',
      audience: 'test',
      expiryMs: 60_000,
    })
    const { id: parent } = await tokens.issue(account)
    const { credential } = await sessions.start(account, { parent })
    for (const value of noRecords) {
      changed.switchOn('find', (found) => ((found as TokenRecord).id === parent ? value : found))
      expect(() => sessions.verify(credential, true)).toThrow(StoreError)
    }
  })
})

describe('an OAuth access token', () => {
  it('is not handed out when the store did not take it', async () => {
    for (const value of [false, undefined, 'OK']) {
      const changed = new Changed<TokenStore>(new MemoryTokenStore())
      const front = await oauthFront({ options: { tokenStore: changed.store } })
      const { code, verifier } = await newCode(front.browser())
      changed.switchOn('add', () => value)
      const answer = await exchange(front, code, verifier)
      expect([answer.status, answer.json()['access_token']], String(value)).toEqual([503, undefined])
    }
  })

  it('is refused with 503 when the store answers what is no record', async () => {
    const changed = new Changed<TokenStore>(new MemoryTokenStore())
    const front = await oauthFront({ options: { tokenStore: changed.store } })
    const { access_token } = await newTokens(front, front.browser())
    for (const value of noRecords) {
      changed.switchOn('find', () => value)
      expect((await userinfo(front, access_token)).status, String(value)).toBe(503)
    }
    for (const [how, change] of ways) {
      changed.switchOn('find', change)
      expect((await userinfo(front, access_token)).status, how).toBe(200)
    }
  })
})

describe.each(twoSetUps)('a user store of the app, on $name,', (setUp) => {
  const account: UserAccount = { subject: 'alice', roles: [], isAdmin: false, version: '1' }
  const credential = basic('alice', 'a-fine-password')

  const noAccounts: readonly unknown[] = [
    null,
    true,
    0,
    'alice',
    {},
    [],
    ...(['subject', 'roles', 'isAdmin', 'version'] as const).map((field) => ({ ...account, [field]: undefined })),
    { ...account, subject: '' },
    { ...account, isAdmin: 'false' },
    { ...account, roles: 'viewer' },
    { ...account, roles: [1] },
    { ...account, maxTokenAgeMs: Number.NaN },
  ]

  async function startChanged() {
    let now = Date.now()
    const changed = new Changed<UserStore>({ authenticate: async () => ({ account }), find: () => account, close() {} })
    const front = await startFront(setUp, { options: { userStore: changed.store, clock: () => now } })
    const token = await front.login({ name: 'alice', password: 'a-fine-password' })
    now += 61_000
    return { changed, front, token }
  }

  it('may answer with anything that can be awaited', async () => {
    const { changed, front, token } = await startChanged()
    for (const [how, change] of ways) {
      changed.switchOn('authenticate', change)
      expect((await front.call('GET', '/login', [credential])).status, how).toBe(200)
      changed.switchOn('find', change)
      expect((await front.call('GET', '/apis', [bearer(token)])).status, how).toBe(200)
    }
  })

  it('lets nobody log in by an answer that is neither an account nor a failure', async () => {
    const { changed, front } = await startChanged()
    const answers = [
      undefined,
      ...noAccounts,
      account,
      ...noAccounts.map((one) => ({ account: one })),
      { account, failure: 'disabled' },
      { failure: 'no' },
      { failure: 'wrong-password', subject: 1 },
    ]
    for (const value of answers) {
      changed.switchOn('authenticate', () => value)
      const answer = await front.call('GET', '/login', [credential])
      expectUnavailable(answer, front, /^the user store answered authenticate/)
    }
  })

  it('keeps no token alive by an answer that is neither an account nor undefined', async () => {
    const { changed, front, token } = await startChanged()
    for (const value of noAccounts) {
      changed.switchOn('find', () => value)
      expectUnavailable(await front.call('GET', '/apis', [bearer(token)]), front, /^the user store answered find/)
    }
    changed.switchOn('find', () => undefined)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    expect(front.handled).toEqual([])
  })
})
