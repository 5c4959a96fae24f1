/** What a store does while its database is down, slow or cut off, whichever the server is. */

import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { openSqlDatabase, type SqlDatabaseOptions } from '../../../lib/sql/open-sql-database.js'
import { isSqlError, type SqlDatabase } from '../../../lib/sql/sql-database.js'
import { type SqlUserStore, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import type { DatabaseServer } from '../../helpers/database-server.js'
import { holdProcess, resumeProcess } from '../../helpers/hold-process.js'

/** A server under test, with WSO2's tables and the users of the contract in a database. */
export interface FaultySetting {
  readonly server: DatabaseServer
  readonly datasource: SqlDatabaseOptions
  /** Connections of clients to the database. */
  readonly backends: () => Promise<readonly number[]>
  /** Processes of the server, so that all of it can be held. */
  readonly processes: () => Promise<readonly number[]>
  /** Cuts one of them off, from the side of the server. */
  readonly cutOff: (backend: number) => Promise<unknown>
  /** Holds a lock on the table of users until the function it gives is called. */
  readonly lockUsers: () => Promise<() => Promise<void>>
  /** Lets every write to the table of users fail as on a disk without room, until the function it gives is called. */
  readonly fillDisk: () => Promise<() => Promise<unknown>>
}

/**
 * Milliseconds that a statement may take here, and connecting. Each test that holds the server waits so long; a machine
 * that is busy must still do in it what is expected to be good.
 */
const timeoutMs = 5000
const connectTimeoutMs = 3000

/** Ends a wait for what comes by itself. It is far from how long that takes, so that a busy machine fails no test. */
const patienceMs = 60_000

/** Runs the suite. `restore` puts the users of the contract back. */
export function databaseFaults(name: string, settingOf: () => FaultySetting, restore: () => Promise<void>): void {
  describe(`${name} that fails`, () => {
    let database: SqlDatabase
    let store: SqlUserStore
    const login = async (): Promise<void> => {
      const { failure } = await store.authenticate('alice', 'alice-secret')
      // Never that: whatever the server does, the password is right.
      if (failure !== undefined) throw new Error(failure)
    }

    beforeEach(async () => {
      await restore()
      database = await openSqlDatabase({ ...settingOf().datasource, timeoutMs, connectTimeoutMs, maxConnections: 10 })
      store = await sqlUserStore({ datasource: database })
    })

    afterEach(async () => {
      await store.close()
      await database.close()
    })

    /** Fills the pool: so many logins at a time need all of its connections. */
    async function warmUp(): Promise<void> {
      await Promise.all(Array.from({ length: 40 }, login))
    }

    async function outcome(work: Promise<unknown>): Promise<unknown> {
      const tooLate = Symbol('no answer in time')
      const patience = new AbortController()
      const result = await Promise.race([
        work.then(
          () => 'good',
          (error: unknown) => error,
        ),
        // Waiting, connecting and the statement share one limit; the rest is the machine's own slowness.
        delay(patienceMs, tooLate, { signal: patience.signal }),
      ])
      patience.abort()
      expect(result).not.toBe(tooLate)
      return result
    }

    /** Tries until a login is good again; each try in between is a {@link StoreError}. */
    async function expectRecovery(): Promise<void> {
      const endsAt = performance.now() + patienceMs
      for (;;) {
        const result = await outcome(login())
        if (result === 'good') break
        expect(result).toBeInstanceOf(StoreError)
        expect(performance.now()).toBeLessThan(endsAt)
        await delay(100)
      }
      await warmUp()
      // A server that was held notices late that the clients of that time have gone.
      await expectConnections(10)
    }

    /** Waits until the server has no more than so many connections. */
    async function expectConnections(most: number): Promise<void> {
      const count = async (): Promise<number> => (await settingOf().backends()).length
      await expect.poll(count, { timeout: patienceMs }).toBeLessThanOrEqual(most)
    }

    it('is no start failure when it is down', async () => {
      await settingOf().server.signal('SIGKILL')
      const late = await sqlUserStore({ datasource: { ...settingOf().datasource, timeoutMs, connectTimeoutMs } })
      expect(await outcome(late.authenticate('alice', 'alice-secret'))).toBeInstanceOf(StoreError)
      await settingOf().server.start()
      await expectRecovery()
      await expect.poll(() => outcome(late.authenticate('alice', 'alice-secret')), { timeout: patienceMs }).toBe('good')
      await late.close()
    })

    it('answers reads although every connection has been cut off', async () => {
      await warmUp()
      const backends = await settingOf().backends()
      expect(backends.length).toBeGreaterThan(1)
      for (const backend of backends) await settingOf().cutOff(backend)
      const results = await Promise.all(Array.from({ length: 20 }, () => outcome(login())))
      expect(results).toEqual(Array.from({ length: 20 }, () => 'good'))
    })

    it('begins a change on a new connection when the old one has been cut off', async () => {
      await warmUp()
      for (const backend of await settingOf().backends()) await settingOf().cutOff(backend)
      await store.setPassword('bob', 'other-secret')
      expect(await store.authenticate('bob', 'other-secret')).toHaveProperty('account')
    })

    it('answers in time while the server stands still, and recovers', async () => {
      await warmUp()
      const processes = await settingOf().processes()
      let results: readonly unknown[]
      try {
        for (const pid of processes) holdProcess(pid)
        const adding = store.add({ name: 'dave', password: 'dave-secret', isAdmin: false })
        results = await Promise.all([outcome(adding), ...Array.from({ length: 30 }, () => outcome(login()))])
      } finally {
        for (const pid of processes) resumeProcess(pid)
      }
      for (const result of results) expect(result).toBeInstanceOf(StoreError)
      await expectRecovery()
    })

    it('does not hold requests while the server is known to be down', async () => {
      await settingOf().server.signal('SIGKILL')
      await outcome(login())
      const results = await Promise.all(Array.from({ length: 200 }, () => outcome(login())))
      for (const result of results) expect(result).toBeInstanceOf(StoreError)
      await settingOf().server.start()
      await expectRecovery()
    })

    it('answers logins with an error or rightly while the server is killed and started again', async () => {
      await warmUp()
      const under: Promise<unknown>[] = Array.from({ length: 50 }, () => outcome(login()))
      const killed = settingOf().server.signal('SIGKILL')
      under.push(...Array.from({ length: 50 }, () => outcome(login())))
      await killed
      for (const result of await Promise.all(under)) {
        if (result !== 'good') expect(result).toBeInstanceOf(StoreError)
      }
      await settingOf().server.start()
      await expectRecovery()
    })

    it('says that it does not know, when the server is killed while users are added', async () => {
      await warmUp()
      const names = Array.from({ length: 30 }, (_, index) => `added${index}`)
      const adding = names.map((user) =>
        outcome(store.add({ name: user, password: 'added-secret', isAdmin: false })).then(
          (result) => [user, result] as const,
        ),
      )
      await adding[0]
      await settingOf().server.signal('SIGKILL')
      const results = await Promise.all(adding)
      await settingOf().server.start()
      await expectRecovery()
      for (const [user, result] of results) {
        const isThere = (await store.find(user)) !== undefined
        if (result === 'good') expect([user, isThere]).toEqual([user, true])
        else expect(result).toBeInstanceOf(StoreError)
        if (isThere) expect(await store.authenticate(user, 'added-secret')).toHaveProperty('account')
      }
      expect(results[0]![1]).toBe('good')
    })

    it('gives a change up in time when another session holds the lock, and changes nothing', async () => {
      await warmUp()
      const unlock = await settingOf().lockUsers()
      const results = await Promise.all(
        Array.from({ length: 12 }, () => outcome(store.setPassword('bob', 'other-secret'))),
      )
      for (const result of results) expect(result).toBeInstanceOf(StoreError)
      await unlock()
      await expectRecovery()
      expect(await store.authenticate('bob', 'bob-secret')).toHaveProperty('account')
    })

    it('goes on reading while the disk is full, refuses changes, loses nothing, and heals', async () => {
      const makeRoom = await settingOf().fillDisk()
      const add = () => store.add({ name: 'dave', password: 'dave-secret', isAdmin: false })
      const refused: unknown[] = [await outcome(add()), await outcome(store.setPassword('bob', 'other-secret'))]
      for (const result of refused) expect(result).toBeInstanceOf(StoreError)
      expect(inspect(refused, { depth: 9 })).not.toMatch(/(?:dave|other)-secret/)
      expect(await store.authenticate('bob', 'bob-secret')).toHaveProperty('account')
      expect(await store.list({})).toEqual(['alice', 'bob', 'carol'])
      await makeRoom()
      await add()
      expect(await store.authenticate('dave', 'dave-secret')).toHaveProperty('account')
    })

    it('refuses more than may wait, at once', async () => {
      const small = await openSqlDatabase({ ...settingOf().datasource, timeoutMs, maxConnections: 1, maxWaiting: 2 })
      const results = await Promise.all(
        Array.from({ length: 10 }, () => small.query('SELECT 1 AS one').catch((error: unknown) => error)),
      )
      expect(results.filter((result) => isSqlError(result, 'overloaded'))).toHaveLength(7)
      await small.close()
    })

    it('leaves the queue when the client has gone', async () => {
      const small = await openSqlDatabase({ ...settingOf().datasource, timeoutMs, maxConnections: 1 })
      const first = small.query('SELECT 1 AS one')
      const gone = new AbortController()
      const second = small.query('SELECT 2 AS two', [], { signal: gone.signal })
      gone.abort(new Error('gone'))
      await expect(second).rejects.toThrow('gone')
      expect(await first).toHaveLength(1)
      expect(await small.query('SELECT 3 AS three')).toHaveLength(1)
      await small.close()
    })

    it('answers 500 logins at a time over 10 connections, each with its own account', async () => {
      const users = ['alice', 'bob', 'carol']
      const patient = await sqlUserStore({
        datasource: { ...settingOf().datasource, maxConnections: 10, timeoutMs: patienceMs },
      })
      const logins = Array.from({ length: 500 }, async (_, index) => {
        const user = users[index % 3]!
        const isRight = index % 2 === 0
        const { account } = await patient.authenticate(user, isRight ? `${user}-secret` : 'wrong-secret')
        return account?.subject === (isRight ? user : undefined)
      })
      expect((await Promise.all(logins)).filter((isRight) => !isRight)).toEqual([])
      await expectConnections(20)
      await patient.close()
    })

    it('has no connection left after close', async () => {
      await warmUp()
      await store.close()
      await database.close()
      await expect.poll(() => settingOf().backends(), { timeout: patienceMs }).toEqual([])
      await expect(login()).rejects.toBeInstanceOf(StoreError)
    })
  })
}
