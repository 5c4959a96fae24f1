/**
 * What a directory says about a password beside right and wrong.
 *
 * @module
 */

import { type BerReader, type BindResponse, Control } from 'ldapts'
import { resultCode } from './ldap-error.js'

/** Outcome of a bind; `undefined` when the directory has failed. */
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

/** What the answer to a user's bind means. */
export function bindOutcome(
  { status, errorMessage }: BindResponse,
  control: PasswordPolicyControl,
): BindOutcome | undefined {
  const isDisabled = disablingErrors.includes(control.policyError ?? -1) || disablingData.test(errorMessage)
  if (status === resultCode.success) return isDisabled ? 'disabled' : 'good'
  if (status === resultCode.invalidCredentials) return isDisabled ? 'disabled' : 'wrong-password'
  return undefined
}
