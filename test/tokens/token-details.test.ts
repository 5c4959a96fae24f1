/** Small things of tokens that nothing else would notice: lives, reasons for the log, what events and lists say. */

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SecurityEvents } from '../../lib/core/events.js'
import { createKeyRing, type KeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { Revocations } from '../../lib/tokens/revocations.js'
import { createTokens, type Tokens, type TokensOptions } from '../../lib/tokens/tokens.js'
import type { UserAccount } from '../../lib/users/user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'

const start = Date.UTC(2026, 0, 1)
const alice: UserAccount = { subject: 'alice', roles: ['operator'], isAdmin: false, version: '1' }

let keys: KeyRing
let now = start
const clock = (): number => now

beforeAll(async () => {
  keys = await createKeyRing({ algorithm: 'EdDSA' })
})

beforeEach(() => {
  now = start
})

function tokensWith(options: Partial<TokensOptions> = {}): Tokens {
  const store = new MemoryTokenStore({ clock })
  const names = { issuer: 'urn:sallyport:management', audience: 'management-api' }
  return createTokens({ store, keys, expiryMs: 60_000, clock, ...names, ...options })
}

async function reasonOf(work: () => unknown): Promise<unknown> {
  const error: unknown = await (async () => work())().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ status: 401, code: 'ERR_TOKEN_INVALID' })
  return (error as Error).cause
}

describe('the life of a token', () => {
  it.each([
    [undefined, 60],
    [30, 30],
    [90, 60],
  ])('of an account whose tokens live %s seconds at the most is %i seconds', async (maxAge, seconds) => {
    const tokens = tokensWith()
    const { token, expiresAt } = await tokens.issue({ ...alice, maxTokenAgeMs: maxAge && maxAge * 1000 })
    expect(expiresAt).toBe(start + seconds * 1000)
    const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, number>
    expect([iat, exp]).toEqual([start / 1000, start / 1000 + seconds])
  })

  it.each([
    [30, '30'],
    [3600, '60'],
  ])('of %i seconds makes who finds the store full come back after %s', async (expiry, seconds) => {
    const store = new MemoryTokenStore({ clock, maxSize: 1, removeOldestOnOverflow: false })
    const tokens = tokensWith({ store, expiryMs: expiry * 1000 })
    await tokens.issue(alice)
    await expect(tokens.issue(alice)).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': seconds } })
  })
})

describe('the reason in the log', () => {
  it('tells why a token is refused', async () => {
    const tokens = tokensWith()
    const { token } = await tokens.issue(alice)
    expect(await reasonOf(() => tokens.verify('x'.repeat(8193)))).toMatch(/is too long$/)
    expect(await reasonOf(() => tokens.verify('x'.repeat(8192)))).toMatch(/is not in the store$/)
    now += 60_000
    expect(await reasonOf(() => tokens.verify(token))).toMatch(/has expired$/)
  })

  it('tells that a record is not that of its token', async () => {
    const store = new MemoryTokenStore({ clock })
    const tokens = tokensWith({ store })
    const { token, id } = await tokens.issue(alice)
    const record = store.find(id)!
    const { kind, isAdmin, accountVersion, scope, roles, issuedAt, expiresAt, lastAccessAt, address } = record
    const copy = { id, kind, isAdmin, accountVersion, scope, roles, issuedAt, expiresAt, lastAccessAt, address }
    store.add({ ...record, ...copy, subject: 'root', account: undefined })
    expect(await reasonOf(() => tokens.verify(token))).toMatch(/of different users$/)
  })

  it('tells of a login that was overtaken nothing but that it failed', async () => {
    const tokens = tokensWith()
    await tokens.revokeUser('alice')
    await expect(tokens.issue(alice, { startedAt: start - 1 })).rejects.toMatchObject({
      message: 'Invalid user name or password.',
    })
  })
})

it('a login that was overtaken puts nobody out', async () => {
  const evicted: string[] = []
  const store = new MemoryTokenStore({ clock, maxSize: 1, onEvict: ({ subject }) => void evicted.push(subject) })
  const tokens = tokensWith({ store })
  const { token } = await tokens.issue({ ...alice, subject: 'bob' })
  await tokens.revokeUser('alice')
  await expect(tokens.issue(alice, { startedAt: start - 1 })).rejects.toMatchObject({ status: 401 })
  expect(evicted).toEqual([])
  expect(await tokens.verify(token)).toMatchObject({ subject: 'bob' })
})

it('a revocation of a user is an event, and a list shows what a record holds', async () => {
  const events = new SecurityEvents(recordedLog().logger)
  const seen: unknown[] = []
  events.on('revocation', (event) => void seen.push(event))
  const tokens = tokensWith({ events })
  const { id, expiresAt } = await tokens.issue(alice, { address: '192.0.2.7' })
  expect(await tokens.list()).toMatchObject([
    {
      id,
      kind: 'management',
      subject: 'alice',
      scope: 'default',
      issuedAt: start,
      expiresAt,
      lastAccessAt: start,
      address: '192.0.2.7',
    },
  ])
  expect(await tokens.revokeUser('alice')).toBe(1)
  expect(seen).toEqual([{ at: start, subject: 'alice', count: 1 }])
})

describe('revocations', () => {
  it('keep the later of two moments, whichever is noted first', () => {
    const revocations = new Revocations(clock)
    revocations.noteSubject('alice', 100)
    revocations.noteSubject('alice', 50)
    expect([49, 99, 100].map((moment) => revocations.happenedAfter(moment, 'alice'))).toEqual([true, true, false])
    expect(revocations.happenedAfter(49, 'bob')).toBe(false)
  })

  it('concern only whom they name', () => {
    const revocations = new Revocations(clock)
    const record = (id: string, subject: string) => ({ id, subject, parent: undefined })
    const { sequence } = revocations
    revocations.noteToken('one')
    revocations.noteSubject('alice', now)
    expect(revocations.happenedSince(sequence, record('one', 'bob'))).toBe(true)
    expect(revocations.happenedSince(sequence, record('two', 'alice'))).toBe(true)
    expect(revocations.happenedSince(sequence, record('two', 'bob'))).toBe(false)
    expect(revocations.happenedSince(revocations.sequence, record('one', 'alice'))).toBe(false)
  })
})
