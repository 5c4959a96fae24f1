import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createCode,
  digestOf,
  emptyRecord,
  isEnrolmentCode,
  lockedMs,
  type SecondFactorRecord,
  withFailure,
  withRecoveryCode,
  withStep,
} from '../../../lib/users/second-factor/record.js'

const day = 86_400_000

/** Guesses as fast as the locks allow, and answers how many there were until a moment. */
function guessUntil(record: SecondFactorRecord, end: number): { record: SecondFactorRecord; guesses: number } {
  let [now, guesses] = [0, 0]
  while (now < end && guesses < 1000) {
    const wait = lockedMs(record, now)
    now += wait
    if (now >= end || lockedMs(record, now) > 0) break
    record = withFailure(record, now)
    guesses++
  }
  return { record, guesses }
}

describe('wrong codes', () => {
  it('lock for a minute after five, and for twice as long each time, up to a day', () => {
    let record = emptyRecord
    const locks: number[] = []
    let now = 0
    for (let guess = 1; guess <= 75; guess++) {
      record = withFailure(record, now)
      if (guess % 5 !== 0) continue
      locks.push(lockedMs(record, now))
      now += lockedMs(record, now)
    }
    expect(locks.slice(0, 4)).toEqual([60_000, 120_000, 240_000, 480_000])
    expect(locks.at(-1)).toBe(day)
  })

  it('leave fifty-five guesses for the first day, and a hundred in all', () => {
    expect(guessUntil(emptyRecord, day).guesses).toBe(55)
    const { record } = guessUntil(emptyRecord, 365 * day)
    expect(record.failures).toBe(100)
    expect(lockedMs(record, 1000 * day)).toBe(day)
  })

  it('go on to lock for longer where the owner signs in between', () => {
    let { record } = guessUntil(emptyRecord, 60_000)
    record = withStep(record, 10)!
    expect(record.failures).toBe(0)
    for (let guess = 0; guess < 5; guess++) record = withFailure(record, 60_000)
    expect(lockedMs(record, 60_000)).toBe(120_000)
  })
})

it('takes a step once, and none before it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 })), (steps) => {
      let record: SecondFactorRecord = { ...emptyRecord, secret: 'A' }
      const taken: number[] = []
      for (const step of steps) {
        const next = withStep(record, step)
        if (next === undefined) continue
        taken.push(step)
        record = next
      }
      expect(taken).toEqual([...new Set(taken)].toSorted((one, other) => one - other))
    }),
  )
})

it('takes a recovery code once, and a setup code until its end', () => {
  const [code, other] = [createCode(), createCode()]
  const record = { ...emptyRecord, recovery: [code, other].map(digestOf) }
  const used = withRecoveryCode(record, code.toUpperCase())!
  expect(withRecoveryCode(used, code)).toBeUndefined()
  expect(withRecoveryCode(used, other)).toBeDefined()
  const invited = { ...emptyRecord, enrolment: { digest: digestOf(code), endsAt: 1000 } }
  expect([999, 1000].map((now) => isEnrolmentCode(invited, code, now))).toEqual([true, false])
  expect(isEnrolmentCode(invited, other, 0)).toBe(false)
})
