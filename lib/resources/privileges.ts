/**
 * Who may change whom, whatever the path rules say: making or unmaking an administrator, and touching one, needs an
 * administrator, and the last administrator stays.
 *
 * @module
 */

import { UnauthorizedError } from '../core/errors.js'
import { foldCase } from '../internal/path-readings.js'
import { accountFrom } from '../users/checked-account.js'
import { withoutDomain } from '../users/domains.js'
import type { ManagedUserStore } from '../users/managed-user-store.js'
import type { UserAccount } from '../users/user-store.js'
import type { Caller } from './resource.js'
import { adminRequired, protectedUser } from './store-refusal.js'

/** The rules for one store. Each method throws the refusal. */
export interface Privileges {
  /**
   * Whether the caller is an administrator by the token and by the store right now: what was true when the request
   * began may have ended while its body was on the way.
   */
  isAdmin(caller: Caller): Promise<boolean>
  /** Refuses callers who are no administrators. */
  demandAdmin(caller: Caller): Promise<void>
  /** Refuses to leave nobody who is an administrator, once this one is none any more. */
  demandAnotherAdmin(account: UserAccount): Promise<void>
  /** Whether this role makes administrators, in any spelling that a store may take for the same. */
  isAdminRole(role: string): boolean
}

/** Makes the rules for one store. */
export function createPrivileges(store: ManagedUserStore): Privileges {
  const folded = (role: string): string => foldCase(withoutDomain(role, store.domain).normalize('NFC').trim())

  async function isAdmin({ auth }: Caller): Promise<boolean> {
    const account = accountFrom(await store.find(auth.subject))
    if (account === undefined)
      throw new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', challenge)
    return auth.isAdmin && account.isAdmin
  }

  return {
    isAdmin,
    isAdminRole: (role) => folded(role) === folded(store.adminRole),

    async demandAdmin(caller) {
      if (!(await isAdmin(caller))) throw adminRequired()
    },

    async demandAnotherAdmin({ subject }) {
      for (const member of (await store.membersOf(store.adminRole)) ?? []) {
        const other = accountFrom(await store.find(member))
        if (other !== undefined && other.subject !== subject && other.isAdmin) return
      }
      throw protectedUser('The last administrator must stay one.')
    },
  }
}

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport", error="invalid_token"' } }
