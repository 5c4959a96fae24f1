/** What every login throttle does. `now` is what its clock shows. */

import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type {
  LoginAttempt,
  LoginThrottle,
  LoginThrottleOptions,
  ManagedLoginThrottle,
} from '../../../lib/users/throttle/login-throttle.js'
import { deferred } from '../deferred.js'

export const second = 1000
export const minute = 60 * second
const hour = 60 * minute

let now = 0
beforeEach(() => {
  now = Date.parse('2026-01-01T00:00:00Z')
})

type Outcome = 'failed' | 'succeeded' | 'cancelled'
const methods = { failed: 'fail', succeeded: 'succeed', cancelled: 'cancel' } as const

/** One login with this outcome: what it met, in the end. */
export async function login(throttle: LoginThrottle, outcome: Outcome, name = 'alice', address?: string) {
  const admission = await throttle.start(name, address ?? '192.0.2.1')
  if (!admission.isAllowed) return admission.retryAfterMs / 1000
  await admission[methods[outcome]]()
  return outcome
}

export async function logins(count: number, ...args: Parameters<typeof login>) {
  const outcomes = []
  for (let index = 0; index < count; index++) outcomes.push(await login(...args))
  return outcomes
}

/** A source of its own for each number. */
const source = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`

async function failFromManySources(throttle: LoginThrottle, count: number, name = 'alice') {
  for (let index = 0; index < count; index++)
    expect(await login(throttle, 'failed', name, source(index))).toBe('failed')
}

/** Makes a throttle without any counts, with these options. */
export type CreateThrottle = (options: LoginThrottleOptions) => ManagedLoginThrottle

/** Describes the throttles that `create` makes. A flood fills `maxEntries` records. */
export function throttleContract(create: CreateThrottle, maxEntries: number): void {
  const throttleOf = (options: LoginThrottleOptions = {}): ManagedLoginThrottle =>
    create({ clock: () => now, ...options })

  // Covers: A09
  describe('the pair of user and source', () => {
    it('is locked for a minute by the fifth failure', async () => {
      const throttle = throttleOf()
      expect(await logins(6, throttle, 'failed')).toEqual([...Array(5).fill('failed'), 60])
      now += minute - 1
      expect(await login(throttle, 'succeeded')).toBe(1)
      now += 1
      expect(await login(throttle, 'succeeded')).toBe('succeeded')
    })

    it('is locked twice as long each time, up to the window', async () => {
      const throttle = throttleOf()
      const locks = []
      for (let round = 0; round < 6; round++) {
        expect(await logins(5, throttle, 'failed')).toEqual(Array(5).fill('failed'))
        const seconds = Number(await login(throttle, 'failed'))
        locks.push(seconds)
        now += seconds * second
      }
      expect(locks).toEqual([60, 120, 240, 480, 900, 900])
    })

    it('begins with the first lock again after a window without one', async () => {
      const throttle = throttleOf()
      await logins(5, throttle, 'failed')
      now += minute + 15 * minute
      await logins(5, throttle, 'failed')
      expect(await login(throttle, 'failed')).toBe(60)
    })

    it('is not locked by failures that are more than a window apart', async () => {
      const throttle = throttleOf()
      await logins(4, throttle, 'failed')
      now += 15 * minute
      expect(await logins(4, throttle, 'failed')).toEqual(Array(4).fill('failed'))
      expect(await login(throttle, 'succeeded')).toBe('succeeded')
    })

    it('counts from nothing after a good login', async () => {
      const throttle = throttleOf()
      await logins(4, throttle, 'failed')
      await login(throttle, 'succeeded')
      expect(await logins(5, throttle, 'failed')).toEqual(Array(5).fill('failed'))
      expect(await login(throttle, 'failed')).toBe(60)
    })

    it('does not count what was no wrong credential', async () => {
      const throttle = throttleOf()
      expect(await logins(500, throttle, 'cancelled')).toEqual(Array(500).fill('cancelled'))
      expect(await logins(5, throttle, 'failed')).toEqual(Array(5).fill('failed'))
    })

    it('locks nobody else: not the user elsewhere, not another user there', async () => {
      const throttle = throttleOf()
      await logins(6, throttle, 'failed')
      expect(await login(throttle, 'succeeded', 'alice', '192.0.2.2')).toBe('succeeded')
      expect(await login(throttle, 'succeeded', 'bob')).toBe('succeeded')
      expect(await login(throttle, 'succeeded')).toBe(60)
    })

    it('lets the user in from another source after 50 wrong logins', async () => {
      const throttle = throttleOf()
      await logins(50, throttle, 'failed')
      expect(await login(throttle, 'succeeded', 'alice', '198.51.100.9')).toBe('succeeded')
    })

    it('settles a login once', async () => {
      const throttle = throttleOf({ maxFailures: 2 })
      const attempt = (await throttle.start('alice', '192.0.2.1')) as LoginAttempt
      await attempt.fail()
      await attempt.fail()
      await attempt.succeed()
      await attempt.cancel()
      expect(await login(throttle, 'failed')).toBe('failed')
      expect(await login(throttle, 'failed')).toBe(60)
    })

    it('takes the times and limits it is given', async () => {
      const throttle = throttleOf({ maxFailures: 1, lockoutMs: 10_000, windowMs: 15_000 })
      expect(await logins(2, throttle, 'failed')).toEqual(['failed', 10])
      now += 10 * second
      expect(await logins(2, throttle, 'failed')).toEqual(['failed', 15])
    })
  })

  describe('logins of one pair at the same time', () => {
    it('cannot fail more often together than one after the other', async () => {
      const throttle = throttleOf()
      let guesses = 0
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const admission = await throttle.start('alice', '192.0.2.1')
          if (!admission.isAllowed) return 'throttled'
          guesses++
          await Promise.resolve()
          await admission.fail()
          return 'failed'
        }),
      )
      expect(guesses).toBe(5)
      expect(outcomes.filter((outcome) => outcome === 'throttled')).toHaveLength(95)
    })

    it('all go on when they are good', async () => {
      const throttle = throttleOf()
      let underWay = 0
      let most = 0
      const first = deferred()
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const admission = await throttle.start('alice', '192.0.2.1')
          if (!admission.isAllowed) return 'throttled'
          most = Math.max(most, ++underWay)
          if (most === 5) first.resolve()
          await first.promise
          underWay--
          await admission.succeed()
          return 'succeeded'
        }),
      )
      expect(outcomes).toEqual(Array(100).fill('succeeded'))
      expect(most).toBe(5)
    })

    it('all go on when nothing becomes known of them', async () => {
      const throttle = throttleOf()
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => login(throttle, 'cancelled')))
      expect(outcomes).toEqual(Array(100).fill('cancelled'))
    })

    it('leave when they are told to, and nobody behind them waits for that', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      const underWay = (await throttle.start('alice', '192.0.2.1')) as LoginAttempt
      const client = new AbortController()
      const leaving = throttle.start('alice', '192.0.2.1', client.signal)
      const staying = throttle.start('alice', '192.0.2.1', new AbortController().signal)
      client.abort('gone')
      await expect(leaving).rejects.toBe('gone')
      await underWay.succeed()
      expect((await staying).isAllowed).toBe(true)
    })

    it('do not wait when they were told to leave before', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      await throttle.start('alice', '192.0.2.1')
      await expect(throttle.start('alice', '192.0.2.1', AbortSignal.abort('gone'))).rejects.toBe('gone')
    })

    it('are not called back once they have had their turn', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      const underWay = (await throttle.start('alice', '192.0.2.1')) as LoginAttempt
      const client = new AbortController()
      const waiting = throttle.start('alice', '192.0.2.1', client.signal)
      await underWay.cancel()
      const admitted = (await waiting) as LoginAttempt
      client.abort('gone')
      const next = throttle.start('alice', '192.0.2.1')
      expect(next).toBeInstanceOf(Promise)
      await admitted.fail()
      expect(await next).toEqual({ isAllowed: false, retryAfterMs: 60_000 })
    })

    it('answers every one of them, whatever becomes of the others', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom<Outcome>('failed', 'succeeded', 'cancelled'), { maxLength: 60 }),
          async (outcomes) => {
            const throttle = throttleOf()
            const answers = await Promise.all(outcomes.map((outcome) => login(throttle, outcome)))
            return answers.length === outcomes.length
          },
        ),
      )
    })
  })

  // Covers: A09
  describe('the counter of a user', () => {
    it('slows new sources after 100 failures from everywhere, and shuts nobody out', async () => {
      const throttle = throttleOf()
      await failFromManySources(throttle, 100)
      expect(await login(throttle, 'succeeded', 'alice', '198.51.100.1')).toBe(9)
      now += 9 * second
      expect(await login(throttle, 'failed', 'alice', '198.51.100.2')).toBe('failed')
      expect(await login(throttle, 'succeeded', 'alice', '198.51.100.1')).toBe(9)
      now += 9 * second
      expect(await login(throttle, 'succeeded', 'alice', '198.51.100.1')).toBe('succeeded')
    })

    it('does not touch a source with a good login in the last 24 hours', async () => {
      const throttle = throttleOf()
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      now += 24 * hour - 1
      await failFromManySources(throttle, 100)
      expect(await login(throttle, 'succeeded', 'alice', '198.51.100.1')).toBe(9)
      expect(await login(throttle, 'cancelled', 'alice', '203.0.113.7')).toBe('cancelled')
      now += 1
      expect(await login(throttle, 'succeeded', 'alice', '203.0.113.7')).toBe(9)
    })

    it('begins anew with a good login', async () => {
      const throttle = throttleOf()
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      await failFromManySources(throttle, 100)
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      expect(await login(throttle, 'failed', 'alice', '198.51.100.1')).toBe('failed')
    })

    it('does not count what fails where the user has logged in', async () => {
      const throttle = throttleOf({ maxUserFailures: 3 })
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      await logins(4, throttle, 'failed', 'alice', '203.0.113.7')
      expect(await login(throttle, 'failed', 'alice', '198.51.100.1')).toBe('failed')
    })

    it('counts logins under way, so that parallel guesses from many sources cannot pass it', async () => {
      const throttle = throttleOf({ maxUserFailures: 10 })
      const admissions = await Promise.all(
        Array.from({ length: 30 }, (_, index) => throttle.start('alice', source(index))),
      )
      expect(admissions.filter(({ isAllowed }) => isAllowed)).toHaveLength(10)
    })

    it('does not count for other users', async () => {
      const throttle = throttleOf()
      await failFromManySources(throttle, 100)
      expect(await login(throttle, 'failed', 'bob', '198.51.100.1')).toBe('failed')
    })
  })

  describe('the counter of a source', () => {
    it('slows a source that tries 300 users, but not the users that logged in from there', async () => {
      const throttle = throttleOf()
      await login(throttle, 'succeeded', 'alice')
      for (let index = 0; index < 300; index++) expect(await login(throttle, 'failed', `user${index}`)).toBe('failed')
      expect(await login(throttle, 'succeeded', 'bob')).toBe(3)
      expect(await login(throttle, 'succeeded', 'alice')).toBe('succeeded')
      now += 3 * second
      expect(await login(throttle, 'succeeded', 'bob')).toBe('succeeded')
    })

    it('is not set back by a good login: one account does not pay for guesses at others', async () => {
      const throttle = throttleOf({ maxSourceFailures: 10 })
      for (let index = 0; index < 10; index++) await login(throttle, 'failed', `user${index}`)
      await login(throttle, 'succeeded', 'alice', '192.0.2.2')
      expect(await login(throttle, 'failed', 'bob')).toBe(90)
    })
  })

  /** One login of the user that the store finds under this name. */
  async function loginOf(
    throttle: LoginThrottle,
    outcome: 'failed' | 'succeeded',
    name: string,
    { subject = 'CORP/alice', address = '192.0.2.1' } = {},
  ) {
    const admission = await throttle.start(name, address)
    if (!admission.isAllowed) return admission.retryAfterMs / 1000
    if (outcome === 'succeeded') return (await admission.succeed(subject)) ? 'succeeded' : 'refused'
    await admission.fail(subject)
    return 'failed'
  }

  // Covers: A09
  describe('a user with several names', () => {
    const names = ['alice', 'CORP/alice', 'corp/ALICE', 'alice@corp.example', '\u017fales/alice']

    it('has one limit for one source: beyond it no name is let in, and none tells that the password was right', async () => {
      const throttle = throttleOf()
      for (const name of names) expect(await loginOf(throttle, 'failed', name)).toBe('failed')
      for (const name of names) expect(await loginOf(throttle, 'succeeded', name)).toBe('refused')
      now += minute
      expect(await loginOf(throttle, 'succeeded', 'alice')).toBe('succeeded')
    })

    it('meets the same lock at each name whether the passwords are right, wrong, or of nobody', async () => {
      const outcomes = async (guess: (throttle: LoginThrottle) => Promise<unknown>) => {
        const throttle = throttleOf()
        for (let index = 0; index < 5; index++) await loginOf(throttle, 'failed', 'alice')
        const answers = []
        for (let index = 0; index < 6; index++) answers.push(await guess(throttle))
        return answers.map((answer) => (answer === 'refused' ? 'failed' : answer))
      }
      const expected = [...Array(5).fill('failed'), 60]
      expect(await outcomes((throttle) => loginOf(throttle, 'succeeded', 'CORP/alice'))).toEqual(expected)
      expect(await outcomes((throttle) => loginOf(throttle, 'failed', 'CORP/alice'))).toEqual(expected)
      expect(await outcomes((throttle) => login(throttle, 'failed', 'CORP/nobody'))).toEqual(expected)
    })

    it('has one limit for all sources', async () => {
      const throttle = throttleOf()
      for (let index = 0; index < 100; index++) {
        const name = names[index % names.length]!
        expect(await loginOf(throttle, 'failed', name, { address: source(index) })).toBe('failed')
      }
      for (const name of names)
        expect(await loginOf(throttle, 'succeeded', name, { address: '198.51.100.1' })).toBe('refused')
      now += 9 * second
      expect(await loginOf(throttle, 'succeeded', 'alice', { address: '198.51.100.1' })).toBe('succeeded')
    })

    it('is let in by any name from a source with a good login', async () => {
      const throttle = throttleOf()
      await loginOf(throttle, 'succeeded', 'alice', { address: '203.0.113.7' })
      for (let index = 0; index < 100; index++)
        await loginOf(throttle, 'failed', 'CORP/alice', { address: source(index) })
      for (const name of ['alice', 'alice@corp.example'])
        expect(await loginOf(throttle, 'succeeded', name, { address: '203.0.113.7' })).toBe('succeeded')
    })

    it('is not set back by another user whose name differs in case only', async () => {
      const throttle = throttleOf()
      for (let round = 0; round < 5; round++) {
        expect(await loginOf(throttle, 'failed', 'alice', { subject: 'alice' })).toBe('failed')
        expect(await loginOf(throttle, 'succeeded', 'Alice', { subject: 'Alice' })).toBe('succeeded')
      }
      expect(await loginOf(throttle, 'succeeded', 'alice', { subject: 'alice' })).toBe('refused')
    })

    it('counts each guess once for its source', async () => {
      const throttle = throttleOf({ maxSourceFailures: 4 })
      for (const name of names.slice(0, 4)) expect(await loginOf(throttle, 'failed', name)).toBe('failed')
      expect(await login(throttle, 'failed', 'bob')).toBe(225)
    })
  })

  describe('unlock', () => {
    it('ends the locks of every name that leads to the user', async () => {
      const throttle = throttleOf()
      for (let index = 0; index < 5; index++) await loginOf(throttle, 'failed', 'alice')
      await throttle.unlock('CORP/alice')
      expect(await loginOf(throttle, 'succeeded', 'CORP/alice')).toBe('succeeded')
    })

    it('ends the lock of a user everywhere, and of nobody else', async () => {
      const throttle = throttleOf({ maxUserFailures: 11 })
      await logins(5, throttle, 'failed')
      await logins(5, throttle, 'failed', 'alice', '192.0.2.2')
      await login(throttle, 'failed', 'alice', '192.0.2.3')
      await logins(5, throttle, 'failed', 'bob')
      await throttle.unlock('ALICE')
      expect(await login(throttle, 'failed')).toBe('failed')
      expect(await login(throttle, 'failed', 'alice', '192.0.2.2')).toBe('failed')
      expect(await login(throttle, 'failed', 'alice', '192.0.2.9')).toBe('failed')
      expect(await login(throttle, 'failed', 'bob')).toBe(60)
    })
  })

  // Covers: A09
  describe('the list of locks', () => {
    it('has who was locked, from where and until when, for as long as the lock holds', async () => {
      const throttle = throttleOf({ maxFailures: 2 })
      expect(await throttle.list()).toEqual([])
      await logins(2, throttle, 'failed', 'Alice', '192.0.2.1')
      const since = now
      const lock = { scope: 'pair', userName: 'Alice', subject: undefined, address: '192.0.2.1', since }
      expect(await throttle.list()).toEqual([{ ...lock, until: since + minute }])
      now += 20 * second
      expect(await throttle.list()).toEqual([{ ...lock, until: since + minute }])
      now += 40 * second
      expect(await throttle.list()).toEqual([])
    })

    it('has the latest lock first, and each once', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      for (const name of ['ann', 'bob']) await login(throttle, 'failed', name, '192.0.2.1')
      now += minute
      await login(throttle, 'failed', 'ann', '192.0.2.1')
      expect((await throttle.list()).map(({ userName }) => userName)).toEqual(['ann'])
      now += second
      await login(throttle, 'failed', 'bob', '192.0.2.9')
      expect((await throttle.list()).map(({ userName }) => userName)).toEqual(['bob', 'ann'])
    })

    it('has the user whom the store found, by whatever name', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      const attempt = await throttle.start('mail@example.com', '192.0.2.1')
      if (attempt.isAllowed) await attempt.fail('alice')
      expect(await throttle.list()).toMatchObject([{ scope: 'pair', userName: 'mail@example.com', subject: 'alice' }])
      await throttle.unlock('alice')
      await throttle.unlock('mail@example.com')
      expect(await throttle.list()).toEqual([])
    })

    it('has the limits of a user and of an address, which are lifted each by its own', async () => {
      const throttle = throttleOf({ maxUserFailures: 2, maxSourceFailures: 2 })
      await login(throttle, 'failed', 'alice', '192.0.2.1')
      await login(throttle, 'failed', 'alice', '192.0.2.2')
      await login(throttle, 'failed', 'bob', '192.0.2.3')
      await login(throttle, 'failed', 'carol', '192.0.2.3')
      const scopes = async () => (await throttle.list()).map(({ scope }) => scope).sort()
      expect(await scopes()).toEqual(['source', 'user'])
      await throttle.unlock('alice')
      expect(await scopes()).toEqual(['source'])
      await throttle.unlock('bob')
      expect(await scopes()).toEqual(['source'])
      expect(await login(throttle, 'failed', 'dave', '192.0.2.3')).not.toBe('failed')
      await throttle.unlockAddress('192.0.2.3')
      expect(await scopes()).toEqual([])
      expect(await login(throttle, 'failed', 'dave', '192.0.2.3')).toBe('failed')
    })
  })

  describe('keys', () => {
    it.each([
      ['IPv4', ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:c000:0201']],
      [
        'IPv6, by its /64',
        [
          '2001:db8::1',
          '2001:DB8::1',
          '2001:0db8:0:0::1',
          '2001:db8:0:0:0:0:0:1',
          '2001:0db8:0000:0000:0000:0000:0000:0001',
          '2001:db8::0.0.0.1',
          '2001:db8::ffff:ffff:ffff:ffff',
          '2001:db8:0:0:1234::',
          '2001:db8::1%eth0',
        ],
      ],
      ['IPv4 with a port', ['192.0.2.1', '192.0.2.1:50123', '192.0.2.1:1', '[::ffff:192.0.2.1]:65535']],
      ['IPv6 with a port', ['2001:db8::1', '[2001:db8::1]:50123', '[2001:DB8::2]', '[2001:db8::1%eth0]:443']],
      ['no address', ['', '']],
    ])('are the same for every spelling of one source: %s', async (_family, spellings) => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'alice', spellings[0])
      for (const spelling of spellings)
        expect([spelling, await login(throttle, 'failed', 'alice', spelling)]).toEqual([spelling, 60])
    })

    it.each([
      ['unix', '127.1'],
      ['unknown', '_gazonk'],
      ['192.0.2.300:1', '192.0.2.300:2'],
      ['198.51.100.7:1', '198.51.100.8:1'],
      ['192.0.2.1:', '192.0.2.1:123456'],
    ])(
      'differ for texts that are no address, and for clients behind a proxy that adds ports: %s, %s',
      async (one, other) => {
        const throttle = throttleOf({ maxFailures: 1 })
        await login(throttle, 'failed', 'alice', one)
        expect(await login(throttle, 'failed', 'alice', other)).toBe('failed')
        expect(await login(throttle, 'failed', 'alice', one)).toBe(60)
      },
    )

    it.each(['PRIMARY/alice', 'primary/ALICE', 'Primary/alice'])('are those of alice for %s', async (name) => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'alice')
      expect(await login(throttle, 'failed', name)).toBe(60)
    })

    it.each(['SECOND/alice', 'PRIMARY', 'PRIMARYalice'])('are not those of alice for %s', async (name) => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'alice')
      expect(await login(throttle, 'failed', name)).toBe('failed')
    })

    it.each(['192.0.2.2', '::ffff:192.0.2.2', '2001:db8:0:1::1', '::192.0.2.1', 'unix'])(
      'differ for another source: %s',
      async (other) => {
        const throttle = throttleOf({ maxFailures: 1 })
        await login(throttle, 'failed', 'alice', '192.0.2.1')
        await login(throttle, 'failed', 'alice', '2001:db8::1')
        expect(await login(throttle, 'failed', 'alice', other)).toBe('failed')
      },
    )

    it.each(['ALICE', 'Alice', 'aLICE'])('ignore the case of the name: %s', async (name) => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'alice')
      expect(await login(throttle, 'failed', name)).toBe(60)
    })

    it('are the same for both Unicode forms of a name', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'J\u00d6RG')
      expect(await login(throttle, 'failed', 'jo\u0308rg')).toBe(60)
    })

    it('keep name and source apart', async () => {
      const throttle = throttleOf({ maxFailures: 1 })
      await login(throttle, 'failed', 'a 1', '192.0.2.1')
      expect(await login(throttle, 'failed', 'a', '192.0.2.1')).toBe('failed')
    })
  })

  describe('memory', () => {
    /** Wrong logins of names that nobody has, from /64 networks of IPv6. */
    async function flood(throttle: LoginThrottle, { names, networks }: { names: number; networks: number }) {
      for (let index = 0; index < names; index++)
        await login(throttle, 'failed', `name${index}`, `2001:db8:0:${(index % networks).toString(16)}::1`)
    }

    it.each([
      ['a failure', 1],
      ['failures', 4],
      ['a lock', 5],
    ])(
      'keeps %s of a user while more other names than it can count apart fail from 71 networks',
      async (_what, failures) => {
        const throttle = throttleOf({ maxEntries })
        await logins(failures, throttle, 'failed')
        await flood(throttle, { names: maxEntries + 500, networks: 71 })
        expect(await logins(6 - failures, throttle, 'failed')).toEqual([...Array(5 - failures).fill('failed'), 60])
      },
    )

    it('keeps the counter of a user whose guesses come between those at other names', async () => {
      const throttle = throttleOf({ maxEntries: 10 })
      const guesses = []
      for (let round = 0; round < 120; round++) {
        guesses.push(await login(throttle, 'failed', 'alice', source(round)))
        await flood(throttle, { names: 12, networks: 12 })
      }
      expect(guesses.filter((outcome) => outcome === 'failed').length).toBeLessThanOrEqual(100)
    })

    it('is bounded: further pairs of a source share a lock, and no other source does', async () => {
      const throttle = throttleOf({ maxEntries: 10 })
      for (let index = 0; index < 10; index++) await login(throttle, 'failed', `user${index}`, source(index))
      for (let index = 0; index < 5; index++) await login(throttle, 'failed', `name${index}`, '198.51.100.1')
      expect(await login(throttle, 'failed', 'name5', '198.51.100.1')).toBe(60)
      expect(await login(throttle, 'succeeded', 'name5', '198.51.100.2')).toBe('succeeded')
      expect(await login(throttle, 'succeeded', 'user0', source(0))).toBe('succeeded')
    })

    it('does not set the lock of a crowd back by the good login of one of it', async () => {
      const throttle = throttleOf({ maxEntries: 10 })
      for (let index = 0; index < 10; index++) await login(throttle, 'failed', `user${index}`, source(index))
      for (let index = 0; index < 4; index++) await login(throttle, 'failed', `name${index}`, '198.51.100.1')
      expect(await login(throttle, 'succeeded', 'mallory', '198.51.100.1')).toBe('succeeded')
      expect(await login(throttle, 'failed', 'name4', '198.51.100.1')).toBe('failed')
      expect(await login(throttle, 'failed', 'name5', '198.51.100.1')).toBe(60)
    })

    it('has a lock of their own for a user and a source with a good login, however full it is', async () => {
      const throttle = throttleOf({ maxEntries: 10 })
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      await flood(throttle, { names: 100, networks: 50 })
      for (let index = 0; index < 5; index++) await login(throttle, 'failed', `name${index}`, '203.0.113.7')
      expect(await login(throttle, 'succeeded', 'alice', '203.0.113.7')).toBe('succeeded')
      expect(await logins(6, throttle, 'failed', 'alice', '203.0.113.7')).toEqual([...Array(5).fill('failed'), 60])
    })

    it('has room again when windows have ended', async () => {
      const throttle = throttleOf({ maxEntries: 10 })
      await flood(throttle, { names: 100, networks: 20 })
      now += 32 * minute
      for (let index = 0; index < 6; index++) expect(await login(throttle, 'failed', `other${index}`)).toBe('failed')
    })

    it('answers every one of those who wait for a shared lock', async () => {
      const throttle = throttleOf({ maxEntries: 1 })
      await login(throttle, 'failed', 'first', source(1))
      const underWay = await Promise.all(
        Array.from({ length: 5 }, async (_, index) => throttle.start(`name${index}`, '198.51.100.1')),
      )
      const waiting = Array.from({ length: 5 }, (_, index) =>
        login(throttle, 'cancelled', `late${index}`, '198.51.100.1'),
      )
      now += hour
      await login(throttle, 'cancelled', 'second', source(2))
      for (const attempt of underWay) await (attempt as LoginAttempt).cancel()
      expect(await Promise.all(waiting)).toEqual(Array(5).fill('cancelled'))
    })

    it('is not taken by logins of which nothing becomes known', async () => {
      const throttle = throttleOf({ maxFailures: 1, maxEntries: 10 })
      await login(throttle, 'failed', 'first')
      for (let index = 0; index < 100; index++) await login(throttle, 'cancelled', `user${index}`, source(index))
      expect(await login(throttle, 'failed', 'first')).toBe(60)
    })

    it('keeps what a login under way counts on', async () => {
      const throttle = throttleOf({ maxFailures: 2, maxEntries: 2 })
      await login(throttle, 'failed')
      const underWay = (await throttle.start('alice', '192.0.2.1')) as LoginAttempt
      for (let index = 0; index < 10; index++) await login(throttle, 'failed', `user${index}`, source(index))
      await underWay.fail()
      expect(await login(throttle, 'failed')).toBe(60)
    })

    it('keeps good logins apart from failures', async () => {
      const throttle = throttleOf({ maxEntries: 10, maxUserFailures: 1 })
      await login(throttle, 'succeeded', 'alice', '203.0.113.7')
      for (let index = 0; index < 100; index++) await login(throttle, 'failed', `user${index}`, source(index))
      await login(throttle, 'failed')
      expect(await login(throttle, 'failed', 'alice', '192.0.2.9')).toBe(900)
      expect(await login(throttle, 'succeeded', 'alice', '203.0.113.7')).toBe('succeeded')
    })
  })
}
