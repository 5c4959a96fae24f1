import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { StoreError, UnauthorizedError } from '../../lib/core/errors.js'
import { createRecord } from '../../lib/testing.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { Revocations } from '../../lib/tokens/revocations.js'
import { createSessions, type Sessions, type SessionsOptions } from '../../lib/tokens/sessions.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { createAccounts } from '../../lib/users/accounts.js'
import type { UserAccount } from '../../lib/users/user-store.js'

const start = Date.UTC(2026, 0, 1)
const alice: UserAccount = { subject: 'alice', roles: ['viewer'], isAdmin: false, version: '1' }

describe('createSessions', () => {
  let now = start
  let store: MemoryTokenStore
  const clock = (): number => now

  const sessionsWith = (changes: Partial<SessionsOptions> = {}): Sessions =>
    createSessions({ store, portal: 'publisher', idleTimeoutMs: 60_000, absoluteTimeoutMs: 600_000, clock, ...changes })

  /** What a request with this credential ends with. */
  const outcome = async (sessions: Sessions, credential: string, isActivity = true): Promise<unknown> =>
    (async () => sessions.verify(credential, isActivity))().catch((error: unknown) => error)

  const ended = expect.objectContaining({ status: 401, code: 'ERR_SESSION_ENDED' })

  beforeEach(() => {
    now = start
    store = new MemoryTokenStore({ clock })
  })

  it.each([
    ['portal', ['', 'a b', 'a;b', 'sso', 'a'.repeat(65), undefined]],
    ['idleTimeoutMs', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, undefined]],
    ['absoluteTimeoutMs', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, undefined]],
  ])('refuses a %s that cannot be', (name, values) => {
    for (const value of values) {
      const action = (): Sessions => sessionsWith({ [name]: value })
      expect(action).toThrow(TypeError)
      expect(action).toThrow(new RegExp(`^"${name}" option must be (?:1 to 64 letters|a number above 0)`))
    }
  })

  // Covers: D01
  it('makes credentials of 256 random bits and stores a digest of them only', async () => {
    const sessions = sessionsWith()
    const credentials = new Set<string>()
    for (let number = 0; number < 1000; number++) {
      const { credential, id } = await sessions.start(alice)
      credentials.add(credential)
      expect(credential).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(id).toBe(tokenId('portal', `publisher:${credential}`))
    }
    expect(credentials.size).toBe(1000)
    const dump = JSON.stringify(store.list({ limit: 2000 }).map(copyOf))
    for (const credential of credentials) expect(dump).not.toContain(credential)
  })

  it('tells who the caller is', async () => {
    const sessions = sessionsWith()
    const { credential, id, auth } = await sessions.start(alice, { address: '192.0.2.1' })
    const live = await sessions.verify(credential, true)
    expect(live).toMatchObject({ lastAccessAt: start, idleTimeoutMs: 60_000 })
    expect(live.auth).toEqual(auth)
    expect(auth).toEqual({
      subject: 'alice',
      roles: ['viewer'],
      isAdmin: false,
      scope: 'default',
      tokenId: id,
      kind: 'portal',
      issuedAt: start,
      expiresAt: start + 600_000,
    })
    expect(store.find(id)).toMatchObject({ audience: 'publisher', address: '192.0.2.1', parent: undefined })
  })

  it('answers without a promise when the store does', async () => {
    const sessions = sessionsWith()
    const { credential } = await sessions.start(alice)
    expect(sessions.verify(credential, true)).not.toBeInstanceOf(Promise)
  })

  it('answers the same later when the store does', async () => {
    const { credential, auth } = await sessionsWith().start(alice)
    for (const late of [['find'], ['touch'], ['find', 'touch']]) {
      const slow = lateStore(store, late)
      const verifying = sessionsWith({ store: slow.store }).verify(credential, true)
      expect(verifying).toBeInstanceOf(Promise)
      expect(await slow.settle(verifying as Promise<unknown>)).toEqual({
        auth,
        lastAccessAt: start,
        idleTimeoutMs: 60_000,
      })
    }
  })

  it('says why a session has ended to the log only', async () => {
    const refusal = (await outcome(sessionsWith(), 'n'.repeat(43))) as UnauthorizedError
    expect(refusal.message).toBe('The session has ended. Sign in again.')
    expect(refusal.cause).toBe('it is not in the store')
  })

  it('knows no session of another portal', async () => {
    const { credential } = await sessionsWith().start(alice)
    expect(await outcome(sessionsWith({ portal: 'devportal' }), credential)).toEqual(ended)
    expect(await outcome(sessionsWith(), credential)).not.toBeInstanceOf(Error)
  })

  // Covers: D03 D04
  it.each([
    ['passes a second before it was idle for too long', 59_000, true],
    ['ends at the moment it was idle for too long', 60_000, false],
    ['ends a second later', 61_000, false],
  ])('%s', async (_what, passed, isLive) => {
    const sessions = sessionsWith()
    const { credential } = await sessions.start(alice)
    now = start + passed
    expect(await outcome(sessions, credential)).toEqual(isLive ? expect.objectContaining({ lastAccessAt: now }) : ended)
  })

  it('lasts for as long as it is used, and not beyond its absolute end', async () => {
    const sessions = sessionsWith()
    const { credential } = await sessions.start(alice)
    for (now = start + 50_000; now < start + 600_000; now += 50_000) {
      expect(await outcome(sessions, credential)).not.toBeInstanceOf(Error)
    }
    now = start + 599_999
    expect(await outcome(sessions, credential)).not.toBeInstanceOf(Error)
    now = start + 600_000
    expect(await outcome(sessions, credential)).toEqual(ended)
    expect(store.size).toBe(0)
  })

  // Covers: D05
  it('is not kept alive by what is no activity', async () => {
    const sessions = sessionsWith()
    const { credential } = await sessions.start(alice)
    for (now = start + 1000; now < start + 60_000; now += 1000) {
      expect(await outcome(sessions, credential, false)).toMatchObject({ lastAccessAt: start })
    }
    expect(await outcome(sessions, credential, true)).toEqual(ended)
  })

  it('keeps the time-out it began with', async () => {
    const { credential } = await sessionsWith({ idleTimeoutMs: 1000 }).start(alice)
    expect(await outcome(sessionsWith(), credential)).toMatchObject({ idleTimeoutMs: 1000 })
    now = start + 1000
    expect(await outcome(sessionsWith(), credential)).toEqual(ended)
  })

  it('lives no longer than the account allows', async () => {
    const sessions = sessionsWith()
    const { auth } = await sessions.start({ ...alice, maxTokenAgeMs: 30_000 })
    expect(auth.expiresAt).toBe(start + 30_000)
  })

  it('ends once', async () => {
    const sessions = sessionsWith()
    const { credential, id } = await sessions.start(alice)
    expect(sessions.getId(credential)).toBe(id)
    expect(await sessions.end(id)).toBe(true)
    expect(await sessions.end(id)).toBe(false)
    expect(await outcome(sessions, credential)).toEqual(ended)
  })

  it('refuses a login whose user was revoked since it began', async () => {
    const revocations = new Revocations(clock)
    const sessions = sessionsWith({ revocations })
    revocations.noteSubject('alice', start + 1)
    await expect(sessions.start(alice, { startedAt: start })).rejects.toMatchObject({ status: 401 })
    expect(store.size).toBe(0)
  })

  it('refuses a login whose user was revoked while the store was adding', async () => {
    const revocations = new Revocations(clock)
    const slow = lateStore(store, ['add'])
    const beginning = sessionsWith({ store: slow.store, revocations }).start(alice)
    store.removeBySubject('alice')
    revocations.noteSubject('alice', start)
    slow.answerAll()
    await expect(beginning).rejects.toMatchObject({ status: 401, code: 'ERR_AUTH_INVALID_CREDENTIALS' })
    expect(store.size).toBe(0)
  })

  it('has the rights of the moment', async () => {
    let account: UserAccount | undefined = alice
    const users = {
      generation: 1,
      authenticate: async () => ({ failure: 'unknown-user' as const }),
      find: () => account,
      close() {},
    }
    const accounts = createAccounts({ users, clock })
    const sessions = sessionsWith({ accounts })
    const { credential } = await sessions.start(alice)
    account = { ...alice, isAdmin: true, roles: ['admin'] }
    users.generation++
    expect(await outcome(sessions, credential)).toMatchObject({
      auth: { isAdmin: true, roles: ['admin'], scope: 'admin' },
    })
    account = undefined
    users.generation++
    const refusal = await outcome(sessions, credential)
    expect(refusal).toEqual(ended)
    expect(refusal).toMatchObject({ cause: 'the account has ended or changed its password' })
  })

  it.each([
    ['without accounts', undefined],
    ['with accounts', 'accounts'],
  ])('takes a session that another process has begun, %s', async (_what, has) => {
    const users = {
      authenticate: async () => ({ failure: 'unknown-user' as const }),
      find: async () => alice,
      close() {},
    }
    const accounts = has === undefined ? undefined : createAccounts({ users, clock })
    const { credential, id } = await sessionsWith().start(alice)
    store.find(id)!.account = undefined
    expect(await outcome(sessionsWith({ accounts }), credential)).toMatchObject({
      auth: { subject: 'alice', roles: ['viewer'] },
    })
  })

  it('tells whose session there is, until it has timed out or was ended, and is no use of it', async () => {
    const sessions = sessionsWith()
    const { id } = await sessions.start(alice)
    now = start + 59_999
    expect(await sessions.find(id)).toMatchObject({ subject: 'alice' })
    now = start + 60_000
    expect(await sessions.find(id)).toBeUndefined()
    const other = await sessions.start(alice)
    await sessions.end(other.id)
    expect(await sessions.find(other.id)).toBeUndefined()
  })

  describe('with a parent', () => {
    const parent = createRecord('parent', { kind: 'sso', expiresAt: start + 50_000 })

    it('is good only while the parent is in the store', async () => {
      store.add(parent)
      const sessions = sessionsWith()
      const { credential } = await sessions.start(alice, { parent: parent.id })
      expect(await outcome(sessions, credential)).not.toBeInstanceOf(Error)
      store.remove(parent.id)
      expect(await outcome(sessions, credential)).toEqual(ended)
      expect(store.size).toBe(0)
    })

    it('ends with the parent, whatever its own end', async () => {
      store.add(parent)
      const sessions = sessionsWith()
      const { credential } = await sessions.start(alice, { parent: parent.id })
      now = start + 49_999
      expect(await outcome(sessions, credential)).not.toBeInstanceOf(Error)
      now = start + 50_000
      expect(await outcome(sessions, credential)).toEqual(ended)
    })

    it('is not begun below one that was revoked meanwhile', async () => {
      store.add(parent)
      const revocations = new Revocations(clock)
      const slow = lateStore(store, ['add'])
      const beginning = sessionsWith({ store: slow.store, revocations }).start(alice, { parent: parent.id })
      store.remove(parent.id)
      revocations.noteToken(parent.id)
      slow.answerAll()
      await expect(beginning).rejects.toBeInstanceOf(UnauthorizedError)
    })

    it('is refused when the parent is revoked while a late store answers', async () => {
      store.add(parent)
      const revocations = new Revocations(clock)
      const { credential } = await sessionsWith({ revocations }).start(alice, { parent: parent.id })
      const slow = lateStore(store, ['find'])
      const verifying = outcome(sessionsWith({ store: slow.store, revocations }), credential)
      await nextTurn()
      slow.answerAll()
      await nextTurn()
      store.remove(parent.id)
      revocations.noteToken(parent.id)
      slow.answerAll()
      const refusal = await verifying
      expect(refusal).toEqual(ended)
      expect(refusal).toMatchObject({ cause: 'it was revoked meanwhile' })
    })
  })

  describe('with a store that fails', () => {
    const failing = (method: keyof TokenStore): TokenStore =>
      new Proxy<TokenStore>(store, {
        get: (target, name) =>
          name === method
            ? () => Promise.reject(new StoreError('gone'))
            : (target[name as keyof TokenStore] as () => unknown).bind(target),
      })

    it.each(['find', 'touch'] as const)('passes the failure of %s on', async (method) => {
      const { credential } = await sessionsWith().start(alice)
      expect(await outcome(sessionsWith({ store: failing(method) }), credential)).toBeInstanceOf(StoreError)
    })

    it('refuses a session that has ended also when it cannot be removed', async () => {
      const { credential } = await sessionsWith().start(alice)
      now = start + 60_000
      expect(await outcome(sessionsWith({ store: failing('remove') }), credential)).toEqual(ended)
    })

    it('does not say that a session has ended when that is not known', async () => {
      const { id } = await sessionsWith().start(alice)
      await expect(sessionsWith({ store: failing('remove') }).end(id)).rejects.toBeInstanceOf(StoreError)
      await expect(sessionsWith({ store: failing('find') }).find(id)).rejects.toBeInstanceOf(StoreError)
    })
  })

  // Covers: D13
  it.each([
    ['a store that answers at once', undefined],
    ['a store whose look-ups are late', ['find']],
    ['a store whose notes of access are late', ['touch']],
    ['a store that is late with everything', ['find', 'touch', 'remove', 'add']],
  ])('brings no session back to life with 200 requests and a logout in the middle, with %s', async (_what, late) => {
    const slow = lateStore(store, late ?? [])
    const sessions = sessionsWith({ store: slow.store })
    const begun = sessions.start(alice)
    await slow.settle(begun)
    const { credential, id } = await begun

    const requests: Promise<unknown>[] = []
    for (let number = 0; number < 100; number++) requests.push(outcome(sessions, credential))
    const ending = sessions.end(id)
    for (let number = 0; number < 100; number++) requests.push(outcome(sessions, credential))
    await slow.settle(Promise.all([...requests, ending]))

    expect(await slow.settle(outcome(sessions, credential))).toEqual(ended)
    expect(store.find(id)).toBeUndefined()
    expect(store.size).toBe(0)
    const outcomes = await Promise.all(requests)
    // A store that answers at once has answered the first hundred before the logout; a late one answers everybody after it.
    const refused = late === undefined ? outcomes.slice(100) : outcomes
    expect(refused.filter((result) => !(result instanceof UnauthorizedError))).toEqual([])
  })
})

