import { describe, expect, it } from 'vitest'
import {
  createDeadline,
  isAnnounced,
  minutesAndSeconds,
  retryDelayMs,
  secondsUntil,
} from '../../lib/browser/countdown.js'

const minuteMs = 60_000
const times = { idleRemainingMs: 10 * minuteMs, absoluteRemainingMs: 60 * minuteMs, idleTimeoutMs: 15 * minuteMs }

describe('deadlineOf', () => {
  it('ends with the idle time, and warns before', () => {
    expect(createDeadline(times, 5000, minuteMs)).toEqual({ endsAt: 605_000, warnsAt: 545_000, canExtend: true })
  })

  it.each([
    ['shorter than', 4 * minuteMs],
    ['equal to', 10 * minuteMs],
  ])('cannot be put off where what is left of the longest life is %s the idle time', (_what, absoluteRemainingMs) => {
    const deadline = createDeadline({ ...times, absoluteRemainingMs }, 0, minuteMs)
    expect(deadline).toMatchObject({ endsAt: absoluteRemainingMs, canExtend: false })
  })

  it('warns half-way through an idle time-out that is shorter than the warning', () => {
    const short = { ...times, idleRemainingMs: 30_000, idleTimeoutMs: 30_000 }
    expect(createDeadline(short, 0, minuteMs)).toMatchObject({ warnsAt: 15_000, endsAt: 30_000 })
  })

  it('ends at once where less than nothing is left', () => {
    expect(createDeadline({ ...times, idleRemainingMs: -1 }, 1000, minuteMs).endsAt).toBe(1000)
  })
})

it.each([
  [60_000, 0, 60],
  [60_000, 1, 60],
  [60_000, 1000, 59],
  [60_000, 59_999, 1],
  [60_000, 60_000, 0],
  [60_000, 70_000, 0],
])('counts the second under way: until %d at %d it is %d', (endsAt, now, seconds) => {
  expect(secondsUntil(endsAt, now)).toBe(seconds)
})

it.each([
  [0, '0:00'],
  [5, '0:05'],
  [65, '1:05'],
  [600, '10:00'],
])('shows %d seconds as %s', (seconds, text) => {
  expect(minutesAndSeconds(seconds)).toBe(text)
})

it.each([
  [31, 32, false],
  [30, 31, true],
  [29, 30, false],
  [10, 11, true],
  [9, 10, false],
  [5, 45, true],
])('says %d seconds after %d: %s', (seconds, before, isSaid) => {
  expect(isAnnounced(seconds, before)).toBe(isSaid)
})

it('asks again after one second at first, and after half a minute at most', () => {
  expect([1, 2, 3, 4, 5, 6, 100].map(retryDelayMs)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
})
