import { describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore, type MemoryTokenStoreOptions } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { attacksOf } from '../helpers/attack-request.js'
import { bearer, document, type Front, fileUser, fileUsers, startFront, users } from '../helpers/front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { type SetUp, twoSetUps } from '../helpers/set-ups.js'
import { respell } from '../tokens/corpus-token.js'

const start = Date.parse('2026-03-01T12:00:00Z')
const hour = 3_600_000

/** Other texts that decode to the same signature, or nearly so. */
const variantsOf = (token: string): readonly string[] =>
  ['trail-bits', 'trail-bits-2', 'pad1', 'pad2', 'star-tail'].map((variant) => {
    const [header, payload, signature] = token.split('.') as [string, string, string]
    return `${header}.${payload}.${respell(signature, variant)}`
  })

const use = (front: Front, token: string, path = '/whoami'): Promise<RawAnswer> =>
  front.call('GET', path, [bearer(token)])
const logOut = (front: Front, token: string): Promise<RawAnswer> => front.call('GET', '/logout', [bearer(token)])

function expectInvalidToken(answer: RawAnswer): void {
  expect(answer.status).toBe(401)
  expect(answer.header('www-authenticate')).toContain('error="invalid_token"')
}

/** A store that several processes share: what comes out of it is a copy, without what one process knows of the account. */
class SharedStore extends MemoryTokenStore {
  override find(id: string): TokenRecord | undefined {
    const found = super.find(id)
    return found === undefined ? undefined : { ...copyOf(found), account: undefined }
  }
}

/** Field by field: those of an entry are getters, which a spread leaves out. */
function copyOf(record: TokenRecord): TokenRecord {
  const { id, kind, subject, roles, isAdmin, accountVersion, scope, address } = record
  const { audience, parent, idleTimeoutMs, issuedAt, expiresAt, lastAccessAt } = record
  const bounds = { audience, parent, idleTimeoutMs, issuedAt, expiresAt, lastAccessAt }
  return { id, kind, subject, roles, isAdmin, accountVersion, scope, address, ...bounds }
}

const sharing = (tokenStore: TokenStore, changes: Parameters<typeof document>[0] = {}) => ({
  source: document(changes),
  options: { tokenStore },
})
const frontWith = (setUp: SetUp, store: MemoryTokenStoreOptions) =>
  startFront(setUp, { options: { tokenStore: new MemoryTokenStore(store) } })

const fileWith = (userList: readonly object[]): object => document({ internalApis: { users: userList } })

