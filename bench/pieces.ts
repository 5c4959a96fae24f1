/**
 * Measures single pieces: address look-up, path rules, issue of tokens. Run as a process of its own; it sends its rows to
 * the parent.
 *
 * @module
 */

import { networkSet } from '../lib/addresses/network-set.js'
import { compilePathRules } from '../lib/paths/rules.js'
import { createKeyRing } from '../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../lib/tokens/memory/memory-token-store.js'
import { createTokens } from '../lib/tokens/tokens.js'

const roundMs = Number(process.argv[2] ?? 300)

/** Microseconds of one call: the median of nine rounds. Each call gets another of the values. */
function microseconds<Value>(values: readonly Value[], work: (value: Value) => boolean): number {
  const rounds: number[] = []
  for (let round = 0; round < 9; round++) {
    let calls = 0
    let hits = 0
    const begin = performance.now()
    while (performance.now() - begin < roundMs / 9) {
      for (const value of values) if (work(value)) hits++
      calls += values.length
    }
    // The result is used, or the compiler could leave the work out.
    if (hits === 0) throw new Error('nothing was found')
    rounds.push(((performance.now() - begin) * 1000) / calls)
  }
  return rounds.sort((left, right) => left - right)[4]!
}

function addressLookUp(): number {
  // Of 1024 addresses each; they do not touch each other.
  const networks = Array.from(
    { length: 100_000 },
    (_, number) => `${1 + (number >> 13)}.${(number >> 5) & 255}.${(number & 31) * 8}.0/22`,
  )
  const addresses = Array.from({ length: 1000 }, (_, number) => networks[number * 97]!.replace('.0/22', '.7'))
  return microseconds(addresses, networkSet(networks))
}

function pathRules(): number {
  const rules = Array.from({ length: 10 }, (_, number) => ({ path: `/section-${number}/settings` }))
  const { decide } = compilePathRules({ rules, defaultPolicy: 'authenticated', publicPaths: [] })
  const paths = Array.from({ length: 100 }, (_, number) => `/section-${number % 12}/settings/${number}`)
  return microseconds(paths, (path) => decide('GET', path) !== undefined)
}

/** Tokens a second on one core, eight under way at a time. */
async function tokenIssue(): Promise<number> {
  const store = new MemoryTokenStore({ maxSize: 10_000 })
  const keys = await createKeyRing({ algorithm: 'RS256', rsaBits: 2048 })
  const tokens = createTokens({ store, keys, issuer: 'urn:bench', audience: 'bench', expiryMs: 3_600_000 })
  const account = { subject: 'user', roles: [], isAdmin: false, version: '1' }
  let issued = 0
  const begin = performance.now()
  const issueUntilEnd = async (): Promise<void> => {
    while (performance.now() - begin < 3 * roundMs) {
      await tokens.issue(account)
      issued++
    }
  }
  await Promise.all(Array.from({ length: 8 }, issueUntilEnd))
  const perSecond = issued / ((performance.now() - begin) / 1000)
  await tokens.close()
  return perSecond
}

process.send?.([
  ['address look-up, 100 000 networks, another address each time', `${addressLookUp().toFixed(2)} us`],
  ['ten path rules', `${pathRules().toFixed(2)} us`],
  ['tokens issued, RS256 2048', `${Math.round(await tokenIssue())} per second and core`],
])
process.disconnect()
