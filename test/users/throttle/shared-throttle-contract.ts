/** What every throttle does that processes share, whichever store counts. */

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { StoreError, UnavailableError } from '../../../lib/core/errors.js'
import { SecurityEvents } from '../../../lib/core/events.js'
import { createAuthenticator } from '../../../lib/users/login/authenticator.js'
import type { LoginAttempt, LoginThrottle, ManagedLoginThrottle } from '../../../lib/users/throttle/login-throttle.js'
import type { SharedThrottleOptions } from '../../../lib/users/throttle/shared-throttle.js'
import { login, logins, minute, second, throttleContract } from './throttle-contract.js'

/** Both are answered with 503: the store is away, or others wait for it already. */
const isNoAnswer = (error: unknown): boolean => error instanceof StoreError || error instanceof UnavailableError

const silent = { info() {}, warn() {}, error() {} }

/** A process with a link of its own. */
export interface ThrottleProcess {
  /** `onAsk` is called with each question to the store. */
  create(options: SharedThrottleOptions, onAsk: () => void): ManagedLoginThrottle
  close(): Promise<void>
}

/** A store under test, with a server of its own. */
export interface ThrottleStore {
  connect(): Promise<ThrottleProcess>
  /** Records of a throttle, or keys. */
  count(name: string): Promise<number>
  /** The most of them with so many entries. */
  bound(maxEntries: number): number
  loseData(): Promise<unknown>
  kill(): Promise<void>
  /** After {@link kill}. */
  restart(): Promise<void>
  /** Stops the server until the function it gives is called. */
  hold(): Promise<() => unknown>
  stop(): Promise<void>
}

let count = 0

/**
 * Describes the throttles that count in the store that `start` starts, which the log calls `storeName`. A flood fills `maxEntries`
 * records.
 */
