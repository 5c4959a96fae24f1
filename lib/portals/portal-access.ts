/**
 * Who may enter a portal.
 *
 * @module
 */

import { ForbiddenError } from '../core/errors.js'

/** What matters of a user or a caller. */
export interface Entrant {
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/**
 * The refusal for a user who may not enter; `undefined` for one who may: administrators, and users with one of the roles.
 * `roles`: `undefined` lets everybody in, an empty list administrators only.
 */
export function entryRefusal(
  roles: readonly string[] | undefined,
  { roles: own, isAdmin }: Entrant,
): ForbiddenError | undefined {
  if (roles === undefined || isAdmin || own.some((role) => roles.includes(role))) return undefined
  return roles.length === 0
    ? new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may enter here.', { bare: 'never' })
    : new ForbiddenError('ERR_ROLE_REQUIRED', 'This account may not enter here.', { bare: 'never' })
}
