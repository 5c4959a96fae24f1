/**
 * Chooses what is verified for a name that has no password hash, so that the time of a login does not tell which names do.
 *
 * @module
 */

import { hash as digest } from 'node:crypto'

/**
 * One of the hashes of a store's users; `undefined` when there are none.
 *
 * Users may have hashes that differ much in cost: argon2id in 10 ms, an old bcrypt hash in a second. Whatever single cost an
 * unknown name had, all users of another cost would be known by it. So each name gets a user's hash, always the same one and
 * each with equal chance: as many unknown names as users are slow, and no name shows which it is. The hashes themselves are
 * the secret key of the choice. The highest digest wins (rendezvous hashing), so that when a user comes, goes or changes the
 * password, hardly any other name gets another hash; a choice that changed for all of them would give away the names whose
 * time stays the same.
 */
export function standInHash(name: string, hashes: readonly string[]): string | undefined {
  let chosen: string | undefined
  let highest = ''
  for (const hash of hashes) {
    const score = digest('sha256', `${hash}\0${name}`)
    if (score <= highest) continue
    highest = score
    chosen = hash
  }
  return chosen
}
