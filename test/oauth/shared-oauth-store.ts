/** What every store of the authorization server does that processes share. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { OauthStore, OauthStoreOptions } from '../../lib/oauth/oauth-store.js'
import { createRecord } from '../../lib/testing.js'
import type { TokenRecord } from '../../lib/tokens/token-store.js'
import { entry, idFor, oauthStoreContract } from './oauth-store-contract.js'

type StoreOptions = Omit<OauthStoreOptions, 'clock'> & { readonly clock?: (() => number) | undefined }

/** The stores of one process, over a link of its own. */
export interface OauthProcess {
  readonly store: OauthStore
  addToken(record: TokenRecord): Promise<unknown>
  hasToken(id: string): Promise<boolean>
  close(): Promise<void>
}

/** A server under test. */
export interface OauthServer {
  connect(options: StoreOptions, keyPrefix: string): Promise<OauthProcess>
  /** What is kept below a prefix: the key of each entry. */
  keysBelow(keyPrefix: string): Promise<readonly string[]>
  stop(): Promise<void>
}

let count = 0

/** Defines the tests, and those that `more` defines with two processes. */
export function sharedOauthStore(
  start: () => Promise<OauthServer>,
  more: (pair: (maxEntries?: number) => Promise<OauthPair>) => void,
): void {
  let server: OauthServer

  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  async function connect(options: StoreOptions, keyPrefix = `oauth-${count++}`): Promise<OauthProcess> {
    const process = await server.connect(options, keyPrefix)
    onTestFinished(() => process.close())
    return process
  }

  async function pair(maxEntries = 10): Promise<OauthPair> {
    const keyPrefix = `oauth-${count++}`
    const options = { maxEntries, clock: Date.now, onEvict() {} }
    const processes = [await connect(options, keyPrefix), await connect(options, keyPrefix)] as const
    const [a, b] = [processes[0].store, processes[1].store]
    return { processes, a, b, keyPrefix, stage: { store: a, evicted: [], now: Date.now, pass() {} } }
  }

  describe('one store', () => {
    oauthStoreContract(async (options) => (await connect(options)).store)
  })

  describe('two processes', () => {
    it('give one of 100 exchanges of a code at a time', async () => {
      const { a, b, stage } = await pair()
      await a.put(entry(stage, 'Grant', 'grant'))
      await a.put(entry(stage, 'AuthorizationCode', 'code'))
      const uses = Array.from({ length: 50 }, () =>
        [a, b].map((store) => store.consume('AuthorizationCode', idFor('code'))),
      )
      expect((await Promise.all(uses.flat())).filter(Boolean).length).toBe(1)
    })

    it('keep their bounds together', async () => {
      const { a, b, stage } = await pair(5)
      const names = Array.from({ length: 40 }, (_, index) => `${index}`)
      await Promise.all(
        names.map((name, index) => (index % 2 === 0 ? a : b).put(entry(stage, 'Grant', name, { subject: name }))),
      )
      const found = await Promise.all(names.map((name) => a.find('Grant', name)))
      expect(found.filter(Boolean).length).toBe(5)
    })

    it('end the record of an access token in the step that ends its grant', async () => {
      const { a, b, processes, stage } = await pair()
      await a.put(entry(stage, 'Grant', 'grant'))
      const record = createRecord('token', { kind: 'oauth', issuedAt: Date.now(), expiresAt: Date.now() + 60_000 })
      await a.put(entry(stage, 'AccessToken', 'made', { grantId: 'grant' }))
      await b.rename('AccessToken', idFor('made'), record.id)
      await processes[0].addToken(record)
      expect(await processes[1].hasToken(record.id)).toBe(true)
      expect(await b.remove('Grant', 'grant')).toContainEqual({ model: 'AccessToken', id: record.id })
      expect(await processes[0].hasToken(record.id)).toBe(false)
    })

    it('change and end a grant from both sides at a time, and leave nothing of it', async () => {
      const { a, b, stage, keyPrefix } = await pair(4)
      const work = Array.from({ length: 60 }, async (_, index) => {
        const [store, other] = index % 2 === 0 ? [a, b] : [b, a]
        const grantId = `grant ${index % 6}`
        await store.put(entry(stage, 'Grant', grantId))
        await store.put(entry(stage, 'AccessToken', `token ${index}`, { grantId }))
        await other.put(entry(stage, 'RefreshToken', `refresh ${index}`, { grantId }))
        await Promise.all([
          store.consume('RefreshToken', idFor(`refresh ${index}`)),
          other.find('RefreshToken', idFor(`refresh ${index}`)),
          other.rename('AccessToken', idFor(`token ${index}`), idFor(`renamed ${index}`)),
          store.removeMembers(grantId),
        ])
      })
      await Promise.all(work)
      await Promise.all(Array.from({ length: 6 }, (_, index) => a.remove('Grant', `grant ${index}`)))
      expect((await server.keysBelow(keyPrefix)).filter((key) => !key.endsWith('uses'))).toEqual([])
    })

    it('leave nothing behind of what has ended but what is bounded', async () => {
      const { a, b, stage, keyPrefix } = await pair()
      for (let index = 0; index < 5; index++) {
        const grantId = `grant ${index}`
        await a.put(entry(stage, 'Grant', grantId))
        for (const model of ['AccessToken', 'AuthorizationCode', 'RefreshToken'] as const) {
          await b.put(entry(stage, model, `${model} ${index}`, { grantId }))
        }
        await a.put(entry(stage, 'Session', `session ${index}`))
        await b.remove('Grant', grantId)
        await b.remove('Session', idFor(`session ${index}`))
      }
      expect((await server.keysBelow(keyPrefix)).filter((key) => !key.endsWith('uses'))).toEqual([])
    })

    it('have no text of a user or a client in a key', async () => {
      const { a, b, stage, keyPrefix } = await pair()
      await a.put(entry(stage, 'Grant', 'the-grant', { subject: 'a-subject' }))
      await a.put(entry(stage, 'RefreshToken', 'r', { grantId: 'the-grant' }))
      await b.put(entry(stage, 'Session', 's', { payload: { uid: 'the-name' } }))
      const keys = await server.keysBelow(keyPrefix)
      expect(keys.length).toBeGreaterThanOrEqual(3)
      expect(keys.join()).not.toMatch(/the-grant|a-subject|the-name/)
    })

    it('reject with StoreError while the server is away, and admit nothing', async () => {
      const { a, stage, processes } = await pair()
      await a.put(entry(stage, 'Grant', 'grant'))
      await processes[0].close()
      for (const work of [
        () => a.find('Grant', 'grant'),
        () => a.findSession('name'),
        () => a.put(entry(stage, 'Session', 's')),
        () => a.put(entry(stage, 'RefreshToken', 'r')),
        () => a.rename('AccessToken', idFor('from'), idFor('to')),
        () => a.consume('AuthorizationCode', idFor('code')),
        () => a.remove('Grant', 'grant'),
        () => a.removeMembers('grant'),
      ]) {
        await expect(work()).rejects.toMatchObject({ name: 'StoreError' })
      }
    })

    more(pair)
  })
}

/** Two stores over the same data, each with a link of its own. */
export interface OauthPair {
  readonly processes: readonly [OauthProcess, OauthProcess]
  readonly a: OauthStore
  readonly b: OauthStore
  readonly keyPrefix: string
  readonly stage: Parameters<typeof entry>[0]
}
