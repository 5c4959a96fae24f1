import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { msSince, presentMoment } from '../../lib/core/moment.js'
import { SharedClock } from '../../lib/core/shared-clock.js'

describe('the clock of a shared store in a process', () => {
  // However long the test takes, no time passes.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('is as exact as its best answer: one that was under way for long says nothing', () => {
    const clock = new SharedClock()
    const time = 1_900_000_000_000
    clock.set(time, performance.now())
    expect(Math.abs(clock.now() - time)).toBeLessThan(1000)
    const before = clock.now()
    // The process stood still for ten seconds between the request and its answer.
    clock.set(clock.now() - 10_000, performance.now() - 10_000)
    expect(clock.now()).toBeGreaterThanOrEqual(before)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  it('follows that of another server, and one that was set', () => {
    const clock = new SharedClock()
    clock.set(1_900_000_000_000, performance.now())
    for (const time of [1_900_003_600_000, 1_899_996_400_000]) {
      clock.set(time, performance.now())
      expect(Math.abs(clock.now() - time)).toBeLessThan(1000)
    }
  })

  it('does not go back by less than a second', () => {
    const clock = new SharedClock()
    clock.set(1_900_000_000_500, performance.now())
    const before = clock.now()
    clock.set(1_900_000_000_000, performance.now())
    expect(clock.now()).toBeGreaterThanOrEqual(before)
  })
})

describe('the time since a moment', () => {
  it('counts the sleep of a machine, and no clock that was set back', () => {
    const { now } = Date
    onTestFinished(() => {
      Date.now = now
    })
    const moment = presentMoment()
    expect(msSince(moment)).toBeLessThan(10_000)
    Date.now = () => now() + 3_600_000
    expect(msSince(moment)).toBeGreaterThanOrEqual(3_600_000)
    Date.now = () => now() - 3_600_000
    expect(msSince({ ...moment, monotonic: moment.monotonic - 5000 })).toBeGreaterThanOrEqual(5000)
  })
})
