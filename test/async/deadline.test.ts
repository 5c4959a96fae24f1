import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDeadline, untilAborted, within } from '../../lib/async/deadline.js'
import { deferred } from '../users/deferred.js'

const never = new Promise<never>(() => {})
const late = () => new Error('late')

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe('a deadline', () => {
  it('aborts with its error when the time is up', () => {
    const deadline = startDeadline(1000, late)
    vi.advanceTimersByTime(999)
    expect(deadline.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(deadline.signal.reason).toEqual(late())
  })

  it.each([2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('of %d ms is not over at once', (timeoutMs) => {
    const deadline = startDeadline(timeoutMs, late)
    vi.advanceTimersByTime(60_000)
    expect(deadline.signal.aborted).toBe(false)
    deadline.end()
  })

  it('is over at once for a caller that has gone', () => {
    const deadline = startDeadline(1000, late, AbortSignal.abort('gone'))
    expect(deadline.signal.reason).toBe('gone')
    deadline.end()
  })

  it('ignores its caller once it has ended', () => {
    const caller = new AbortController()
    const deadline = startDeadline(1000, late, caller.signal)
    deadline.end()
    caller.abort()
    expect(deadline.signal.aborted).toBe(false)
  })
})

describe('work until a signal is aborted', () => {
  it('is not waited for when that was before', async () => {
    await expect(untilAborted(never, AbortSignal.abort('gone'))).rejects.toBe('gone')
  })

  it('keeps its own outcome, good or bad', async () => {
    const { signal } = new AbortController()
    const failed = new Error('failed')
    expect(await untilAborted(Promise.resolve('good'), signal)).toBe('good')
    await expect(untilAborted(Promise.reject(failed), signal)).rejects.toBe(failed)
  })

  it('drops an outcome that comes too late', async () => {
    const [good, bad] = [deferred<string>(), deferred<string>()]
    const caller = new AbortController()
    const waits = [good, bad].map(({ promise }) => untilAborted(promise, caller.signal))
    caller.abort('gone')
    good.resolve('connection')
    bad.reject(new Error('dropped'))
    expect(await Promise.allSettled(waits)).toEqual(Array(2).fill({ status: 'rejected', reason: 'gone' }))
  })
})

describe('work within a time limit', () => {
  it('is rejected with the error when it takes longer', async () => {
    const wait = within(never, 1000, late)
    vi.advanceTimersByTime(1000)
    await expect(wait).rejects.toThrow('late')
  })

  it('clears its timer when the work has ended', async () => {
    expect(await within(Promise.resolve(7), 1000, late)).toBe(7)
    await expect(within(Promise.reject(new Error('failed')), 1000, late)).rejects.toThrow('failed')
  })
})
