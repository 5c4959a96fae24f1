import * as crypto from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'

/** Digests that were made. */
const digests = vi.hoisted(() => ({ count: 0 }))
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:crypto')>()
  return {
    ...original,
    hash(...values: Parameters<typeof original.hash>) {
      digests.count++
      return original.hash(...values)
    },
  }
})

const { standInChoice } = await import('../../../lib/users/file/file-user-store.js')

const hashOf = (settings: string, number: number): string =>
  `${settings}$${crypto.createHash('sha256').update(`${settings} ${number}`).digest('base64url')}$digest`
const hashesOf = (settings: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => hashOf(settings, index))

const quick = '$argon2id$v=19$m=19456,t=2,p=1'
const slow = '$scrypt$ln=17,r=8,p=8'
const bcryptHashes = ['$2b$10$', '$2b$14$'].map((start) => start + 'a'.repeat(53))
const few = [...hashesOf(slow, 1), ...hashesOf(quick, 3)]
const many = [...hashesOf(slow, 250), ...hashesOf(quick, 750)]
const names = Array.from({ length: 4000 }, (_, index) => `name${index}`)

function shareOf(hashes: readonly string[], start: string): number {
  const standInHash = standInChoice(hashes)
  return names.filter((name) => standInHash(name)?.startsWith(start)).length / names.length
}

beforeEach(() => {
  digests.count = 0
})

// Covers: A10
describe('the hash that stands in for one that a name does not have', () => {
  it('is always the same for a name, whatever the order of the users', () => {
    for (const hashes of [few, many]) {
      const [standInHash, reversed] = [standInChoice(hashes), standInChoice(hashes.toReversed())]
      for (const name of names.slice(0, 100)) expect(reversed(name)).toBe(standInHash(name))
    }
  })

  it('is each of a few as often as another', () => {
    const standInHash = standInChoice(few)
    for (const hash of few) {
      const share = names.filter((name) => standInHash(name) === hash).length / names.length
      expect(share).toBeGreaterThan(0.22)
      expect(share).toBeLessThan(0.28)
    }
  })

  it.each([
    ['a few', few, 0.25],
    ['many', many, 0.25],
    ['bcrypt, where the cost stands before the salt without a mark', bcryptHashes, 0],
    ['one slow among many', [...hashesOf(quick, 99), ...hashesOf(slow, 1)], 0.01],
  ])('has each cost as often as users have it: %s', (_which, hashes, expected) => {
    const share = shareOf(hashes, slow)
    expect(share).toBeGreaterThanOrEqual(expected * 0.7)
    expect(share).toBeLessThanOrEqual(expected * 1.3)
    if (hashes === bcryptHashes) expect(shareOf(hashes, '$2b$14')).toBeCloseTo(0.5, 1)
  })

  it('stays the same when another user goes', () => {
    const [earlier, later] = [standInChoice(few), standInChoice(few.slice(1))]
    for (const name of names) if (earlier(name) !== few[0]) expect(later(name)).toBe(earlier(name))
  })

  it('stays the same for nearly all names when one of many users goes', () => {
    const [earlier, later] = [standInChoice(many), standInChoice(many.slice(1))]
    expect(names.filter((name) => earlier(name) !== later(name)).length / names.length).toBeLessThan(0.03)
  })

  it('costs no more digests for 10 000 users than for 100', () => {
    const costs = [100, 10_000].map((count) => {
      const standInHash = standInChoice([...hashesOf(quick, count), ...hashesOf(slow, count)])
      digests.count = 0
      standInHash('alice')
      return digests.count
    })
    expect(costs[0]).toBeGreaterThan(0)
    expect(costs[1]).toBe(costs[0])
  })

  it('is none where nobody has one', () => {
    expect(standInChoice([])('alice')).toBeUndefined()
  })
})
