/**
 * Says at the start when nobody is an administrator yet.
 *
 * @module
 */

import type { Logger } from '../core/logger.js'
import type { ManagedUserStore } from './managed-user-store.js'

/** The check gives up after so long: it is an operator's hint, no part of the start. */
const timeoutMs = 10_000

/**
 * Warns when no user has the role of administrators. A store that cannot be reached says nothing of it, and is no failure of the
 * start: the logins will tell. Never rejects.
 */
export async function warnWithoutAdministrator(store: ManagedUserStore, logger: Logger): Promise<void> {
  try {
    if (await hasAdministrator(store, AbortSignal.timeout(timeoutMs))) return
    const remedy = store.isReadOnly
      ? 'give the role to somebody where the users are kept'
      : 'run "sallyport users add NAME --admin", or "sallyport users grant NAME ROLE"'
    const message = `no user who can log in has the role ${JSON.stringify(store.adminRole)}, so that there is no administrator: ${remedy}`
    logger.warn({ key: 'user_store' }, message)
  } catch {}
}

async function hasAdministrator(store: ManagedUserStore, signal: AbortSignal): Promise<boolean> {
  // Which role it is may turn out with the first answer.
  await store.listRoles(signal)
  for (const member of (await store.membersOf(store.adminRole, signal)) ?? []) {
    if ((await store.find(member, signal))?.isAdmin) return true
  }
  return false
}
