import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { SecurityEvents } from '../../lib/core/events.js'
import { quantile } from '../../lib/metrics/history.js'
import { SecurityMetrics } from '../../lib/metrics/security-metrics.js'
import { document } from '../helpers/front.js'
import { recordedLog } from '../helpers/recorded-log.js'

afterEach(() => vi.useRealTimers())

function startMetrics() {
  vi.useFakeTimers({ now: Date.parse('2026-11-29T12:00:00Z') })
  const events = new SecurityEvents(recordedLog().logger)
  const metrics = new SecurityMetrics(['PRIMARY', '__proto__'])
  metrics.count(events)
  const fill = vi.fn(async () => [{ kind: 'management' as const, count: 3, capacity: 200 }])
  const sources = { fill, hashQueue: { running: 0, waiting: 0 }, connections: () => 0, certificateMs: () => undefined }
  metrics.start(sources, Date.now, true)
  return { events, metrics, fill }
}

const login = { at: 0, address: undefined, subject: 'alice', tokenId: 'x', kind: 'management' } as const
const refused = { at: 0, address: undefined, userName: 'alice', reason: 'wrong-password', kind: 'portal' } as const

describe('the history', () => {
  it('has what happened in each ten seconds and since then, and how it stood at their end', async () => {
    const { events, metrics } = startMetrics()
    events.emit('login', login)
    events.emit('loginRefused', refused)
    events.emit('refusal', { code: 'ERR_IP_NOT_ALLOWED' } as never)
    metrics.observer('PRIMARY')(4)
    metrics.observer('__proto__')(4, new Error('away'))
    await vi.advanceTimersByTimeAsync(10_000)
    events.emit('login', login)
    await vi.advanceTimersByTimeAsync(16_000)
    events.emit('login', login)
    const { history, at } = await metrics.report()
    expect(at).toBe('2026-11-29T12:00:26.000Z')
    expect(history.points).toEqual([
      {
        at: '2026-11-29T12:00:10.000Z',
        logins: { success: 1, refused: 1 },
        refusals: { address: 1 },
        tokens: { management: 3 },
        storeLatencyMs: Object.fromEntries([
          ['PRIMARY', 4.88],
          ['__proto__', 4.88],
        ]),
      },
      {
        at: '2026-11-29T12:00:20.000Z',
        logins: { success: 1, refused: 0 },
        refusals: {},
        tokens: { management: 3 },
        storeLatencyMs: {},
      },
      {
        at: '2026-11-29T12:00:26.000Z',
        logins: { success: 1, refused: 0 },
        refusals: {},
        tokens: { management: 3 },
        storeLatencyMs: {},
      },
    ])
    metrics.close()
  })

  it('keeps an hour, and no timer after close', async () => {
    const { metrics } = startMetrics()
    await vi.advanceTimersByTimeAsync(2 * 3_600_000)
    const { points } = (await metrics.report()).history
    expect(points).toHaveLength(360)
    expect(points.at(-1)!.at).toBe('2026-11-29T14:00:00.000Z')
    metrics.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes on without the tokens while their store is away', async () => {
    const { metrics, fill } = startMetrics()
    fill.mockRejectedValue(new Error('away'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect((await metrics.report()).history.points).toMatchObject([{ tokens: {} }, { tokens: {} }])
    expect(await metrics.text()).not.toContain('sallyport_tokens{')
    metrics.close()
  })

  it('asks the store at most once in five seconds, however many read', async () => {
    const { metrics, fill } = startMetrics()
    await Promise.all(Array.from({ length: 100 }, () => metrics.text()))
    expect(fill).toHaveBeenCalledOnce()
    metrics.close()
  })

  it('ends with the front', async () => {
    vi.useFakeTimers()
    const security = await createSecurity(document(), { logger: recordedLog().logger })
    const running = vi.getTimerCount()
    expect(running).toBeGreaterThan(0)
    await security.close()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a quantile of buckets', () => {
  const counts = (entries: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: 15 }, (_, index) => entries[index] ?? 0)

  it.each([
    [{ 0: 100 }, 0.000475],
    [{ 3: 95, 6: 5 }, 0.005],
    [{ 3: 94, 6: 6 }, 0.025 + 0.025 / 6],
    [{ 14: 1 }, 10],
  ])('of %o is about %d seconds', (entries, expected) => {
    expect(quantile(counts(entries), 0.95)).toBeCloseTo(expected, 2)
  })
})
