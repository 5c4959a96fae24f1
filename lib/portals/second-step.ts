/**
 * Between the password and the second factor: what the browser keeps meanwhile. It proves that the password was right, for five minutes and in
 * this place, and opens nothing.
 *
 * @module
 */

import { EncryptJWT, jwtDecrypt } from 'jose'
import type { SecondFactors } from '../users/second-factor/second-factors.js'
import type { UserAccount, UserStore } from '../users/user-store.js'
import { accountFrom } from '../users/user-store.js'

/** What the second step of a login works with. */
export interface SecondStepParts {
  /** Asked whether the user may still log in, with the same password. */
  readonly users: Pick<UserStore, 'find'>
  /** Check the codes. */
  readonly secondFactors: SecondFactors
  /** 32 bytes, the same in all processes that answer the login page. */
  readonly key: Uint8Array
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Makes the SVG of a QR code. */
  readonly renderQrCode: (text: string) => string
}

/** A login whose password was right. */
export interface PendingLogin {
  readonly subject: string
  readonly version: string
  /** When the password was sent, in milliseconds since the epoch. */
  readonly startedAt: number
  /** What is asked for next. */
  readonly step: 'code' | 'invitation' | 'setup'
  /** The seed that the user is setting up, and the code that allows it. */
  readonly setup?: { readonly secret: string; readonly invitation: string } | undefined
}

const lifeMs = 5 * 60 * 1000

/** Longer than any that is sealed here. */
const maxSealedLength = 3000

/** `scope`: the portal, or the sign-in of an authorization server; of another one it is nothing. */
export async function sealPending(
  pending: PendingLogin,
  scope: string,
  { key, clock }: Pick<SecondStepParts, 'key' | 'clock'>,
): Promise<string> {
  return new EncryptJWT({ pending: { ...pending } })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setAudience(scope)
    .setExpirationTime(new Date(clock() + lifeMs))
    .encrypt(key)
}

/** `undefined`: it is none, has expired, or belongs elsewhere. */
export async function openPending(
  sealed: string | undefined,
  scope: string,
  { key, clock }: Pick<SecondStepParts, 'key' | 'clock'>,
): Promise<PendingLogin | undefined> {
  if (sealed === undefined || sealed.length > maxSealedLength) return undefined
  const options = { audience: scope, currentDate: new Date(clock()), keyManagementAlgorithms: ['dir'] }
  const opened = await jwtDecrypt<{ pending: PendingLogin }>(sealed, key, options).catch(() => undefined)
  return opened?.payload.pending
}

/** The account as it is now; `undefined` where it is gone, disabled, or has another password. */
export async function findPendingAccount(
  { subject, version }: PendingLogin,
  users: SecondStepParts['users'],
): Promise<UserAccount | undefined> {
  const account = accountFrom(await users.find(subject))
  return account?.version === version ? account : undefined
}
