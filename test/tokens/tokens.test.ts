import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inBackground } from '../../lib/async/background.js'
import type { Auth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { createRecord } from '../../lib/testing.js'
import { createKeyRing, type KeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { createTokens, type Login, type Tokens, type TokensOptions } from '../../lib/tokens/tokens.js'
import type { Accounts } from '../../lib/users/accounts.js'
import type { AccountState, UserAccount } from '../../lib/users/user-store.js'

const start = Date.UTC(2026, 0, 1)
const alice: UserAccount = { subject: 'alice', roles: ['operator'], isAdmin: false, version: 'version 1' }
const root: UserAccount = { subject: 'root', roles: ['admin'], isAdmin: true, version: 'version 1' }

const refused = { status: 401, code: 'ERR_TOKEN_INVALID', message: 'The access token is not valid.' }

let keys: KeyRing
let now = start
const clock = (): number => now

beforeAll(async () => {
  keys = await createKeyRing({ algorithm: 'ES256' })
})

beforeEach(() => {
  now = start
})

const opened: Tokens[] = []

afterEach(async () => {
  for (const tokens of opened.splice(0)) await tokens.close()
})

function tokensWith(options: Partial<TokensOptions> = {}): Tokens {
  const tokens = createTokens({
    store: new MemoryTokenStore({ clock }),
    keys,
    issuer: 'urn:sallyport:management',
    audience: 'management-api',
    expiryMs: 60_000,
    clock,
    ...options,
  })
  opened.push(tokens)
  return tokens
}

/** What `verify` answers or throws, as a promise. */
async function verified(tokens: Tokens, token: string): Promise<Auth> {
  return tokens.verify(token)
}

/** A promise that a test settles. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let settle!: { resolve: (value: T) => void; reject: (error: Error) => void }
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...settle }
}

/** Answers everything a turn later, as a store on a network does. */
class AsyncTokenStore implements TokenStore {
  readonly inner: MemoryTokenStore = new MemoryTokenStore({ clock })
  readonly calls: string[] = []
  /** Methods that fail. */
  readonly broken: Set<string> = new Set()
  /** What a method waits for before, and after, it does its work. */
  readonly before: Map<string, Promise<void>> = new Map()
  readonly after: Map<string, Promise<void>> = new Map()

  async #run<T>(method: string, work: () => T): Promise<T> {
    this.calls.push(method)
    await this.before.get(method)
    if (this.broken.has(method)) throw new StoreError('the store is down')
    const answer = work()
    await this.after.get(method)
    return answer
  }

  find = (id: string) => this.#run('find', () => this.inner.find(id))
  add = (record: TokenRecord) => this.#run('add', () => this.inner.add(record))
  touch = (id: string, at: number) => this.#run('touch', () => this.inner.touch(id, at))
  remove = (id: string) => this.#run('remove', () => this.inner.remove(id))
  removeBySubject = (subject: string) => this.#run('removeBySubject', () => this.inner.removeBySubject(subject))
  list = () => this.#run('list', () => this.inner.list())
  close = async () => this.inner.close()
}

/** Accounts whose states a test holds in its hands. */
class ManualAccounts implements Accounts {
  readonly states: Map<string, AccountState> = new Map()
  refreshing: undefined | Promise<void> = undefined

  getState({ subject, version, roles, isAdmin }: UserAccount): AccountState {
    const state = this.states.get(subject) ?? { version, roles, isAdmin, hasEnded: false, checkedAt: 0 }
    this.states.set(subject, state)
    return state
  }

  restoreState({ subject, accountVersion, roles, isAdmin }: TokenRecord): AccountState {
    return this.getState({ subject, version: accountVersion, roles, isAdmin })
  }

  readonly endings = 0
  hasEndedSince = () => false

  end(subject: string): void {
    this.states.delete(subject)
  }

  recheck(): void {}
  recheckEverywhere(): void {}
  assertCurrent(): undefined {}

  refresh(): undefined | Promise<void> {
    return this.refreshing
  }
}

// Covers: B18
describe('createTokens', () => {
  it.each([0, -1000, 1, 999, 1500, Number.NaN, 2_592_001_000, Number.POSITIVE_INFINITY, '60', undefined, null])(
    'refuses an expiry of %s milliseconds',
    (expiryMs) => {
      expect(() => tokensWith({ expiryMs } as TokensOptions)).toThrow(
        new TypeError('"expiryMs" option must be a multiple of 1000 from 1000 to 2592000000'),
      )
    },
  )

  it.each([1000, 2_592_000_000])('accepts an expiry of %i milliseconds', (expiryMs) => {
    expect(() => tokensWith({ expiryMs })).not.toThrow()
  })

  it.each(['issuer', 'audience'])('refuses an empty %s', (name) => {
    for (const value of ['', undefined, null, 1]) {
      expect(() => tokensWith({ [name]: value })).toThrow(new TypeError(`"${name}" option must be a non-empty string`))
    }
  })
})

describe('tokens.issue', () => {
  it('answers a token, its id and its end', async () => {
    now = start + 123
    const { token, id, expiresAt } = await tokensWith().issue(alice)
    expect(id).toBe(tokenId('management', token))
    expect(expiresAt).toBe(start + 60_123)
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    expect(claims).toMatchObject({ iat: start / 1000, exp: start / 1000 + 60, sub: 'alice', scope: 'default' })
  })

  it.each(['portal', 'oauth', 'basic', 'sign-on', 'Management', '', null, 1])(
    'makes no token of a kind that no gate takes: %j',
    async (kind) => {
      const tokens = tokensWith()
      const login = { kind } as unknown as Login
      await expect(tokens.issue(alice, login)).rejects.toThrow(
        new TypeError(`"kind" option must be "management", got ${JSON.stringify(kind)}`),
      )
      expect(await tokens.list()).toEqual([])
      expect(await verified(tokens, (await tokens.issue(alice, { kind: 'management' })).token)).toMatchObject({
        kind: 'management',
      })
    },
  )

  it('keeps neither the token nor any part of it', async () => {
    const store = new MemoryTokenStore({ clock })
    const tokens = tokensWith({ store })
    const { token, id } = await tokens.issue(alice, { address: '192.0.2.1' })
    const record = store.find(id)!
    expect(record).toMatchObject({ address: '192.0.2.1', lastAccessAt: start, accountVersion: 'version 1' })
    const values = Object.values(record).filter((value) => typeof value === 'string')
    for (const part of token.split('.')) expect(values.join(' ')).not.toContain(part)
  })

  it('answers 503 with Retry-After when the store is full and puts nobody out', async () => {
    const tokens = tokensWith({ store: new MemoryTokenStore({ maxSize: 1, removeOldestOnOverflow: false, clock }) })
    await tokens.issue(alice)
    await expect(tokens.issue(root)).rejects.toMatchObject({
      status: 503,
      code: 'ERR_TOKEN_STORE_FULL',
      message: 'Max concurrent access limit exceeded',
      headers: { 'Retry-After': '60' },
    })
    now += 60_000
    expect(await tokens.issue(root)).toHaveProperty('token')
  })

  it('rejects with the StoreError of a store that is down', async () => {
    const store = new AsyncTokenStore()
    store.broken.add('add')
    await expect(tokensWith({ store }).issue(alice)).rejects.toThrow(StoreError)
  })

  describe('when the tokens of the user are revoked during the login', () => {
    const loginRefused = { status: 401, code: 'ERR_AUTH_INVALID_CREDENTIALS' }

    it('refuses the login that began before', async () => {
      const tokens = tokensWith()
      const startedAt = now
      now += 1
      await tokens.revokeUser('alice')
      now += 1
      await expect(tokens.issue(alice, { startedAt })).rejects.toMatchObject(loginRefused)
      expect(await tokens.list()).toEqual([])
    })

    it('accepts a login that began afterwards, and those of others', async () => {
      const tokens = tokensWith()
      const startedAt = now
      now += 1
      await tokens.revokeUser('alice')
      expect(await tokens.issue(alice, { startedAt: now })).toHaveProperty('token')
      expect(await tokens.issue(alice)).toHaveProperty('token')
      expect(await tokens.issue(root, { startedAt })).toHaveProperty('token')
    })

    it('refuses it when the revocation comes while the token is signed', async () => {
      const tokens = tokensWith({
        keys: {
          ...keys,
          async sign(input) {
            await tokens.revokeUser('alice')
            return keys.sign(input)
          },
        },
      })
      await expect(tokens.issue(alice)).rejects.toMatchObject(loginRefused)
      expect(await tokens.list()).toEqual([])
    })

    it('refuses it when the revocation comes while the store adds the token, and takes that out again', async () => {
      const store = new AsyncTokenStore()
      const adding = deferred<void>()
      store.before.set('add', adding.promise)
      const tokens = tokensWith({ store })
      const login = tokens.issue(alice)
      const outcome = expect(login).rejects.toMatchObject(loginRefused)
      while (!store.calls.includes('add')) await new Promise(setImmediate)
      expect(await tokens.revokeUser('alice')).toBe(0)
      adding.resolve()
      await outcome
      expect(store.inner.size).toBe(0)
    })

    it('remembers it for ten minutes', async () => {
      const tokens = tokensWith()
      const startedAt = now
      now += 1
      await tokens.revokeUser('alice')
      now += 600_000
      await expect(tokens.issue(alice, { startedAt })).rejects.toMatchObject(loginRefused)
      now += 1
      expect(await tokens.issue(alice, { startedAt })).toHaveProperty('token')
    })
  })
})

describe('tokens.verify', () => {
  it('answers at once who is calling', async () => {
    const tokens = tokensWith()
    const { token, id } = await tokens.issue(root)
    const auth = tokens.verify(token)
    expect(auth).toEqual({
      subject: 'root',
      roles: ['admin'],
      isAdmin: true,
      scope: 'admin',
      tokenId: id,
      kind: 'management',
      issuedAt: start,
      expiresAt: start + 60_000,
    })
    expect(tokens.verify(token)).not.toBe(auth)
  })

  it('is not opened by the id of a token, whatever it is passed as', async () => {
    const tokens = tokensWith()
    const { id } = await tokens.issue(root)
    const verify = tokens.verify as (...values: readonly unknown[]) => unknown
    for (const values of [
      ['anything', id],
      ['anything', { id }],
      ['anything', { tokenId: id }],
      ['anything', undefined, id],
      ['anything', { audience: undefined }, id],
      [id],
      [id, id],
    ]) {
      expect(() => verify(...values)).toThrow(expect.objectContaining(refused))
    }
  })

  it.each(['', 'a', 'a.b.c', 'x'.repeat(8193), '\u0000', '__proto__'])(
    'throws at once for an unknown text',
    (token) => {
      expect(() => tokensWith().verify(token)).toThrow(expect.objectContaining(refused))
    },
  )

  it('looks up no text that is longer than 8192 letters', async () => {
    const store = new AsyncTokenStore()
    const tokens = tokensWith({ store })
    expect(() => tokens.verify('x'.repeat(8193))).toThrow(expect.objectContaining(refused))
    expect(store.calls).toEqual([])
    await expect(verified(tokens, 'x'.repeat(8192))).rejects.toMatchObject(refused)
    expect(store.calls).toEqual(['find'])
  })

  it('refuses a token of our own key that the store does not hold, and never looks at its signature', async () => {
    const { token } = await tokensWith().issue(root)
    const asked: string[] = []
    const other = tokensWith({ keys: { ...keys, find: (kid) => void asked.push(kid) } })
    expect(() => other.verify(token)).toThrow(expect.objectContaining(refused))
    expect(asked).toEqual([])
  })

  // Covers: B08
  it('refuses every other spelling of a live token', async () => {
    const tokens = tokensWith()
    const { token } = await tokens.issue(alice)
    for (const text of [`${token}=`, ` ${token}`, `${token} `, `${token}\n`, token.toUpperCase(), token.slice(0, -1)]) {
      expect(() => tokens.verify(text)).toThrow(expect.objectContaining(refused))
    }
    expect(tokens.verify(token)).toMatchObject({ subject: 'alice' })
  })

  it('refuses a token from the moment on at which it expires, and frees its place', async () => {
    const store = new MemoryTokenStore({ clock })
    const tokens = tokensWith({ store })
    const { token, expiresAt } = await tokens.issue(alice)
    now = expiresAt - 1
    expect(tokens.verify(token)).toMatchObject({ subject: 'alice' })
    now = expiresAt
    expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
    expect(store.size).toBe(0)
    now = expiresAt - 1
    expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
  })

  it('notes the access', async () => {
    const tokens = tokensWith()
    const { token } = await tokens.issue(alice)
    now += 1500
    await tokens.verify(token)
    expect((await tokens.list())[0]).toMatchObject({ lastAccessAt: start + 1500 })
  })

  describe('with accounts', () => {
    it('answers the rights of now, not those of the login', async () => {
      const accounts = new ManualAccounts()
      const tokens = tokensWith({ accounts })
      const { token } = await tokens.issue(root)
      Object.assign(accounts.states.get('root')!, { roles: ['viewer'], isAdmin: false })
      expect(tokens.verify(token)).toMatchObject({ roles: ['viewer'], isAdmin: false, scope: 'default' })
      Object.assign(accounts.states.get('root')!, { isAdmin: true })
      expect(tokens.verify(token)).toMatchObject({ isAdmin: true, scope: 'admin' })
    })

    it('answers the same when the store cannot remove the token of an account that has ended', async () => {
      const accounts = new ManualAccounts()
      const store = new MemoryTokenStore({ clock })
      const tokens = tokensWith({ accounts, store })
      const { token } = await tokens.issue(alice)
      accounts.states.get('alice')!.hasEnded = true
      store.remove = () => {
        throw new StoreError('the store is down')
      }
      expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
    })

    it('refuses the token of an account that has ended, and frees its place', async () => {
      const accounts = new ManualAccounts()
      const store = new MemoryTokenStore({ clock })
      const tokens = tokensWith({ accounts, store })
      const { token } = await tokens.issue(alice)
      accounts.states.get('alice')!.hasEnded = true
      expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
      expect(store.size).toBe(0)
    })

    it('waits for an account that is read again', async () => {
      const accounts = new ManualAccounts()
      const tokens = tokensWith({ accounts })
      const { token } = await tokens.issue(alice)
      const reading = deferred<void>()
      accounts.refreshing = reading.promise
      const auth = tokens.verify(token)
      expect(auth).toBeInstanceOf(Promise)
      accounts.states.get('alice')!.roles = ['auditor']
      reading.resolve()
      expect(await auth).toMatchObject({ roles: ['auditor'] })
    })

    it('rejects with the StoreError of accounts that cannot be read', async () => {
      const accounts = new ManualAccounts()
      const tokens = tokensWith({ accounts })
      const { token } = await tokens.issue(alice)
      accounts.refreshing = Promise.reject(new StoreError('the directory is down'))
      await expect(verified(tokens, token)).rejects.toThrow(StoreError)
    })

    it.each(['revoke', 'revokeUser'] as const)(
      'refuses a token when %s comes while its account is read',
      async (method) => {
        const accounts = new ManualAccounts()
        const tokens = tokensWith({ accounts })
        const { token, id } = await tokens.issue(alice)
        const reading = deferred<void>()
        accounts.refreshing = reading.promise
        const auth = verified(tokens, token)
        const outcome = expect(auth).rejects.toMatchObject(refused)
        await tokens[method](method === 'revoke' ? id : 'alice')
        reading.resolve()
        await outcome
      },
    )
  })

  describe('with a store on a network', () => {
    it('answers who is calling, and notes the access before', async () => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const { token } = await tokens.issue(alice)
      now += 1000
      expect(await verified(tokens, token)).toMatchObject({ subject: 'alice' })
      expect(store.calls).toEqual(['add', 'find', 'touch'])
    })

    it.each(['find', 'touch'])('rejects with a StoreError when %s fails', async (method) => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const { token } = await tokens.issue(alice)
      store.broken.add(method)
      await expect(verified(tokens, token)).rejects.toThrow(StoreError)
    })

    it.each([false, true])('refuses an expired token (a store that cannot remove it: %s)', async (isBroken) => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const { token, expiresAt } = await tokens.issue(alice)
      if (isBroken) store.broken.add('remove')
      now = expiresAt
      await expect(verified(tokens, token)).rejects.toMatchObject(refused)
    })

    it.each([
      ['revoke', 'touch', 'before'],
      ['revoke', 'touch', 'after'],
      ['revoke', 'find', 'after'],
      ['revokeUser', 'touch', 'before'],
      ['revokeUser', 'find', 'after'],
    ] as const)(
      'lets nobody in after the answer of %s, though %s is under way (waiting %s its work)',
      async (method, step, when) => {
        const store = new AsyncTokenStore()
        const tokens = tokensWith({ store })
        const { token, id } = await tokens.issue(alice)
        const waiting = deferred<void>()
        store[when].set(step, waiting.promise)
        const outcome = expect(verified(tokens, token)).rejects.toMatchObject(refused)
        while (!store.calls.includes(step)) await new Promise(setImmediate)
        await tokens[method](method === 'revoke' ? id : 'alice')
        waiting.resolve()
        await outcome
      },
    )

    it.each([
      ['revoke', 'remove'],
      ['revokeUser', 'removeBySubject'],
    ] as const)(
      'refuses a token from the call of %s on, however long the store takes to remove it',
      async (method, step) => {
        const store = new AsyncTokenStore()
        const tokens = tokensWith({ store })
        const { token, id } = await tokens.issue(alice)
        const removing = deferred<void>()
        store.before.set(step, removing.promise)
        const revoked = tokens[method](method === 'revoke' ? id : 'alice')
        await expect(verified(tokens, token)).rejects.toMatchObject(refused)
        removing.resolve()
        await revoked
        await expect(verified(tokens, token)).rejects.toMatchObject(refused)
      },
    )

    it('refuses only the logins that began before a revocation, however long that took', async () => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const removing = deferred<void>()
      store.before.set('removeBySubject', removing.promise)
      const revoked = tokens.revokeUser('alice')
      now += 5
      const startedAt = now
      now += 5
      removing.resolve()
      await revoked
      expect(await tokens.issue(alice, { startedAt })).toHaveProperty('token')
    })

    it('lets others in meanwhile', async () => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const { token } = await tokens.issue(alice)
      const { id } = await tokens.issue(root)
      const touching = deferred<void>()
      store.before.set('touch', touching.promise)
      const auth = verified(tokens, token)
      await tokens.revoke(id)
      await tokens.revokeUser('root')
      touching.resolve()
      expect(await auth).toMatchObject({ subject: 'alice' })
    })
  })

  describe('of a record that came from outside this process', () => {
    async function restored(fields: Partial<TokenRecord> = {}, accounts?: Accounts) {
      const { token, id } = await tokensWith().issue(alice)
      const store = new MemoryTokenStore({ clock })
      const asked: string[] = []
      const find = (kid: string) => {
        asked.push(kid)
        return keys.find(kid)
      }
      const tokens = tokensWith({ store, accounts, keys: { ...keys, find } })
      store.add(
        createRecord(id, {
          id,
          issuedAt: start,
          expiresAt: start + 60_000,
          lastAccessAt: start,
          address: undefined,
          ...fields,
        }),
      )
      return { tokens, token, id, store, asked }
    }

    it('verifies the signature once', async () => {
      const { tokens, token, asked } = await restored()
      expect(await verified(tokens, token)).toMatchObject({ subject: 'alice', roles: ['operator'], isAdmin: false })
      expect(tokens.verify(token)).not.toBeInstanceOf(Promise)
      expect(asked).toEqual([keys.kid])
    })

    it('takes the state of the account from the accounts', async () => {
      const accounts = new ManualAccounts()
      accounts.getState({ ...alice, roles: ['auditor'] })
      const { tokens, token } = await restored({}, accounts)
      expect(await verified(tokens, token)).toMatchObject({ roles: ['auditor'] })
    })

    it('refuses a token of another user than the record is of', async () => {
      const { tokens, token, store } = await restored({ subject: 'root', isAdmin: true })
      await expect(verified(tokens, token)).rejects.toMatchObject(refused)
      await expect(verified(tokens, token)).rejects.toMatchObject(refused)
      expect(store.list()[0]?.account).toBeUndefined()
    })

    it('refuses a text that we never signed', async () => {
      const { tokens, token } = await restored({ id: tokenId('management', 'forged') })
      await expect(verified(tokens, 'forged')).rejects.toMatchObject(refused)
      expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
    })

    it('refuses a token that is revoked while its signature is verified', async () => {
      const { tokens, token, id } = await restored()
      const outcome = expect(verified(tokens, token)).rejects.toMatchObject(refused)
      expect(await tokens.revoke(id)).toBe(true)
      await outcome
    })
  })
})

