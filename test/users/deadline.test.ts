import { describe, expect, it } from 'vitest'
import { startDeadline, untilAborted } from '../../lib/users/deadline.js'

const never = new Promise<never>(() => {})

describe('a deadline', () => {
  it('is over at once for a caller that has gone', () => {
    const deadline = startDeadline(1000, AbortSignal.abort('gone'))
    expect(deadline.signal.reason).toBe('gone')
    deadline.end()
  })

  it('hears no more of its caller when it has ended', () => {
    const caller = new AbortController()
    const deadline = startDeadline(1000, caller.signal)
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
})
