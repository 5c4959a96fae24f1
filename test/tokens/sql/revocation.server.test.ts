import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { onEachEngine } from '../../helpers/each-engine.js'
import { createRecord } from '../../helpers/redis-store.js'
import { newPrefix, openSqlStore } from '../../helpers/sql-store.js'

onEachEngine((engine) => {
  describe('a revocation', () => {
    it('of all tokens of a user ends every one of thousands, in every pool', async () => {
      const { store, link } = await openSqlStore(engine(), { keyPrefix: newPrefix(), maxSessions: 5000 })
      const records = [
        ...Array.from({ length: 1200 }, () => createRecord(link.now(), { kind: 'portal', audience: 'web' })),
        ...Array.from({ length: 600 }, () => createRecord(link.now(), { kind: 'oauth', audience: 'api' })),
        createRecord(link.now()),
      ]
      const other = createRecord(link.now(), { subject: 'bob' })
      await store.add(other)
      for (let start = 0; start < records.length; start += 300) {
        await Promise.all(records.slice(start, start + 300).map((record) => store.add(record)))
      }
      expect(await store.removeBySubject('alice')).toBe(records.length)
      expect(await store.list({ subject: 'alice' })).toEqual([])
      expect(await store.find(other.id)).toBeDefined()
    })

    it.each([
      ['NUL', 'al\0ice'],
      ['half of a character', 'al\ud800ice'],
      ['quotes', '"alice'],
    ])('of a user whose name has %s is told to the other processes', async (_name, subject) => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      const told: (string | undefined)[] = []
      second.store.onAccountChange((changed) => told.push(changed))
      expect(await first.store.removeBySubject(subject)).toBe(0)
      await first.store.publishAccountChange(subject)
      await second.link.lookUp()
      expect(told).toContain(subject)
    })

    it('refuses a login that began before it on another process, and no later one', async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      const startedAt = second.link.now() + 1
      await expect.poll(() => second.link.now()).toBeGreaterThan(startedAt)
      await first.store.removeBySubject('alice')
      expect(await second.store.add(createRecord(second.link.now()), { startedAt })).toBe('revoked')
      expect(await second.store.add(createRecord(second.link.now(), { subject: 'bob' }), { startedAt })).toBe(true)
      const next = createRecord(second.link.now())
      // The process that was told of nothing goes by the clock, whose error it knows.
      await delay(150 + 2 * second.link.clockErrorMs)
      expect(await second.store.add(next, { startedAt: second.link.now() })).toBe(true)
      // And never by the clock alone: what it began before is refused still.
      expect(await second.store.add(createRecord(second.link.now()), { startedAt })).toBe('revoked')
    })

    it('is never overtaken by one of many logins under way at two processes', async () => {
      const keyPrefix = newPrefix()
      const stores = [await openSqlStore(engine(), { keyPrefix }), await openSqlStore(engine(), { keyPrefix })] as const
      const [first, second] = stores
      await delay(20)
      for (let round = 0; round < 10; round++) {
        const adding = Array.from({ length: 40 }, async (_, index) => {
          const { store, link } = stores[index % 2]!
          const startedAt = link.now()
          const record = createRecord(startedAt, { kind: index % 4 < 2 ? 'management' : 'portal' })
          await delay(Math.random() * 20)
          return { record, startedAt, outcome: await store.add(record, { startedAt }) }
        })
        await delay(5)
        await first.store.removeBySubject('alice')
        const revokedBy = first.link.now()
        for (const { record, startedAt, outcome } of await Promise.all(adding)) {
          expect(startedAt).toBeLessThanOrEqual(revokedBy)
          expect([true, 'revoked']).toContain(outcome)
          expect(await second.store.find(record.id)).toBeUndefined()
        }
      }
    })

    it('of one token holds against a login that continues it', async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      await delay(20)
      for (let round = 0; round < 20; round++) {
        const record = createRecord(first.link.now(), { kind: 'sso' })
        await first.store.add(record)
        const startedAt = second.link.now()
        const [outcome, wasThere] = await Promise.all([
          second.store.add({ ...record, roles: [`round ${round}`] }, { startedAt, mustExist: true }),
          first.store.remove(record.id),
        ])
        expect(wasThere).toBe(true)
        expect([true, 'revoked']).toContain(outcome)
        expect(await second.store.find(record.id)).toBeUndefined()
      }
    })

    it('tells the other process of changed rights with its next look-up, or within seconds', async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      const heard: (string | undefined)[] = []
      second.store.onAccountChange((subject) => void heard.push(subject))
      await first.store.publishAccountChange('alice')
      await first.store.publishAccountChange()
      await second.store.find(createRecord(0).id)
      expect(heard).toEqual(['alice', undefined])
      await first.store.removeBySubject('bob')
      await second.store.assertCurrent()
      expect(heard).toEqual(['alice', undefined, 'bob'])
      await first.store.publishAccountChange('carol')
      await expect.poll(() => heard.at(-1), { timeout: 10_000 }).toBe('carol')
    })

    it('tells that the rights of all may have changed where entries of the log are missing', async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      const heard: (string | undefined)[] = []
      second.store.onAccountChange((subject) => void heard.push(subject))
      await first.store.publishAccountChange('alice')
      await engine().run(`DELETE FROM sallyport_change WHERE prefix = '${keyPrefix}'`)
      await second.store.assertCurrent()
      expect(heard).toEqual([undefined])
    })

    it('is executed again on an older copy of the data, with that of a user, and ends no token of after it', async () => {
      const keyPrefix = newPrefix()
      const { store, link } = await openSqlStore(engine(), { keyPrefix })
      const other = await openSqlStore(engine(), { keyPrefix })
      const revoked = createRecord(link.now(), { subject: 'carol' })
      const ended = [createRecord(link.now()), createRecord(link.now(), { kind: 'portal', audience: 'web' })]
      const kept = createRecord(link.now(), { subject: 'bob' })
      for (const record of [revoked, ...ended, kept]) await store.add(record)
      for (const table of ['token', 'lock', 'change', 'revocation']) {
        await engine().run(
          `CREATE TABLE kept_${table} AS SELECT * FROM sallyport_${table} WHERE prefix = '${keyPrefix}'`,
        )
      }
      await store.remove(revoked.id)
      await store.removeBySubject('alice')
      for (const table of ['token', 'lock', 'change', 'revocation']) {
        await engine().run(`DELETE FROM sallyport_${table} WHERE prefix = '${keyPrefix}'`)
        await engine().run(`INSERT INTO sallyport_${table} SELECT * FROM kept_${table}`)
        await engine().run(`DROP TABLE kept_${table}`)
      }
      for (const { id } of [revoked, ...ended]) {
        await expect.poll(() => store.find(id), { timeout: 10_000 }).toBeUndefined()
        await expect.poll(() => other.store.find(id), { timeout: 10_000 }).toBeUndefined()
      }
      expect(await other.store.find(kept.id)).toBeDefined()
      const next = createRecord(link.now())
      await expect.poll(() => store.add(next, { startedAt: link.now() }), { timeout: 10_000 }).toBe(true)
      expect(await other.store.find(next.id)).toBeDefined()
    })
  })

  describe('the sizes of the store', () => {
    it('hold while two processes add at once', async () => {
      const limits = { keyPrefix: newPrefix(), maxSize: 20, maxPerUser: 3, maxSessions: 15 }
      const stores = [await openSqlStore(engine(), limits), await openSqlStore(engine(), limits)]
      const adding = Array.from({ length: 400 }, (_, index) => {
        const { store, link } = stores[index % 2]!
        const kind = index % 4 < 2 ? ('management' as const) : ('portal' as const)
        return store.add(createRecord(link.now(), { kind, subject: `user ${index % 11}` }))
      })
      expect(await Promise.all(adding)).toEqual(adding.map(() => true))
      const list = await stores[0]!.store.list({ kind: 'management', limit: 1000 })
      expect(list).toHaveLength(20)
      for (let user = 0; user < 11; user++) {
        expect(list.filter(({ subject }) => subject === `user ${user}`).length).toBeLessThanOrEqual(3)
      }
      expect(await stores[1]!.store.list({ kind: 'portal', limit: 1000 })).toHaveLength(15)
    })

    it('hold where nothing is evicted', async () => {
      const limits = { keyPrefix: newPrefix(), maxSize: 20, removeOldestOnOverflow: false }
      const stores = [await openSqlStore(engine(), limits), await openSqlStore(engine(), limits)]
      const adding = Array.from({ length: 100 }, (_, index) => {
        const { store, link } = stores[index % 2]!
        return store.add(createRecord(link.now(), { subject: `user ${index}` }))
      })
      expect((await Promise.all(adding)).filter(Boolean)).toHaveLength(20)
    })

    it('hold after tokens have ended and were removed, and what has ended is cleaned up', async () => {
      const keyPrefix = newPrefix()
      const { store, link } = await openSqlStore(engine(), { keyPrefix, maxSize: 5, cleanUpIntervalMs: 50 })
      const evicted: string[] = []
      const other = await openSqlStore(engine(), { keyPrefix, maxSize: 5, onEvict: ({ id }) => void evicted.push(id) })
      for (let count = 0; count < 5; count++) {
        await store.add(createRecord(link.now(), { expiresAt: link.now() + 100, subject: `user ${count}` }))
      }
      await delay(200)
      const records = Array.from({ length: 6 }, (_, index) => createRecord(link.now(), { subject: `user ${index}` }))
      for (const record of records.slice(0, 5)) expect(await other.store.add(record)).toBe(true)
      expect(evicted).toEqual([])
      await other.store.add(records[5]!)
      await expect.poll(() => evicted).toEqual([records[0]!.id])
      const count = async (): Promise<number> => {
        const sql = `SELECT COUNT(*) AS count FROM sallyport_token WHERE prefix = '${keyPrefix}'`
        return Number((await engine().run(sql))[0]!['count'])
      }
      await expect.poll(count, { timeout: 10_000 }).toBe(5)
    })
  })

  describe('a session', () => {
    it('does not end at one process while it is used at another, which notes that once in an interval', async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      const idleTimeoutMs = 5000
      const record = createRecord(first.link.now(), { kind: 'portal', audience: 'web', idleTimeoutMs })
      await first.store.add(record)
      const endsAt = performance.now() + 1.4 * idleTimeoutMs
      while (performance.now() < endsAt) {
        expect(await second.store.find(record.id)).toBeDefined()
        second.store.touch(record.id, second.link.now())
        await delay(100)
      }
      const found = await first.store.find(record.id)
      expect(first.link.now()).toBeLessThan(found!.lastAccessAt + idleTimeoutMs)
      expect((await first.store.list({ kind: 'portal' })).map(({ id }) => id)).toEqual([record.id])
      await delay(idleTimeoutMs)
      await expect.poll(() => second.store.list({ kind: 'portal' }), { timeout: 20_000 }).toEqual([])
      const idle = await first.store.find(record.id)
      expect(idle === undefined || first.link.now() >= idle.lastAccessAt + idleTimeoutMs).toBe(true)
    })
  })
})
