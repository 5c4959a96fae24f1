/**
 * Chooses what is verified for a name that has no password hash, so that the time of a login does not tell which names do.
 *
 * @module
 */

import { hash as digest } from 'node:crypto'

/** Hashes of one cost that are chosen from. More would make no difference that a clock could tell. */
const maxCandidates = 16

interface Candidate {
  readonly hash: string
  /** How many users it stands for. */
  readonly weight: number
}

/**
 * Makes the choice among the hashes of a store's users: `undefined` for every name when there are none.
 *
 * Users may have hashes that differ much in cost: argon2id in 10 ms, an old bcrypt hash in a second. Whatever single cost an
 * unknown name had, all users of another cost would be known by it. So each name gets a user's hash, always the same one, and
 * each cost as often as users have it: as many unknown names as users are slow, and no name shows which it is. The hashes
 * themselves are the secret key of the choice. The lowest score wins (weighted rendezvous hashing), so that when a user comes,
 * goes or changes the password, hardly any other name gets another hash; a choice that changed for all of them would give away
 * the names whose time stays the same. Candidates are a few hashes of each cost, those with the lowest digests, so that a
 * choice costs the same however many users there are.
 */
export function standInChoice(hashes: readonly string[]): (name: string) => string | undefined {
  const hashesByCost = new Map<string, string[]>()
  for (const hash of hashes) {
    const cost = costOf(hash)
    const others = hashesByCost.get(cost)
    if (others === undefined) hashesByCost.set(cost, [hash])
    else others.push(hash)
  }
  const candidates = [...hashesByCost.values()].flatMap(candidatesAmong)

  return function standInHash(name) {
    let chosen: string | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (const { hash, weight } of candidates) {
      const score = -Math.log(fractionOf(`${hash}\0${name}`)) / weight
      if (score >= lowest) continue
      lowest = score
      chosen = hash
    }
    return chosen
  }
}

/** Kind and parameters: what stands before the salt of a PHC string, or of a bcrypt hash. */
function costOf(hash: string): string {
  return /^\$2[a-z]?\$\d\d|^.*(?=\$[^$]*\$[^$]*$)/.exec(hash)?.[0] ?? hash
}

function candidatesAmong(hashes: readonly string[]): readonly Candidate[] {
  const chosen = hashes
    .map((hash) => ({ hash, order: digest('sha256', hash) }))
    .sort((one, other) => (one.order < other.order ? -1 : 1))
    .slice(0, maxCandidates)
  return chosen.map(({ hash }) => ({ hash, weight: hashes.length / chosen.length }))
}

/** A number above 0 and up to 1, evenly spread. */
function fractionOf(text: string): number {
  return (Number.parseInt(digest('sha256', text).slice(0, 12), 16) + 1) / 2 ** 48
}
