import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { LoginNumbers } from '../../../lib/tokens/external/login-numbers.js'

describe('the numbers of the log that logins knew', () => {
  it('are those that were learned before a login began', () => {
    const numbers = new LoginNumbers()
    numbers.note(5, 1000)
    numbers.note(6, 2000)
    expect(numbers.knownAt(1500, 3000)).toBe(5)
    expect(numbers.knownAt(2000, 3000)).toBe(5)
    expect(numbers.knownAt(2001, 3000)).toBe(6)
  })

  it('are not known of a login that began before the first one was learned', () => {
    const numbers = new LoginNumbers()
    expect(() => numbers.knownAt(1000, 1000)).toThrow(StoreError)
    numbers.note(5, 2000)
    expect(() => numbers.knownAt(1999, 3000)).toThrow(StoreError)
  })

  it('are not known of a login under way when the clock was set back', () => {
    const numbers = new LoginNumbers()
    numbers.note(5, 10_000)
    numbers.note(6, 20_000)
    expect(() => numbers.knownAt(19_000, 12_000)).toThrow(/the clock was set back/)
    expect(numbers.knownAt(12_001, 12_100)).toBe(6)
  })
})
