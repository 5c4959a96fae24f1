/**
 * What every token store has to do with sessions, which end when they are idle, and with their parents.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { TokenRecord } from '../tokens/token-store.js'
import { createRecord, idsFor, start } from './contract-stage.js'
import type { DefineTest } from './token-store-contract.js'

/** Defines the tests. */
export function sessionContract(it: DefineTest): void {
  /** Ends a minute after its last use, and after ten in any case. */
  const findSession = (name: string, fields: Partial<TokenRecord> = {}): TokenRecord =>
    createRecord(name, {
      kind: 'portal',
      audience: 'publisher',
      expiresAt: start + 600_000,
      idleTimeoutMs: 60_000,
      ...fields,
    })
  const { id } = findSession('a')

  it('keeps what a token does not have', async (stage) => {
    const record = findSession('a', { parent: createRecord('p').id })
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
      await stage.store.add(findSession('a'))
      stage.now = start + passed
      equal((await stage.idsFrom()).length, count)
      equal((await stage.idsFrom({ kind: 'portal' })).length, count)
      equal((await stage.idsFrom({ subject: 'alice' })).length, count)
    })
  }

  it('counts idle time from its last use', async (stage) => {
    await stage.store.add(findSession('a'))
    await stage.store.touch(id, start + 59_000)
    stage.now = start + 118_000
    deepEqual(await stage.idsFrom(), [id])
    stage.now = start + 120_000
    deepEqual(await stage.idsFrom(), [])
  })

  it('lets no use put off its absolute end', async (stage) => {
    await stage.store.add(findSession('a'))
    for (let minutes = 1; minutes <= 20; minutes++) await stage.store.touch(id, start + minutes * 30_000)
    stage.now = start + 599_999
    deepEqual(await stage.idsFrom(), [id])
    stage.now = start + 600_000
    deepEqual(await stage.idsFrom(), [])
  })

  it('does not come back to life by a use after it was idle for too long', async (stage) => {
    await stage.store.add(findSession('a'))
    await stage.store.touch(id, start + 60_000)
    stage.now = start + 60_001
    deepEqual(await stage.idsFrom(), [])
    equal((await stage.store.find(id))?.lastAccessAt ?? start, start)
  })

  it('does not list what lost its parent, or whose parent has ended', async (stage) => {
    const parent = createRecord('p', { kind: 'sso', expiresAt: start + 5000 })
    await stage.store.add(parent)
    await stage.store.add(findSession('a', { parent: parent.id }))
    await stage.store.add(findSession('b', { parent: createRecord('never there').id }))
    deepEqual(await stage.idsFrom({ kind: 'portal' }), [id])
    stage.now = start + 5000
    deepEqual(await stage.idsFrom(), [])
    stage.now = start
    await stage.store.remove(parent.id)
    deepEqual(await stage.idsFrom(), [])
  })

  it('evicts no token of another kind, and is evicted by none', async (stage) => {
    await stage.startStore({ maxSize: 2, maxSessions: 2 })
    for (const name of ['a', 'b']) await stage.store.add(findSession(name))
    for (const name of ['c', 'd', 'e']) await stage.store.add(createRecord(name))
    equal((await stage.idsFrom({ kind: 'portal' })).length, 2)
    deepEqual(await stage.idsFrom({ kind: 'management' }), idsFor('e', 'd'))
    equal((await stage.idsFrom()).length, 4)
  })

  it('is evicted for another one: first what was idle for too long', async (stage) => {
    await stage.startStore({ maxSessions: 2 })
    await stage.store.add(findSession('a', { subject: 'a' }))
    await stage.store.add(findSession('b', { subject: 'b', idleTimeoutMs: 5000 }))
    await stage.store.touch(id, start + 1000)
    await stage.store.touch(findSession('b').id, start + 2000)
    stage.now = start + 7000
    equal(await stage.store.add(findSession('c', { subject: 'c', lastAccessAt: stage.now })), true)
    deepEqual(await stage.idsFrom(), idsFor('c', 'a'))
  })

  it('is removed with everything else of its user', async (stage) => {
    await stage.store.add(findSession('a'))
    await stage.store.add(createRecord('b', { kind: 'sso' }))
    await stage.store.add(createRecord('c', { kind: 'oauth', audience: 'https://api.example.com' }))
    await stage.store.add(createRecord('d'))
    equal(await stage.store.removeBySubject('alice'), 4)
    equal(await stage.store.find(id), undefined)
  })
}
