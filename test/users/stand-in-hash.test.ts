import { describe, expect, it } from 'vitest'
import { standInHash } from '../../lib/users/stand-in-hash.js'

const hashes = ['slow', 'quick-1', 'quick-2', 'quick-3']
const names = Array.from({ length: 4000 }, (_, index) => `name${index}`)

// Covers: A10
describe('the hash that stands in for one that a name does not have', () => {
  it('is always the same for a name, whatever the order of the users', () => {
    for (const name of names.slice(0, 100)) {
      expect(standInHash(name, hashes.toReversed())).toBe(standInHash(name, hashes))
    }
  })

  it('is each of them as often as another', () => {
    for (const hash of hashes) {
      const share = names.filter((name) => standInHash(name, hashes) === hash).length / names.length
      expect(share).toBeGreaterThan(0.22)
      expect(share).toBeLessThan(0.28)
    }
  })

  it('stays the same when another user goes', () => {
    for (const name of names) {
      const before = standInHash(name, hashes)
      const after = standInHash(name, hashes.slice(1))
      if (before !== 'slow') expect(after).toBe(before)
    }
  })

  it('is none where nobody has one', () => {
    expect(standInHash('alice', [])).toBeUndefined()
  })
})
