import { describe, expect, it, vi } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { Health, type Probe } from '../../lib/health/health.js'
import { bearer, document, startFront } from '../helpers/front.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { oneSetUp } from '../helpers/set-ups.js'

const account = { subject: 'admin', roles: [], isAdmin: true, version: '1' }

/** A user store of an app that answers `ping` as it is told. */
function storeWith(ping: () => Promise<void>) {
  return { authenticate: async () => ({ account }), find: async () => account, close() {}, ping }
}

function healthOf(...probes: readonly Probe[]) {
  const log = recordedLog()
  let now = Date.parse('2026-11-29T12:00:00Z')
  const health = new Health({ probes, clock: () => now, logger: log.logger, timeoutMs: 50, keptMs: 0 })
  return {
    health,
    log,
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('the state of a front', () => {
  it('is not ready within two seconds where the user store hangs', async () => {
    const front = await startFront(oneSetUp, {
      source: document({ internalApis: { users: [] } }),
      options: { userStore: storeWith(() => new Promise(() => {})) },
    })
    const startedAt = performance.now()
    const answer = await front.call('GET', '/health/ready')
    expect([answer.status, answer.body]).toEqual([503, '{"status":"fail"}'])
    expect(performance.now() - startedAt).toBeLessThan(2000)
    expect((await front.call('GET', '/health/live')).status).toBe(200)
  })

  it('tells administrators why, and since when, without the password in a URL', async () => {
    const ping = vi.fn(async () => {
      throw new StoreError('cannot connect', { cause: new Error('to db://user:ge/h@eim@host/x\nrefused') })
    })
    const front = await startFront(oneSetUp, {
      options: { userStore: storeWith(ping), clock: () => Date.parse('2026-11-29T12:00:00Z') },
    })
    const token = await front.login()
    const answer = await front.call('GET', '/health', [bearer(token)])
    expect(answer.json()).toMatchObject({ status: 'fail' })
    expect(answer.json<{ checks: readonly object[] }>().checks[1]).toEqual({
      name: 'user store PRIMARY',
      status: 'fail',
      since: '2026-11-29T12:00:00.000Z',
      latencyMs: expect.any(Number),
      detail: 'cannot connect (to db://***@host/x refused)',
    })
  })

  it('was well from the start on where it is so when it is asked first, and the process until it shuts down', async () => {
    const { health, pass } = healthOf({ name: 'token store', ask: () => ({ status: 'pass' }) })
    pass(60_000)
    const since = async (): Promise<readonly string[]> =>
      (await health.report()).checks.map((check) => check.since.slice(11, 19))
    expect(await since()).toEqual(['12:00:00', '12:00:00'])
    pass(60_000)
    health.shutDown()
    expect(await since()).toEqual(['12:02:00', '12:00:00'])
  })

  it('asks each part once a second, however many want to know', async () => {
    const ping = vi.fn(async () => {})
    const front = await startFront(oneSetUp, { options: { userStore: storeWith(ping) } })
    await Promise.all(Array.from({ length: 50 }, () => front.call('GET', '/health/ready')))
    expect(ping.mock.calls.length).toBeLessThanOrEqual(2)
  })

  it('is ready while only the account for emergencies can log in: it has to reach the process', async () => {
    const ping = async () => {
      throw new StoreError('away')
    }
    const { hashPassword } = await import('../../lib/users/passwords/password-hash.js')
    const break_glass = { enable: true, user: 'helper', password: await hashPassword('x'), allow: ['127.0.0.1'] }
    const front = await startFront(oneSetUp, {
      source: document({ managementApi: { break_glass } }),
      options: { userStore: storeWith(ping) },
    })
    expect((await front.call('GET', '/health/ready')).status).toBe(200)
  })

  it('asks a part that hangs not again before it has answered', async () => {
    let answer = (): void => {}
    const ask = vi.fn(
      () =>
        new Promise<{ status: 'pass' }>((resolve) => {
          answer = () => resolve({ status: 'pass' })
        }),
    )
    const { health } = healthOf({ name: 'slow', ask })
    expect(await health.isReady()).toBe(false)
    expect(await health.isReady()).toBe(false)
    expect(ask).toHaveBeenCalledOnce()
    answer()
    await vi.waitFor(async () => expect(await health.isReady().then(() => ask.mock.calls.length)).toBe(2))
  })

  it('is a warning where a part is not needed, and says so in the log once until it changes', async () => {
    let isAway = true
    const { health, log, pass } = healthOf({
      name: 'user store SALES',
      failure: 'warn',
      ask: () => {
        if (isAway) throw new StoreError('the directory cannot be reached')
        return { status: 'pass' }
      },
    })
    expect(await health.report()).toMatchObject({ status: 'warn' })
    pass(60_000)
    const { checks } = await health.report()
    expect(checks[1]).toMatchObject({ status: 'warn', since: '2026-11-29T12:00:00.000Z' })
    expect(await health.isReady()).toBe(true)
    isAway = false
    expect((await health.report()).checks[1]).toMatchObject({ status: 'pass', since: '2026-11-29T12:01:00.000Z' })
    expect(log.entries.map(({ message }) => message)).toEqual([
      'health: user store SALES: the directory cannot be reached',
      'health: user store SALES is well again',
    ])
  })
})