describe('tokens.revoke', () => {
  it('ends a token once', async () => {
    const tokens = tokensWith()
    const { token, id } = await tokens.issue(alice)
    expect(await tokens.revoke(id)).toBe(true)
    expect(() => tokens.verify(token)).toThrow(expect.objectContaining(refused))
    expect(await tokens.revoke(id)).toBe(false)
    expect(await tokens.revoke('')).toBe(false)
  })

  it.each([
    ['revoke', 'remove'],
    ['revokeUser', 'removeBySubject'],
  ] as const)(
    'rejects %s with the StoreError of a store that is down, and the token is dead here',
    async (method, step) => {
      const store = new AsyncTokenStore()
      const tokens = tokensWith({ store })
      const { token, id } = await tokens.issue(alice)
      const other = await tokens.issue(root)
      store.broken.add(step).add('remove')
      await expect(tokens[method](method === 'revoke' ? id : 'alice')).rejects.toThrow(StoreError)
      await expect(verified(tokens, token)).rejects.toThrow(StoreError)
      now += 1
      expect(await verified(tokens, (await tokens.issue(alice)).token)).toMatchObject({ subject: 'alice' })
      store.broken.clear()
      await expect(verified(tokens, token)).rejects.toMatchObject(refused)
      expect(await store.find(id)).toBeUndefined()
      expect(await verified(tokens, other.token)).toMatchObject({ subject: 'root' })
    },
  )

  it('counts an end that the store has not answered for 25 seconds as failed', async () => {
    const store = new AsyncTokenStore()
    const tokens = tokensWith({ store })
    const { token, id } = await tokens.issue(alice)
    store.before.set('remove', new Promise(() => {}))
    inBackground(() => tokens.revoke(id))
    now += 25_000
    store.before.delete('remove')
    await expect(verified(tokens, token)).rejects.toMatchObject(refused)
    expect(await store.find(id)).toBeUndefined()
  })
})

