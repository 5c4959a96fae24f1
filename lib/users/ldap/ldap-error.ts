/**
 * What the answers of a directory mean: errors by result code, and the outcome of a user's bind.
 *
 * @module
 */

import { type BerReader, Control, type SearchResponse } from 'ldapts'
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
  busy: 51,
  unavailable: 52,
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

export function hasResultCode(error: unknown, ...codes: readonly number[]): error is LdapError {
  return error instanceof LdapError && error.resultCode !== undefined && codes.includes(error.resultCode)
}

/** Whether the server cannot be reached, or cannot do its work for the moment. */
export function isServerFailure(error: unknown): boolean {
  if (!(error instanceof LdapError)) return false
  return error.kind !== 'result' || hasResultCode(error, resultCode.busy, resultCode.unavailable)
}

type Result = Pick<SearchResponse, 'status' | 'errorMessage'>

export function resultError({ status, errorMessage }: Result, message?: string): LdapError {
  const cause = new Error(`result code ${status}: ${errorMessage}`)
  const text =
    status === resultCode.referral
      ? 'The directory refers to another server, which is not asked.'
      : `The directory answered with result code ${status}.`
  return new LdapError('result', message ?? text, { cause, resultCode: status })
}

export type BindOutcome = 'good' | 'wrong-password' | 'disabled'

const passwordPolicyOid = '1.3.6.1.4.1.42.2.27.8.5.1'

/** `error` of draft-behera-ldap-password-policy section 6.2: passwordExpired, accountLocked, changeAfterReset. */
const disablingErrors: readonly (number | undefined)[] = [0, 1, 2]

const warningTag = 0xa0
const errorTag = 0x81

/**
 * `data` of Active Directory's answer to a bind: not permitted at this time or workstation, password expired, account
 * disabled, account expired, password must be changed, account locked.
 */
const disablingData = /\bdata (?:530|531|532|533|701|773|775)\b/i

/** Asks for, and reads, the reason that a directory with a password policy has (draft-behera-ldap-password-policy). */
export class PasswordPolicyControl extends Control {
  /** Absent when the directory gave none. */
  policyError: number | undefined

  constructor() {
    super(passwordPolicyOid)
  }

  override parseControl(reader: BerReader): void {
    if (reader.readSequence() === null) return
    if (reader.peek() === warningTag) reader.readString(warningTag, true)
    if (reader.peek() === errorTag) this.policyError = reader.readTag(errorTag) ?? undefined
  }
}

/** @throws {@link LdapError} when the result says nothing about the password. */
export function readBindOutcome(result: Result, { policyError }: PasswordPolicyControl): BindOutcome {
  const isWrong = result.status === resultCode.invalidCredentials
  if (!isWrong && result.status !== resultCode.success) throw resultError(result)
  if (disablingErrors.includes(policyError ?? -1) || disablingData.test(result.errorMessage)) return 'disabled'
  return isWrong ? 'wrong-password' : 'good'
}
