/**
 * `/users` and `/roles` while the users come from the file: nothing can be managed, and WSO2's clients expect to be told
 * so in these words.
 *
 * @module
 */

import { ForbiddenError } from '../core/errors.js'
import type { Gate } from '../internal/gate.js'

const text =
  'User management is not supported with the file-based user store. Please plug in a user store for the correct functionality'

/** The collections and everything below them, as a router matches them. */
const managedPath = /^\/(?:users|roles)(?:\/|$)/i

/** Answers every request for users and roles with 403. */
export function fileUsersGate(): Gate {
  return function fileUsersGate(request) {
    if (!managedPath.test(request.path)) return undefined
    return new ForbiddenError('ERR_USERS_NOT_MANAGEABLE', text, { bare: 'never' })
  }
}
