import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isWithin } from '../../../lib/config/values/key-path.js'
import { PathSet } from '../../../lib/config/values/path-set.js'

const path = fc.array(fc.constantFrom('a', 'b', 0, 1), { minLength: 1, maxLength: 4 })

it('finds what is around a key, and what is below it', () => {
  fc.assert(
    fc.property(fc.array(path), path, (members, key) => {
      const set = new PathSet(members)
      expect(set.hasAround(key)).toBe(members.some((member) => isWithin(key, member)))
      expect(set.hasWithin(key)).toBe(members.some((member) => isWithin(member, key)))
    }),
  )
})