/** A store over another one that keeps the answers of some methods back until they are asked for. */
function lateStore(inner: TokenStore, late: readonly string[]) {
  let waiting: (() => void)[] = []
  const answerAll = (): void => {
    const due = waiting
    waiting = []
    for (const answer of due) answer()
  }
  const store = new Proxy<TokenStore>(inner, {
    get(target, name) {
      const method = (target[name as keyof TokenStore] as (...values: unknown[]) => unknown).bind(target)
      if (!late.includes(String(name))) return method
      return (...values: unknown[]) => {
        const result = method(...values)
        return new Promise((resolve) => void waiting.push(() => resolve(copyOf(result))))
      }
    },
  })
  return {
    store,
    answerAll,
    /** Answers until a promise has settled. */
    async settle<T>(promise: Promise<T>): Promise<T> {
      let isSettled = false
      void promise
        .catch(() => undefined)
        .then(() => {
          isSettled = true
        })
      while (!isSettled) {
        answerAll()
        await nextTurn()
      }
      return promise
    },
  }
}

/** What was found is what was there at that moment, as it comes from another process. */
function copyOf(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return result
  const { id, kind, audience, parent, subject, roles, isAdmin, accountVersion } = result as TokenRecord
  const { scope, issuedAt, expiresAt, idleTimeoutMs, lastAccessAt, address, account } = result as TokenRecord
  const identity = { id, kind, audience, parent, subject, roles, isAdmin, accountVersion, scope, address, account }
  return { ...identity, issuedAt, expiresAt, idleTimeoutMs, lastAccessAt }
}
