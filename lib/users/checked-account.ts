/**
 * Stands between a user store, which an app may have written, and everything that believes its answers.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import type { AuthenticationFailure, AuthenticationResult, UserAccount } from './user-store.js'

/**
 * What `find` of a user store answered.
 *
 * @throws {@link StoreError} for anything but an account and `undefined`.
 */
export function accountFrom(answer: unknown): UserAccount | undefined {
  if (answer === undefined || isAccount(answer)) return answer
  throw new StoreError('the user store answered find with neither an account nor undefined')
}

const failures: ReadonlySet<unknown> = new Set<AuthenticationFailure>(['unknown-user', 'wrong-password', 'disabled'])

/**
 * What `authenticate` of a user store answered.
 *
 * @throws {@link StoreError} for anything but an account without a failure, and a failure without an account.
 */
export function resultFrom(answer: unknown): AuthenticationResult {
  const { account, failure, subject } = Object(answer) as Record<string, unknown>
  const isGood = isAccount(account) && failure === undefined
  const isFailure = account === undefined && failures.has(failure) && (subject === undefined || isName(subject))
  if (isGood || isFailure) return answer as AuthenticationResult
  throw new StoreError('the user store answered authenticate with neither an account nor a failure')
}

function isAccount(value: unknown): value is UserAccount {
  if (typeof value !== 'object' || value === null) return false
  const { subject, roles, isAdmin, version, maxTokenAgeSeconds } = value as Record<string, unknown>
  return (
    isName(subject) &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === 'string') &&
    typeof isAdmin === 'boolean' &&
    typeof version === 'string' &&
    (maxTokenAgeSeconds === undefined || Number.isFinite(maxTokenAgeSeconds))
  )
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
