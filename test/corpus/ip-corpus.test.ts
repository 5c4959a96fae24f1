import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ipAllowList } from '../../lib/middleware/ip-allow-list.js'
import {
  type AddressCourt,
  addressEntries,
  addressPolicies,
  expectedOutcome,
  openAddressCourt,
  quiet,
} from '../helpers/ip-corpus.js'

// Covers: F01 F02 F03 F04 F06
describe('ip-corpus.json', () => {
  let court: AddressCourt

  beforeAll(async () => {
    court = await openAddressCourt()
  })
  afterAll(() => court[Symbol.asyncDispose]())

  it('has an outcome for each entry, and a policy for no other', () => {
    const open = addressEntries.filter((entry) => entry.expect === 'policy').map(({ id }) => id)
    expect(Object.keys(addressPolicies).sort()).toEqual(open.sort())
    expect(addressEntries.length).toBeGreaterThan(150)
  })

  it.each(addressEntries.map((entry) => [entry.id, entry.note, entry] as const))(
    '%s: %s',
    async (_id, _note, entry) => {
      const outcome = await court.outcomeOf(entry, (allow) =>
        ipAllowList({ networks: allow as string[], logger: quiet }),
      )
      expect(outcome).toBe(expectedOutcome(entry))
    },
  )
})