/** What happens in the life of a token, by the id of the corpus. Where the corpus leaves a choice, the test says it. */
const scenarios: Readonly<Record<string, (setUp: SetUp) => Promise<void>>> = {
  async 'life-revoked-variant'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login()
    await logOut(front, token)
    for (const text of [token, ...variantsOf(token)]) expectInvalidToken(await use(front, text))
    expect(front.handled).toEqual([])
  },

  // The corpus expects the canonical token to be dead; here the logout itself was refused, and its caller knows.
  async 'life-revoke-variant'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login()
    for (const text of variantsOf(token)) expectInvalidToken(await logOut(front, text))
    expect((await use(front, token)).status).toBe(200)
  },

  async 'life-revoke-twice'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login()
    expect((await logOut(front, token)).status).toBe(200)
    expectInvalidToken(await logOut(front, token))
  },

  async 'life-revoke-foreign'(setUp) {
    const front = await startFront(setUp)
    const [mine, foreign] = [await front.login(users.reader), await front.login()]
    const [{ id = '' } = {}] = await front.security.tokens.list({ subject: users.admin.name })
    const json = ['Content-Type: application/json']
    const form = `token=${foreign}&tokenId=${id}&id=${id}&subject=admin`
    const body = JSON.stringify({ token: foreign, tokenId: id, id, subject: 'admin' })
    expect((await front.call('POST', `/logout?${form}`, [bearer(mine), ...json], body)).status).toBe(200)
    expectInvalidToken(await use(front, mine))
    expect((await use(front, foreign)).status).toBe(200)
  },

  async 'life-revoke-race'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login()
    const uses = Array.from({ length: 50 }, () => use(front, token))
    const logout = logOut(front, token)
    const later = logout.then(() => Promise.all(Array.from({ length: 50 }, () => use(front, token))))
    for (const { status } of await Promise.all(uses)) expect([200, 401]).toContain(status)
    expect((await logout).status).toBe(200)
    const ran = front.handled.length
    expect((await later).map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 401))
    expect(front.handled.length).toBe(ran)
  },

  async 'life-revoke-multi-node'(setUp) {
    const store = new SharedStore()
    const [one, other] = [await startFront(setUp, sharing(store)), await startFront(setUp, sharing(store))]
    const token = await one.login()
    await logOut(one, token)
    expectInvalidToken(await use(other, token))
  },

  async 'life-user-deleted'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login(users.reader)
    await front.security.reload(fileWith(fileUsers.slice(0, 1)))
    expectInvalidToken(await use(front, token))
  },

  async 'life-user-demoted'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login()
    const { name, password } = users.admin
    await front.security.reload(
      fileWith([fileUser(name, password), fileUser('boss', 'Another-word-3', { is_admin: true })]),
    )
    const answer = await use(front, token, '/users')
    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')).toContain('error="insufficient_scope"')
    expect((await use(front, token)).status).toBe(200)
  },

  async 'life-pw-change'(setUp) {
    const front = await startFront(setUp)
    const token = await front.login(users.reader)
    await front.security.reload(fileWith([fileUsers[0]!, fileUser(users.reader.name, 'Another-word-3')]))
    expectInvalidToken(await use(front, token))
  },

  async 'life-key-rotated'(setUp) {
    const store = new SharedStore()
    const one = await startFront(setUp, sharing(store))
    const token = await one.login()
    // Another process with a key of its own: the record is there, but nothing verifies the token any more.
    expectInvalidToken(await use(await startFront(setUp, sharing(store)), token))
  },

  async 'life-store-limit'(setUp) {
    const front = await frontWith(setUp, { maxSize: 4 })
    const first = await front.login()
    const mine = await front.login(users.reader)
    const flood = []
    for (let count = 0; count < 6; count++) flood.push(await front.login())
    expectInvalidToken(await use(front, first))
    expect((await use(front, flood.at(-1)!)).status).toBe(200)
    expect((await use(front, mine)).status, 'the flood of one user put out the token of another').toBe(200)
  },

  async 'life-cleanup'(setUp) {
    let now = start
    const store = new MemoryTokenStore({ clock: () => now, cleanUpIntervalMs: 1000 })
    const front = await startFront(setUp, { options: { tokenStore: store, clock: () => now } })
    for (let count = 0; count < 20; count++) await front.login()
    expect(store.size).toBe(20)
    now += 2 * hour
    await expect.poll(() => store.size, { timeout: 20_000 }).toBe(0)
    expect(await front.security.tokens.list()).toEqual([])
  },

  async 'life-clock-back'(setUp) {
    let now = start
    const front = await startFront(setUp, { options: { clock: () => now } })
    const token = await front.login()
    now = start + hour
    expectInvalidToken(await use(front, token))
    now = start
    expectInvalidToken(await use(front, token))
  },

  async 'life-clock-fwd'(setUp) {
    let now = start
    const front = await startFront(setUp, { options: { clock: () => now } })
    const token = await front.login()
    now = start + hour - 1
    expect((await use(front, token)).status).toBe(200)
    now = start + hour
    expectInvalidToken(await use(front, token))
    expect(front.handled).toEqual(['GET /whoami'])
  },

  async 'life-concurrent-login'(setUp) {
    const front = await frontWith(setUp, { maxSize: 1000 })
    const tokens = await Promise.all(Array.from({ length: 200 }, () => front.login()))
    const ids = tokens.map((token) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).jti)
    expect(new Set(ids).size).toBe(200)
  },

  async 'life-store-down'(setUp) {
    let isDown = false
    const memory = new MemoryTokenStore()
    const tokenStore: TokenStore = Object.assign(Object.create(memory) as TokenStore, {
      add: (record: TokenRecord) => memory.add(record),
      touch: (id: string, at: number) => memory.touch(id, at),
      close: () => memory.close(),
      find: (id: string) => (isDown ? Promise.reject(new StoreError('gone')) : memory.find(id)),
    })
    const front = await startFront(setUp, { options: { tokenStore } })
    const token = await front.login()
    isDown = true
    expect((await use(front, token)).status).toBe(503)
    expect(front.handled).toEqual([])
    isDown = false
    expect((await use(front, token)).status).toBe(200)
  },
}

describe.each(twoSetUps)('in the life of a token, on $name', (setUp) => {
  it('every event of the corpus is tried', () => {
    expect(Object.keys(scenarios)).toEqual(attacksOf('lifecycle').map(({ id }) => id))
  })

  // Covers: B14 B19 C06 C07 C09 C12 E06
  it.each(attacksOf('lifecycle').map(({ id, description }) => [id, description] as const))(
    '%s (%s) ends as it must',
    async (id) => scenarios[id]!(setUp),
  )
})
