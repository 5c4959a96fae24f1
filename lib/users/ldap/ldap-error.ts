/**
 * What went wrong in a directory.
 *
 * @module
 */

import { StoreError } from '../../core/errors.js'

/** What went wrong, as far as it makes a difference. */
export type LdapErrorKind =
  /** The connection broke, or could not be made. */
  | 'connection'
  /** The directory did not answer in time. */
  | 'timeout'
  /** Too many callers wait for a connection already. */
  | 'overloaded'
  /** The directory answered with a result code that is no success (RFC 4511 appendix A). */
  | 'result'

/** Result codes that are told apart (RFC 4511 appendix A.1). */
export const resultCode = {
  success: 0,
  sizeLimitExceeded: 4,
  referral: 10,
  noSuchAttribute: 16,
  constraintViolation: 19,
  attributeOrValueExists: 20,
  noSuchObject: 32,
  invalidDnSyntax: 34,
  invalidCredentials: 49,
  namingViolation: 64,
  objectClassViolation: 65,
  entryAlreadyExists: 68,
} as const

/** A directory that failed. The message names neither a user nor a value; the directory's own text is the cause. */
export class LdapError extends StoreError {
  /** What went wrong. */
  readonly kind: LdapErrorKind
  /** Of the kind `result` only. */
  readonly resultCode: number | undefined

  constructor(kind: LdapErrorKind, message: string, options?: ErrorOptions & { readonly resultCode?: number }) {
    super(message, options)
    this.kind = kind
    this.resultCode = options?.resultCode
  }
}

/** Whether an error is an answer of the directory with one of these codes. */
export function hasResultCode(error: unknown, ...codes: readonly number[]): error is LdapError {
  return error instanceof LdapError && error.resultCode !== undefined && codes.includes(error.resultCode)
}
