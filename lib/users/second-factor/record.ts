/**
 * What is kept of a user's second factor, and what each code makes of it. Nothing here waits or asks.
 *
 * @module
 */

import { hash, randomBytes } from 'node:crypto'

/** The second factor of one user. Codes are kept as digests: 80 random bits each. */
export interface SecondFactorRecord {
  /** The seed, in base32; `undefined`: there is none yet. */
  readonly secret: string | undefined
  /** Recovery codes that were not used. */
  readonly recovery: readonly string[]
  /** The code that lets the user set a second factor up. */
  readonly enrolment: { readonly digest: string; readonly endsAt: number } | undefined
  /** The step of the last code that was accepted. */
  readonly lastStep: number
  /** Wrong codes since the last right one. */
  readonly failures: number
  /** Locks in a row, each twice as long as the one before. */
  readonly locks: number
  /** Milliseconds since the epoch. */
  readonly lockedUntil: number
}

export const emptyRecord: SecondFactorRecord = {
  secret: undefined,
  recovery: [],
  enrolment: undefined,
  lastStep: 0,
  failures: 0,
  locks: 0,
  lockedUntil: 0,
}

/** Wrong codes that lock, and wrong codes in a row after which only an operator ends the lock (NIST SP 800-63B-4 section 3.2.2). */
const failuresToLock = 5
const maxFailures = 100

const firstLockMs = 60_000
const dayMs = 24 * 60 * 60 * 1000

/** How long the latest lock lasts in all. */
const lockMs = (locks: number): number => Math.min(firstLockMs * 2 ** (locks - 1), dayMs)

/** When the latest lock began, in milliseconds since the epoch. */
export const lockStart = ({ lockedUntil, locks }: SecondFactorRecord): number => lockedUntil - lockMs(locks)

/** When it ends by itself; never: the greatest number. */
export function lockEnd({ lockedUntil, failures }: SecondFactorRecord): number {
  return failures >= maxFailures ? Number.MAX_SAFE_INTEGER : lockedUntil
}

/** Milliseconds that the user has to wait; 0: none. */
export function lockedMs({ lockedUntil, failures }: SecondFactorRecord, now: number): number {
  if (failures >= maxFailures) return dayMs
  return Math.max(0, lockedUntil - now)
}

/** Counts a wrong code. The locks begin anew a day after the last one has ended, not at a right code. */
export function withFailure(record: SecondFactorRecord, now: number): SecondFactorRecord {
  const failures = record.failures + 1
  if (failures % failuresToLock !== 0) return { ...record, failures }
  const locks = now >= record.lockedUntil + dayMs ? 1 : record.locks + 1
  return { ...record, failures, locks, lockedUntil: now + lockMs(locks) }
}

/** Takes a code of the app: each step counts once, and no earlier one after it. `undefined`: it does not count. */
export function withStep(record: SecondFactorRecord, step: number | undefined): SecondFactorRecord | undefined {
  return step === undefined || step <= record.lastStep ? undefined : { ...record, lastStep: step, failures: 0 }
}

/** Takes a recovery code, which is gone then. `undefined`: it is none. */
export function withRecoveryCode(record: SecondFactorRecord, code: string): SecondFactorRecord | undefined {
  const digest = digestOf(code)
  if (!record.recovery.includes(digest)) return undefined
  return { ...record, recovery: record.recovery.filter((other) => other !== digest), failures: 0 }
}

/** Whether this is the code for the enrolment, and may still be used. */
export function isEnrolmentCode({ enrolment }: SecondFactorRecord, code: string, now: number): boolean {
  return enrolment !== undefined && now < enrolment.endsAt && enrolment.digest === digestOf(code)
}

/** A code of 80 random bits, in four groups that can be typed. */
export function createCode(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
  const characters = [...randomBytes(16)].map((byte) => alphabet[byte % 32]).join('')
  return characters.replace(/(.{4})(?!$)/g, '$1-')
}

/** Blanks, dashes and case are how people type. */
export function digestOf(code: string): string {
  return hash('sha256', code.toLowerCase().replace(/[\s-]/g, ''), 'base64url')
}
