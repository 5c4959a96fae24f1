import { describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { Revocations } from '../../lib/tokens/revocations.js'

const failing = { remove: () => Promise.reject(new StoreError('gone')) }
const record = { id: 'a token', subject: 'alice', issuedAt: 0 }

describe('a revocation that the store has not taken', () => {
  it('is not forgotten for records that clients only name', async () => {
    const revocations = new Revocations(() => 1000)
    await revocations.end(record.id, failing).catch(() => undefined)
    for (let count = 0; count < 10_001; count++)
      await revocations.end(`${count}`, failing, false).catch(() => undefined)
    expect(revocations.isRevoked(record)).toBe(true)
    expect(revocations.isRevoked({ id: '10000' })).toBe(true)
    expect(await revocations.retry(record.id, { remove: () => true })).toBe(true)
    expect(revocations.isRevoked(record)).toBe(false)
  })

  it('stays in force when the clock is set back', async () => {
    let now = 100_000
    const revocations = new Revocations(() => now)
    await revocations.end(record.id, failing).catch(() => undefined)
    await revocations.endAllOf('bob', { removeBySubject: failing.remove }).catch(() => undefined)
    now -= 60_000
    expect(revocations.isRevoked(record)).toBe(true)
    expect(revocations.isRevoked({ id: 'another', subject: 'bob', issuedAt: 0 })).toBe(true)
  })
})
