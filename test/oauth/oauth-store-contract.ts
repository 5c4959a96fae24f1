/** What every store of the authorization server has to do. */

import { hash } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  type EntryModel,
  type OauthEntry,
  type OauthStore,
  type OauthStoreOptions,
  type RemovedEntry,
  usedTwiceAt,
} from '../../lib/oauth/oauth-store.js'

/** A store with a clock that stands still until the test moves it. */
export interface OauthStoreStage {
  readonly store: OauthStore
  readonly evicted: readonly RemovedEntry[]
  now(): number
  pass(ms: number): void
}

/** Puts an entry together, named by a word. */
export function entry(
  stage: OauthStoreStage,
  model: EntryModel,
  name: string,
  changes: Partial<OauthEntry> = {},
): OauthEntry {
  const isPart = model === 'AccessToken' || model === 'AuthorizationCode' || model === 'RefreshToken'
  return {
    model,
    id: model === 'Grant' ? name : idFor(name),
    subject: 'alice',
    payload: { uid: `uid of ${name}`, list: [], empty: {}, text: 'a b\n"c" \u20ac', number: 1.5 },
    expiresAt: stage.now() + 60_000,
    grantId: isPart ? 'grant' : undefined,
    ...changes,
  }
}

export function idFor(name: string): string {
  return hash('sha256', name, 'base64url')
}

const accessTokensIn = (entries: readonly RemovedEntry[]): readonly string[] =>
  entries.filter(({ model }) => model === 'AccessToken').map(({ id }) => id)

