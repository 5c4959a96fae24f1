/**
 * What every token store has to do with sessions, which end when they are idle, and with their parents.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { TokenRecord } from '../tokens/token-store.js'
import { idsFor, recordOf, start } from './contract-stage.js'
import type { DefineTest } from './token-store-contract.js'

/** Defines the tests. */
export function sessionContract(it: DefineTest): void {
  /** Ends a minute after its last use, and after ten in any case. */
  const sessionOf = (name: string, fields: Partial<TokenRecord> = {}): TokenRecord =>
    recordOf(name, {
      kind: 'portal',
      audience: 'publisher',
      expiresAt: start + 600_000,
      idleTimeoutMs: 60_000,
      ...fields,
    })
  const { id } = sessionOf('a')

  it('keeps what a token does not have', async (stage) => {
    const record = sessionOf('a', { parent: recordOf('p').id })
    await stage.store.add(record)
    const found = await stage.store.find(id)
    ok(found)
    for (const field of Object.keys(record) as (keyof TokenRecord)[]) deepEqual(found?.[field], record[field], field)
  })

  for (const [title, passed, count] of [
    ['is listed a second before it was idle for too long', 59_000, 1],
    ['is not listed at the moment it was idle for too long', 60_000, 0],
    ['is not listed a second later', 61_000, 0],
  ] as const) {
    it(title, async (stage) => {
      await stage.store.add(sessionOf('a'))
      stage.now = start + passed
      equal((await stage.idsOf()).length, count)
      equal((await stage.idsOf({ kind: 'portal' })).length, count)
      equal((await stage.idsOf({ subject: 'alice' })).length, count)
    })
  }

  it('counts idle time from its last use', async (stage) => {
    await stage.store.add(sessionOf('a'))
    await stage.store.touch(id, start + 59_000)
    stage.now = start + 118_000
    deepEqual(await stage.idsOf(), [id])
    stage.now = start + 120_000
    deepEqual(await stage.idsOf(), [])
  })

  it('lets no use put off its absolute end', async (stage) => {
    await stage.store.add(sessionOf('a'))
    for (let minutes = 1; minutes <= 20; minutes++) await stage.store.touch(id, start + minutes * 30_000)
    stage.now = start + 599_999
    deepEqual(await stage.idsOf(), [id])
    stage.now = start + 600_000
    deepEqual(await stage.idsOf(), [])
  })

  it('does not come back to life by a use after it was idle for too long', async (stage) => {
    await stage.store.add(sessionOf('a'))
    await stage.store.touch(id, start + 60_000)
    stage.now = start + 60_001
    deepEqual(await stage.idsOf(), [])
    equal((await stage.store.find(id))?.lastAccessAt ?? start, start)
  })

  it('does not list what lost its parent, or whose parent has ended', async (stage) => {
    const parent = recordOf('p', { kind: 'sso', expiresAt: start + 5000 })
    await stage.store.add(parent)
    await stage.store.add(sessionOf('a', { parent: parent.id }))
    await stage.store.add(sessionOf('b', { parent: recordOf('never there').id }))
    deepEqual(await stage.idsOf({ kind: 'portal' }), [id])
    stage.now = start + 5000
    deepEqual(await stage.idsOf(), [])
    stage.now = start
    await stage.store.remove(parent.id)
    deepEqual(await stage.idsOf(), [])
  })

  it('puts out no token of another kind, and is put out by none', async (stage) => {
    await stage.startStore({ maxSize: 2, maxSessions: 2 })
    for (const name of ['a', 'b']) await stage.store.add(sessionOf(name))
    for (const name of ['c', 'd', 'e']) await stage.store.add(recordOf(name))
    equal((await stage.idsOf({ kind: 'portal' })).length, 2)
    deepEqual(await stage.idsOf({ kind: 'management' }), idsFor('e', 'd'))
    equal((await stage.idsOf()).length, 4)
  })

  it('makes room for another one: first the one that was idle for too long', async (stage) => {
    await stage.startStore({ maxSessions: 2 })
    await stage.store.add(sessionOf('a', { subject: 'a' }))
    await stage.store.add(sessionOf('b', { subject: 'b', idleTimeoutMs: 5000 }))
    await stage.store.touch(id, start + 1000)
    await stage.store.touch(sessionOf('b').id, start + 2000)
    stage.now = start + 7000
    equal(await stage.store.add(sessionOf('c', { subject: 'c', lastAccessAt: stage.now })), true)
    deepEqual(await stage.idsOf(), idsFor('c', 'a'))
  })

  it('is removed with everything else of its user', async (stage) => {
    await stage.store.add(sessionOf('a'))
    await stage.store.add(recordOf('b', { kind: 'sso' }))
    await stage.store.add(recordOf('c', { kind: 'oauth', audience: 'https://api.example.com' }))
    await stage.store.add(recordOf('d'))
    equal(await stage.store.removeAllOf('alice'), 4)
    equal(await stage.store.find(id), undefined)
  })
}
