/**
 * `/locks`: who cannot log in because of failed logins, and how an administrator lifts that.
 *
 * @module
 */

import type { ChangeContext } from '../core/events.js'
import type { Gate } from '../http/gate.js'
import type { CodeLock } from '../users/second-factor/second-factors.js'
import { type LoginLock, maxListedLocks } from '../users/throttle/lock-notes.js'
import type { ManagedLoginThrottle } from '../users/throttle/login-throttle.js'
import { lockKeys, userKeys } from '../users/throttle/throttle-keys.js'
import { invalidRequest } from './json-body.js'
import { pageOf, readPage } from './page.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'
import type { LiftedLocks, LockEntry, LockPage } from './schemas/sessions.js'

export type { LockEntry }

/** A lock of logins, by wrong passwords or by wrong codes of a second factor. */
export type HeldLock = LoginLock | CodeLock

/**
 * Ends all locks of a user, and answers whether one of codes held. Rejects with `StoreError` when not all
 * processes may have taken it.
 */
export type UnlockUser = (userName: string, context: ChangeContext) => Promise<boolean>

/** The locks as an operator reads them. */
export async function findLocks(list: () => Promise<readonly HeldLock[]>): Promise<readonly LockEntry[]> {
  return (await list()).map(({ scope, userName, subject, address, since, until }) => ({
    scope,
    user: subject ?? userName,
    address: address ?? null,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  }))
}

/**
 * Answers every request for locks, of administrators only.
 *
 * | verb, path | answer |
 * |---|---|
 * | `GET /locks?offset=&limit=` | `{"count","total","list":[`{@link LockEntry}`]}` |
 * | `DELETE /locks?user=` lifts all of a user, that of wrong codes too | `{"user","status"}` |
 * | `DELETE /locks?address=` lifts what locks all users of an address | `{"address","status"}` |
 *
 * `status` is `NotLocked` for a user without a lock. Failures that did not lock yet are forgotten all the same.
 *
 * @param throttle - `undefined`: wrong passwords never lock.
 * @param listLocks - Those of passwords and of codes.
 */
export function locksGate(
  throttle: ManagedLoginThrottle | undefined,
  listLocks: () => Promise<readonly HeldLock[]>,
  unlock: UnlockUser,
): Gate {
  async function list({ query }: Call): Promise<LockPage> {
    const page = readPage(query)
    return pageOf(await findLocks(listLocks), page, (lock) => lock)
  }

  async function lift({ query, auth, client }: Call): Promise<LiftedLocks> {
    const [user, address] = [query('user'), query('address')]
    if ((user === '') === (address === '')) {
      throw invalidRequest("Name the user or the address whose locks are to end: '?user=' or '?address='.")
    }
    const context = { ...client, by: auth.subject, reason: 'locks lifted' }
    if (user === '') {
      await throttle?.unlockAddress(address, context)
      return { address, status: 'Lifted' }
    }
    const wasListed = await isListed(user)
    const wasLocked = await unlock(user, context)
    return { user, status: wasListed || wasLocked ? 'Lifted' : 'NotLocked' }
  }

  /** Also where nobody can tell: a list that cannot be had must not keep a lock. */
  async function isListed(name: string): Promise<boolean> {
    const keys = userKeys(name)
    const isOf = (lock: LoginLock): boolean =>
      lock.scope !== 'source' && lockKeys(lock).some(({ user }) => keys.includes(user))
    try {
      const locks = (await throttle?.list()) ?? []
      return locks.length >= maxListedLocks || locks.some(isOf)
    } catch {
      return true
    }
  }

  return administratorsOnly(
    (path) => readMember('locks', path) !== undefined,
    resourceGate('locks', { GET: list, DELETE: lift }, {}),
  )
}
