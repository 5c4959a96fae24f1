/**
 * The answers to what cannot be done with users and roles.
 *
 * @module
 */

import { BadRequestError, ForbiddenError, HttpError, type HttpErrorCode } from '../core/errors.js'
import { maxNameLength } from '../users/credential-limits.js'
import type { UserStoreRefusal, UserStoreRefusalCode } from '../users/managed-user-store.js'

const answers: Readonly<Record<UserStoreRefusalCode, readonly [status: 400 | 403 | 404, code: HttpErrorCode]>> = {
  'user-exists': [400, 'ERR_USER_EXISTS'],
  'role-exists': [400, 'ERR_ROLE_EXISTS'],
  'invalid-name': [400, 'ERR_NAME_INVALID'],
  'invalid-password': [400, 'ERR_PASSWORD_INVALID'],
  'user-not-found': [404, 'ERR_NOT_FOUND'],
  'role-not-found': [400, 'ERR_REQUEST_INVALID'],
  'read-only': [403, 'ERR_USERS_NOT_MANAGEABLE'],
  protected: [403, 'ERR_USER_PROTECTED'],
}

/** The answer to a change that a store refuses. It always has a body, because it says more than its status. */
export function storeRefusal({ code, message }: UserStoreRefusal): HttpError {
  const [status, errorCode] = answers[code]
  if (status === 400) return new BadRequestError(errorCode, message)
  if (status === 403) return new ForbiddenError(errorCode, message, { bare: 'never' })
  return new HttpError(404, errorCode, message)
}

/** The answer for a user or role that is not there, in the words of WSO2. It repeats what the client sent. */
export function memberNotFound(kind: 'User' | 'Role', name: string): HttpError {
  const shown = name.slice(0, maxNameLength)
  return new HttpError(404, 'ERR_NOT_FOUND', `Requested resource not found. ${kind}: ${shown} cannot be found.`)
}

/** The refusal of a change that would lock administrators out. */
export function protectedUser(message: string): ForbiddenError {
  return new ForbiddenError('ERR_USER_PROTECTED', message, { bare: 'never' })
}

/** The refusal of a change that only administrators may make, whatever the path rules say. */
export function adminRequired(): ForbiddenError {
  return new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.')
}