describe('tokens.revokeUser', () => {
  it('ends the tokens of one user, of every kind', async () => {
    const store = new MemoryTokenStore({ clock })
    const tokens = tokensWith({ store })
    await tokens.issue(alice)
    store.add(createRecord('a session', { kind: 'portal', subject: 'alice', expiresAt: start + 60_000 }))
    const { token } = await tokens.issue(root)
    expect(await tokens.revokeUser('alice')).toBe(2)
    expect(await tokens.revokeUser('alice')).toBe(0)
    expect(tokens.verify(token)).toMatchObject({ subject: 'root' })
    expect(await tokens.list()).toHaveLength(1)
  })
})

describe('tokens.list', () => {
  it('shows live tokens without anything that is shared or secret', async () => {
    const tokens = tokensWith()
    const { id } = await tokens.issue(alice, { address: '192.0.2.1' })
    expect(await tokens.list()).toEqual([
      {
        id,
        kind: 'management',
        subject: 'alice',
        scope: 'default',
        issuedAt: start,
        expiresAt: start + 60_000,
        lastAccessAt: start,
        address: '192.0.2.1',
      },
    ])
  })

  it('passes the query on', async () => {
    const tokens = tokensWith()
    await tokens.issue(alice)
    const { id } = await tokens.issue(root)
    expect((await tokens.list({ subject: 'root', kind: 'management', limit: 5 })).map((info) => info.id)).toEqual([id])
    expect(await tokens.list({ limit: 0 })).toEqual([])
  })
})
