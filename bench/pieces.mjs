/**
 * Measures single pieces: address look-up, path rules, issue of tokens. Run as a process of its own; it sends its rows to
 * the parent.
 *
 * @module
 */

import { createKeyRing, createTokens, MemoryTokenStore } from '../dist/index.js'
import { networkSet } from '../dist/internal/network-set.js'
import { compilePathRules } from '../dist/internal/path-rules.js'
import { tokenId } from '../dist/internal/token-id.js'
import { hundredThousandNetworks } from './servers/networks.mjs'

const roundMs = Number(process.argv[2] ?? 300)

/** Microseconds of one call: the median of nine rounds. Each call gets another of the values. */
function microseconds(values, work) {
  const rounds = []
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
  return rounds.sort((left, right) => left - right)[4]
}

function addressLookUp() {
  const networks = hundredThousandNetworks()
  const isCovered = networkSet(networks)
  const addresses = Array.from({ length: 1000 }, (_, number) => networks[1 + number * 97].replace('.0/22', '.7'))
  return microseconds(addresses, isCovered)
}

function pathRules() {
  const rules = Array.from({ length: 10 }, (_, number) => ({ path: `/section-${number}/settings` }))
  const { decide } = compilePathRules({ rules, defaultPolicy: 'authenticated', publicPaths: [] })
  const paths = Array.from({ length: 100 }, (_, number) => `/section-${number % 12}/settings/${number}`)
  return microseconds(paths, (path) => decide('GET', path) !== undefined)
}

function tokenDigest() {
  const tokens = Array.from({ length: 200 }, (_, number) => `${'x'.repeat(650)}${number}`)
  return microseconds(tokens, (token) => tokenId('management', token) !== '')
}

/** Tokens a second on one core, eight under way at a time. */
async function tokenIssue() {
  const store = new MemoryTokenStore({ maxSize: 10_000 })
  const keys = await createKeyRing({ algorithm: 'RS256', rsaBits: 2048 })
  const tokens = createTokens({ store, keys, issuer: 'urn:bench', audience: 'bench', expirySeconds: 3600 })
  const account = { subject: 'user', roles: [], isAdmin: false, version: '1' }
  let issued = 0
  const begin = performance.now()
  const issueUntilEnd = async () => {
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

process.send([
  {
    piece: 'address look-up, 100 000 networks, another address each time',
    value: addressLookUp(),
    unit: 'us',
    limit: 0.15,
  },
  { piece: 'ten path rules', value: pathRules(), unit: 'us' },
  { piece: 'digest of a token of 650 characters', value: tokenDigest(), unit: 'us' },
  { piece: 'token issued, RS256 2048', value: await tokenIssue(), unit: 'per second and core', floor: 2500 },
])
process.disconnect()
