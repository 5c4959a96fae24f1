import { afterEach, describe, expect, it, vi } from 'vitest'
import { toHandler, type Verdict } from '../../lib/http/gate.js'

describe('a gate that gives no verdict', () => {
  afterEach(() => vi.useRealTimers())

  // Covers: E09 K03
  it.each([
    ['lets the request pass', undefined],
    ['has answered', 'answered'],
    ['refuses', new Error('late')],
  ] as const)('refuses after 30 seconds with 503, and is not heard when it then %s', async (_what, late) => {
    vi.useFakeTimers()
    let settle = (_verdict: Verdict): void => {}
    const refused: unknown[] = []
    const next = vi.fn()
    const verdict = new Promise<Verdict>((resolve, reject) => {
      settle = late instanceof Error ? () => reject(late) : resolve
    })
    const handler = toHandler({ gates: [() => verdict] }, (error) => void refused.push(error))
    handler({ rawHeaders: [] } as never, {} as never, next)
    await vi.advanceTimersByTimeAsync(29_999)
    expect(refused).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(refused).toMatchObject([
      {
        status: 503,
        code: 'ERR_STORE_UNAVAILABLE',
        headers: { 'Retry-After': '5' },
        cause: expect.objectContaining({ message: 'no answer within 30 seconds' }),
      },
    ])
    settle(late as Verdict)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(refused).toHaveLength(1)
    expect(next).not.toHaveBeenCalled()
  })

  it('leaves no timer behind when it gives one', async () => {
    vi.useFakeTimers()
    const next = vi.fn()
    toHandler(async () => undefined)({ rawHeaders: [] } as never, {} as never, next)
    await vi.advanceTimersByTimeAsync(0)
    expect(next).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })
})