/** Defines the tests; `open` makes a store for each of them. */
export function oauthStoreContract(
  open: (
    options: Pick<OauthStoreOptions, 'clock' | 'onEvict'> & { readonly maxEntries: number },
  ) => Promise<OauthStore>,
): void {
  async function begin(maxEntries = 3): Promise<OauthStoreStage> {
    let now = Date.now()
    const evicted: RemovedEntry[] = []
    const store = await open({ maxEntries, clock: () => now, onEvict: (entries) => void evicted.push(...entries) })
    return {
      store,
      evicted,
      now: () => now,
      pass: (ms) => {
        now += ms
      },
    }
  }

  async function withGrant(maxEntries?: number): Promise<OauthStoreStage> {
    const stage = await begin(maxEntries)
    await stage.store.put(entry(stage, 'Grant', 'grant', { expiresAt: stage.now() + 600_000 }))
    return stage
  }

  it.each(['Grant', 'Session', 'Interaction', 'AccessToken', 'AuthorizationCode', 'RefreshToken'] as const)(
    'finds a %s as it was put, until its time is up',
    async (model) => {
      const stage = await withGrant()
      const put = entry(stage, model, 'one')
      await stage.store.put(put)
      expect(await stage.store.find(model, put.id)).toEqual(put)
      expect(await stage.store.find(model, idFor('two'))).toBe(undefined)
      stage.pass(59_999)
      expect(await stage.store.find(model, put.id)).toEqual(put)
      stage.pass(1)
      expect(await stage.store.find(model, put.id)).toBe(undefined)
    },
  )

  it('replaces what has the same id', async () => {
    const stage = await withGrant()
    await stage.store.put(entry(stage, 'RefreshToken', 'r'))
    for (const [model, name] of [
      ['Grant', 'grant'],
      ['Session', 's'],
    ] as const) {
      await stage.store.put(entry(stage, model, name))
      const changed = entry(stage, model, name, { payload: { uid: `uid of ${name}`, more: true }, subject: 'bob' })
      await stage.store.put(changed)
      expect(await stage.store.find(model, changed.id)).toEqual(changed)
    }
    expect(await stage.store.find('RefreshToken', idFor('r'))).toBeDefined()
  })

  it('finds a session by its name, under its newest id', async () => {
    const stage = await begin()
    const payload = { uid: 'the name' }
    const [first, second] = ['first', 'second'].map((name) => entry(stage, 'Session', name, { payload }))
    await stage.store.put(first!)
    expect(await stage.store.findSession('the name')).toEqual(first)
    await stage.store.put(second!)
    await stage.store.remove('Session', first!.id)
    expect(await stage.store.findSession('the name')).toEqual(second)
    expect(await stage.store.findSession('another')).toBe(undefined)
    await stage.store.remove('Session', second!.id)
    expect(await stage.store.findSession('the name')).toBe(undefined)
  })

  it('takes one use of a code, and knows that it was used for as long as it lives', async () => {
    const stage = await withGrant()
    const code = entry(stage, 'AuthorizationCode', 'code')
    await stage.store.put(code)
    stage.pass(5)
    const uses = await Promise.all(Array.from({ length: 50 }, () => stage.store.consume(code.model, code.id)))
    expect(uses.filter(Boolean).length).toBe(1)
    expect(await stage.store.find(code.model, code.id)).toEqual({ ...code, consumedAt: stage.now() })
    expect(await stage.store.consume(code.model, idFor('unknown'))).toBe(false)
    stage.pass(60_000)
    expect(await stage.store.find(code.model, code.id)).toBe(undefined)
  })

  it('takes one second use within its window, also of 50 at a time', async () => {
    const stage = await withGrant()
    const [token, late] = ['token', 'late'].map((name) => entry(stage, 'RefreshToken', name))
    for (const part of [token!, late!]) await stage.store.put(part)
    const again = (part: OauthEntry, windowMs = 10_000) => stage.store.consumeAgain(part.model, part.id, windowMs)
    expect(await again(token!)).toBe(false)
    for (const part of [token!, late!]) await stage.store.consume(part.model, part.id)
    stage.pass(9999)
    const uses = await Promise.all(Array.from({ length: 50 }, () => again(token!)))
    expect(uses.filter(Boolean).length).toBe(1)
    expect(await stage.store.find(token!.model, token!.id)).toEqual({ ...token!, consumedAt: usedTwiceAt })
    expect(await stage.store.consume(token!.model, token!.id)).toBe(false)
    stage.pass(1)
    expect(await again(late!)).toBe(false)
    await stage.store.remove('Grant', 'grant')
    expect(await again(late!, 30_000)).toBe(false)
  })

  it('keeps the use of what is put once more', async () => {
    const stage = await withGrant()
    const token = entry(stage, 'RefreshToken', 'token')
    await stage.store.put(token)
    await stage.store.consume(token.model, token.id)
    await stage.store.put({ ...token, payload: { more: true } })
    const found = await stage.store.find(token.model, token.id)
    expect(found).toEqual({ ...token, payload: { more: true }, consumedAt: stage.now() })
  })

  it('takes no use of what has expired', async () => {
    const stage = await withGrant()
    const code = entry(stage, 'AuthorizationCode', 'code')
    await stage.store.put(code)
    stage.pass(60_000)
    expect(await stage.store.consume(code.model, code.id)).toBe(false)
  })

  it('gives an access token its new id once', async () => {
    const stage = await withGrant()
    const token = entry(stage, 'AccessToken', 'from')
    await stage.store.put(token)
    const renames = await Promise.all([1, 2, 3].map(() => stage.store.rename('AccessToken', token.id, idFor('to'))))
    expect(renames.filter(Boolean).length).toBe(1)
    expect(await stage.store.find('AccessToken', token.id)).toBe(undefined)
    expect(await stage.store.find('AccessToken', idFor('to'))).toEqual({ ...token, id: idFor('to') })
    stage.pass(60_000)
    expect(await stage.store.rename('AccessToken', idFor('to'), token.id)).toBe(false)
  })

  it('ends what belongs to a grant with it, and takes nothing for it afterwards', async () => {
    const stage = await withGrant()
    const parts = (['AccessToken', 'AuthorizationCode', 'RefreshToken'] as const).map((model) =>
      entry(stage, model, model),
    )
    for (const part of parts) await stage.store.put(part)
    const gone = await stage.store.remove('Grant', 'grant')
    expect(gone[0]).toMatchObject({ model: 'Grant', id: 'grant' })
    expect(accessTokensIn(gone)).toEqual([idFor('AccessToken')])
    for (const part of parts) {
      expect(await stage.store.find(part.model, part.id)).toBe(undefined)
      expect(await stage.store.consume(part.model, part.id)).toBe(false)
      await stage.store.put(part)
      expect(await stage.store.find(part.model, part.id)).toBe(undefined)
    }
    expect(await stage.store.rename('AccessToken', idFor('AccessToken'), idFor('to'))).toBe(false)
    expect(await stage.store.remove('Grant', 'grant')).toEqual([])
  })

  it('removes what belongs to a grant, and leaves the grant and what belongs to others', async () => {
    const stage = await withGrant()
    await stage.store.put(entry(stage, 'Grant', 'other'))
    await stage.store.put(entry(stage, 'AccessToken', 'a'))
    await stage.store.put(entry(stage, 'RefreshToken', 'r'))
    await stage.store.put(entry(stage, 'AccessToken', 'of other', { grantId: 'other' }))
    expect(accessTokensIn(await stage.store.removeMembers('grant'))).toEqual([idFor('a')])
    expect(await stage.store.removeMembers('unknown')).toEqual([])
    expect(await stage.store.find('RefreshToken', idFor('r'))).toBe(undefined)
    expect(await stage.store.find('Grant', 'grant')).toBeDefined()
    expect(await stage.store.find('AccessToken', idFor('of other'))).toBeDefined()
    expect(accessTokensIn(await stage.store.remove('AccessToken', idFor('of other')))).toEqual([idFor('of other')])
    expect(await stage.store.find('AccessToken', idFor('of other'))).toBe(undefined)
    expect(await stage.store.find('Grant', 'other')).toBeDefined()
  })

  it('removes an access token whose grant has expired before it', async () => {
    const stage = await withGrant()
    await stage.store.put(entry(stage, 'Grant', 'grant', { expiresAt: stage.now() + 30_000 }))
    await stage.store.put(entry(stage, 'AccessToken', 'a'))
    stage.pass(30_000)
    expect(accessTokensIn(await stage.store.remove('AccessToken', idFor('a')))).toEqual([idFor('a')])
    expect(await stage.store.remove('AccessToken', idFor('a'))).toEqual([])
  })

  it('evicts the grant that was used longest ago, with what belongs to it; a look-up of a part is a use', async () => {
    const stage = await begin(2)
    for (const [name, subject] of [
      ['a', 'alice'],
      ['b', 'bob'],
    ] as const) {
      await stage.store.put(entry(stage, 'Grant', name, { subject }))
      await stage.store.put(entry(stage, 'AccessToken', `of ${name}`, { grantId: name }))
    }
    await stage.store.find('AccessToken', idFor('of a'))
    await stage.store.put(entry(stage, 'Session', 'of another model'))
    await stage.store.put(entry(stage, 'Grant', 'c', { subject: 'carol' }))
    await expect.poll(() => accessTokensIn(stage.evicted)).toEqual([idFor('of b')])
    expect(await stage.store.find('AccessToken', idFor('of b'))).toBe(undefined)
    expect(await stage.store.find('AccessToken', idFor('of a'))).toBeDefined()
    expect(await stage.store.find('Session', idFor('of another model'))).toBeDefined()
  })

  it('lets no user evict the entries of all others', async () => {
    const stage = await begin(4)
    await stage.store.put(entry(stage, 'Grant', 'of bob', { subject: 'bob' }))
    for (let count = 0; count < 10; count++) await stage.store.put(entry(stage, 'Grant', `of alice ${count}`))
    expect(await stage.store.find('Grant', 'of bob')).toBeDefined()
    const own = await Promise.all(
      Array.from({ length: 10 }, (_, count) => stage.store.find('Grant', `of alice ${count}`)),
    )
    expect(own.map(Boolean)).toEqual([...Array<boolean>(7).fill(false), true, true, true])
  })

  it('evicts what has expired before anything else', async () => {
    const stage = await begin(2)
    await stage.store.put(entry(stage, 'Grant', 'first'))
    stage.pass(30_000)
    await stage.store.put(entry(stage, 'Grant', 'second'))
    await stage.store.find('Grant', 'first')
    stage.pass(30_000)
    await stage.store.put(entry(stage, 'Grant', 'third'))
    expect(await stage.store.find('Grant', 'second')).toBeDefined()
    expect(await stage.store.find('Grant', 'third')).toBeDefined()
  })

  it('keeps 300 parts of a grant: what has expired goes first, then the oldest access token, and what was used never', async () => {
    const stage = await withGrant()
    const { store } = stage
    await store.put(entry(stage, 'RefreshToken', 'used', { expiresAt: stage.now() + 600_000 }))
    await store.consume('RefreshToken', idFor('used'))
    await store.put(entry(stage, 'RefreshToken', 'short', { expiresAt: stage.now() + 1000 }))
    for (let count = 0; count < 298; count++) await store.put(entry(stage, 'AccessToken', `${count}`))
    stage.pass(1000)
    await store.put(entry(stage, 'AccessToken', '298'))
    expect(await store.find('AccessToken', idFor('0'))).toBeDefined()
    await store.put(entry(stage, 'AccessToken', '299'))
    expect(await store.find('AccessToken', idFor('0'))).toBe(undefined)
    expect(await store.find('AccessToken', idFor('1'))).toBeDefined()
    await expect.poll(() => accessTokensIn(stage.evicted)).toEqual([idFor('0')])
    expect(await store.consume('RefreshToken', idFor('used'))).toBe(false)
    expect(await store.find('RefreshToken', idFor('used'))).toMatchObject({ consumedAt: expect.any(Number) })
  })

  it('ends a grant that has nothing left but used refresh tokens, rather than forget one', async () => {
    const stage = await withGrant()
    for (let count = 0; count <= 300; count++) {
      expect(await stage.store.find('Grant', 'grant')).toBeDefined()
      await stage.store.put(entry(stage, 'RefreshToken', `${count}`))
    }
    expect(await stage.store.find('Grant', 'grant')).toBe(undefined)
    expect(await stage.store.find('RefreshToken', idFor('300'))).toBe(undefined)
  })
}