export function sharedThrottleContract(
  storeName: string,
  maxEntries: number,
  start: () => Promise<ThrottleStore>,
): void {
  let server: ThrottleStore

  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  describe('the throttle that processes share', () => {
    let process: ThrottleProcess
    beforeAll(async () => {
      process = await server.connect()
    })
    afterAll(() => process?.close())

    const create = (options: Partial<SharedThrottleOptions>): ManagedLoginThrottle =>
      process.create({ logger: silent, ...options }, () => {})

    describe('in one process', () =>
      throttleContract((options) => create({ name: `contract-${count++}`, ...options }), maxEntries))

    // No process has counted a login before, so that what the store counts decides.
    describe('in a new process for each login', () =>
      throttleContract((options) => {
        const name = `contract-${count++}`
        const newProcess = (): ManagedLoginThrottle => create({ name, ...options })
        return {
          start: (...args) => newProcess().start(...args),
          unlock: (...args) => newProcess().unlock(...args),
          unlockAddress: (...args) => newProcess().unlockAddress(...args),
          list: () => newProcess().list(),
        }
      }, maxEntries))
  })

  describe('several processes', () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    let lines: string[] = []
    let locks: string[] = []
    let commands = 0
    let started: ThrottleProcess[] = []
    let name = ''

    afterEach(async () => {
      for (const process of started) await process.close()
      started = []
      lines = []
      locks = []
    })

    const note = (message: string): void => {
      lines.push(message)
    }

    /** The throttles of two processes. */
    async function processes(
      options: Partial<SharedThrottleOptions> = {},
    ): Promise<[ManagedLoginThrottle, ManagedLoginThrottle]> {
      name = `shared-${count++}`
      const create = async (process: string): Promise<ManagedLoginThrottle> => {
        const connected = await server.connect()
        started.push(connected)
        const events = new SecurityEvents(silent)
        events.on('lock', ({ scope, seconds }) => locks.push(`${process}: ${scope} ${seconds}`))
        events.on('unlock', ({ userName }) => locks.push(`${process}: unlock ${userName}`))
        const logger = {
          info: (_fields: object, message: string) => note(message),
          warn: (_: object, m: string) => note(m),
          error() {},
        }
        return connected.create({ name, clock: () => now, logger, events, ...options }, () => commands++)
      }
      return [await create('one'), await create('other')]
    }

    it('lists the locks of the others, and lifts them for all', async () => {
      const [one, other] = await processes({ maxFailures: 1, maxSourceFailures: 3 })
      await login(one, 'failed', 'alice', '192.0.2.1')
      expect(await other.list()).toEqual(await one.list())
      expect(await other.list()).toMatchObject([{ scope: 'pair', userName: 'alice', address: '192.0.2.1' }])
      await other.unlock('alice')
      expect(await one.list()).toEqual([])
      expect(await login(one, 'failed', 'alice', '192.0.2.1')).toBe('failed')
      for (const name of ['ann', 'bob', 'carol']) await login(one, 'failed', name, '192.0.2.7')
      expect(await login(one, 'failed', 'dave', '192.0.2.7')).not.toBe('failed')
      await other.unlockAddress('192.0.2.7')
      expect(await login(one, 'failed', 'dave', '192.0.2.7')).toBe('failed')
    })

    it('lists no more locks than it counts', async () => {
      const [one, other] = await processes({ maxFailures: 1, maxEntries: 3 })
      for (const name of ['ann', 'bob', 'carol', 'dave', 'eve']) await login(one, 'failed', name, '192.0.2.1')
      expect((await other.list()).length).toBeLessThanOrEqual(4)
    })

    it('checks no more than five of 50 wrong passwords that two processes get at once', async () => {
      const throttles = await processes()
      let checked = 0
      const users = {
        async authenticate() {
          checked++
          return { failure: 'wrong-password', subject: 'alice' } as const
        },
        find: () => undefined,
        close() {},
      }
      const statuses = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const authenticator = createAuthenticator({ users, throttle: throttles[index % 2]!, failureFloorMs: 0 })
          const context = { address: '192.0.2.1' }
          return authenticator.authenticate('alice', `guess ${index}`, context).catch(({ status }) => status as number)
        }),
      )
      expect(checked).toBe(5)
      expect(statuses.filter((status) => status === 429)).toHaveLength(45)
      expect(locks).toHaveLength(1)
      expect(locks[0]).toMatch(/: pair 60$/)
    })

    it('lets 30 good logins of one pair in at two processes at once, one after the other where it must', async () => {
      const throttles = await processes({ maxFailures: 2 })
      const outcomes = Array.from({ length: 30 }, (_, index) => login(throttles[index % 2]!, 'succeeded'))
      expect(await Promise.all(outcomes)).toEqual(Array(30).fill('succeeded'))
    })

    it('counts together what fails at several processes, and the one that starts a lock reports it', async () => {
      const [one, other] = await processes()
      await logins(3, one, 'failed')
      await logins(2, other, 'failed')
      expect([await login(one, 'succeeded'), await login(other, 'succeeded')]).toEqual([60, 60])
      expect(locks).toEqual(['other: pair 60'])
      now += minute
      expect(await login(one, 'succeeded')).toBe('succeeded')
    })

    it('reports the lock of a user or a source once while the guesses go on at all of them', async () => {
      const [one, other] = await processes({ maxUserFailures: 10, maxSourceFailures: 20 })
      for (let index = 0; index < 60; index++) {
        await login(index % 2 ? one : other, 'failed', 'alice', `10.0.0.${index}`)
        now += 45 * second
      }
      expect(locks).toEqual(['one: user 45'])
      now += 30 * minute
      for (let index = 0; index < 10; index++)
        await login(index % 2 ? one : other, 'failed', 'alice', `10.0.1.${index}`)
      for (let index = 0; index < 40; index++)
        await login(index % 2 ? one : other, 'failed', `user ${index}`, '192.0.2.9')
      expect(locks.slice(1)).toEqual(['one: user 90', 'one: source 45'])
    })

    it('asks the store twice for a login, once for one that it refuses, and once more when a lock begins', async () => {
      const [one, other] = await processes()
      const asked = async (...args: Parameters<typeof login>): Promise<number> => {
        commands = 0
        await login(...args)
        return commands
      }
      expect(await asked(one, 'succeeded')).toBe(2)
      for (let index = 0; index < 4; index++) expect(await asked(one, 'failed')).toBe(2)
      expect(await asked(one, 'failed')).toBe(3)
      expect(await asked(one, 'failed')).toBe(1)
      expect(await asked(other, 'failed')).toBe(1)
    })

    it('ends a lock at every process with an unlock at one, before that is answered', async () => {
      const [one, other] = await processes({ maxUserFailures: 10 })
      await login(other, 'succeeded', 'bob')
      await logins(5, one, 'failed')
      await logins(5, other, 'failed', 'alice', '192.0.2.2')
      await logins(5, other, 'failed', 'bob')
      expect(await login(other, 'succeeded', 'alice', '192.0.2.2')).toBe(60)
      await one.unlock('ALICE', { by: 'admin' })
      expect(await login(other, 'succeeded', 'alice', '192.0.2.2')).toBe('succeeded')
      expect(await login(other, 'failed')).toBe('failed')
      expect(await login(one, 'failed', 'alice', '192.0.2.9')).toBe('failed')
      expect(await login(one, 'failed', 'bob')).toBe(60)
      expect(locks.filter((line) => line.includes('unlock'))).toEqual(['one: unlock ALICE'])
    })

    it('knows a source with a good login at another process, though its own counter of the user is full', async () => {
      const [one, other] = await processes({ maxUserFailures: 3 })
      await login(one, 'succeeded', 'alice', '203.0.113.7')
      for (let index = 0; index < 3; index++) await login(other, 'failed', 'alice', `10.0.0.${index}`)
      expect(await login(other, 'succeeded', 'alice', '198.51.100.1')).toBe(300)
      expect(await login(other, 'cancelled', 'alice', '203.0.113.7')).toBe('cancelled')
    })

    it('counts the names of a user together at all processes, and tells no right password beyond the limit', async () => {
      const [one, other] = await processes()
      const guess = async (throttle: LoginThrottle, name: string, outcome: 'fail' | 'succeed') =>
        ((await throttle.start(name, '192.0.2.1')) as LoginAttempt)[outcome]('CORP/alice')
      for (const name of ['alice', 'CORP/alice', 'corp/ALICE']) await guess(one, name, 'fail')
      for (const name of ['alice@corp.example', 'a.lice']) await guess(other, name, 'fail')
      expect(await guess(one, 'alice', 'succeed')).toBe(false)
      expect(await guess(other, 'alice', 'succeed')).toBe(false)
      await other.unlock('CORP/alice')
      expect(await guess(one, 'alice', 'succeed')).toBe(true)
    })

    it('forgets the logins under way of a process that was killed', async () => {
      const [killed, other] = await processes({ holdMs: 10 * minute })
      for (let index = 0; index < 5; index++) await killed.start('alice', '192.0.2.1')
      const waiting = login(other, 'succeeded')
      expect(await Promise.race([waiting, login(other, 'succeeded', 'bob')])).toBe('succeeded')
      now += 10 * minute - 1
      const client = new AbortController()
      const leaving = other.start('alice', '192.0.2.1', client.signal)
      client.abort(new Error('gone'))
      await expect(leaving).rejects.toThrow('gone')
      now += 1
      expect(await waiting).toBe('succeeded')
    })

    it('counts a failure that comes when its login under way has been forgotten', async () => {
      const [slow, other] = await processes({ holdMs: minute, maxFailures: 2 })
      const late = (await slow.start('alice', '192.0.2.1')) as LoginAttempt
      now += minute
      await late.fail('alice')
      expect(await logins(2, other, 'failed')).toEqual(['failed', 60])
    })

    it('goes on counting logins under way when the user is unlocked', async () => {
      const [one, other] = await processes({ maxFailures: 2 })
      const first = (await one.start('alice', '192.0.2.1')) as LoginAttempt
      const second = (await one.start('alice', '192.0.2.1')) as LoginAttempt
      await other.unlock('alice')
      const waiting = other.start('alice', '192.0.2.1')
      expect(await Promise.race([waiting, login(other, 'succeeded', 'bob')])).toBe('succeeded')
      await first.fail()
      await second.fail()
      expect(await waiting).toEqual({ isAllowed: false, retryAfterMs: minute })
    })

    it('keeps a bounded number of keys, whatever is tried', async () => {
      const [one, other] = await processes({ maxEntries: 10, maxFailures: 2 })
      await logins(2, one, 'failed', 'alice', '203.0.113.7')
      for (let index = 0; index < 300; index++) {
        await login(index % 2 ? one : other, 'failed', `name${index}`, `10.0.${index % 200}.1`)
      }
      expect(await server.count(name)).toBeLessThanOrEqual(server.bound(10))
      expect(await login(other, 'succeeded', 'alice', '203.0.113.7')).toBe(60)
    })

    it('stays locked at the process that counted when the store has lost its data', async () => {
      const [one] = await processes()
      await logins(5, one, 'failed')
      await server.loseData()
      await expect.poll(() => login(one, 'succeeded')).toBe(60)
    })

    describe('while the store is away', () => {
      it('counts for each process alone, says so once, and once that it is back', async () => {
        const [one, other] = await processes()
        await logins(2, one, 'failed')
        await server.kill()
        expect(await logins(4, one, 'failed')).toEqual(['failed', 'failed', 'failed', 60])
        expect(await logins(6, other, 'failed')).toEqual([...Array(5).fill('failed'), 60])
        expect(locks).toEqual(['one: pair 60', 'other: pair 60'])
        const alone = `the shared throttle counts for this process alone: ${storeName} cannot be asked`
        const again = 'the shared throttle counts for all processes again'
        const said = (): string[] => lines.map((line) => line.replace(/shared-\d+/, 'shared'))
        expect(said()).toEqual([alone, alone])
        await expect(Promise.resolve(one.unlock('alice'))).rejects.toThrow(StoreError)
        await server.restart()
        now += minute
        await expect
          .poll(async () => {
            await login(one, 'cancelled')
            await login(other, 'cancelled')
            return said()
          })
          .toEqual([alone, alone, again, again])
        await login(one, 'failed', 'carol')
        expect(said()).toHaveLength(4)
      })

      it('gives no answer to a login under way, right or wrong, and no rejection that nobody handles', async () => {
        const [one] = await processes()
        const right = (await one.start('alice', '192.0.2.1')) as LoginAttempt
        const wrong = (await one.start('bob', '192.0.2.1')) as LoginAttempt
        const left = (await one.start('carol', '192.0.2.1')) as LoginAttempt
        const ignored = (await one.start('dave', '192.0.2.1')) as LoginAttempt
        const resume = await server.hold()
        onTestFinished(() => void resume())
        for (const call of [() => ignored.fail(), () => one.unlock('dave')] as (() => unknown)[]) call()
        await expect(Promise.resolve(right.succeed('alice'))).rejects.toSatisfy(isNoAnswer)
        await expect(Promise.resolve(wrong.fail('bob'))).rejects.toSatisfy(isNoAnswer)
        left.cancel()
        expect(await right.succeed('alice')).toBe(false)
        expect(await logins(5, one, 'failed', 'bob')).toEqual([...Array(4).fill('failed'), 60])
      })
    })
  })
}
