/**
 * The second factors of users: what they show, how they are set up, and how an operator helps.
 *
 * @module
 */

import type { Factor } from '../../core/auth.js'
import { StoreError } from '../../core/errors.js'
import type { Logger } from '../../core/logger.js'
import { localValues, type SharedValues } from '../../core/shared-values.js'
import { createCodeLockNotes } from './lock-notes.js'
import {
  createCode,
  digestOf,
  emptyRecord,
  isEnrolmentCode,
  lockEnd,
  lockedMs,
  lockStart,
  type SecondFactorRecord,
  withFailure,
  withRecoveryCode,
  withStep,
} from './record.js'
import type { SecondFactorStore, StoredSecondFactor } from './second-factor-store.js'
import type { Totp } from './totp.js'

/** A code that was right. */
export interface RightCode {
  /** It has counted. */
  readonly outcome: 'right'
  /** What kind of code it was. */
  readonly factor: Factor
}

/** A code that was not. */
export interface WrongCode {
  /** It was none, or had counted before. */
  readonly outcome: 'wrong'
}

/** Too many codes were wrong. */
export interface LockedCode {
  /** The code was not looked at. */
  readonly outcome: 'locked'
  /** Milliseconds until one is looked at again. */
  readonly retryAfterMs: number
}

/** What became of a code. */
export type CodeOutcome = RightCode | WrongCode | LockedCode

/** A seed that a user is to put into an authenticator app. */
export interface NewSecret {
  /** In base32. */
  readonly secret: string
  /** The `otpauth://` text of it. */
  readonly address: string
}

/** A second factor that an operator has set up for a user. */
export interface AssignedSecondFactor extends NewSecret {
  /** Each counts once. */
  readonly recoveryCodes: readonly string[]
}

/** A second factor that wrong codes have locked. */
export interface CodeLock {
  /** What is refused: the user's codes. */
  readonly scope: 'second-factor'
  /** The user whose it is, as the store spells the name. */
  readonly userName: string
  /** The same name. */
  readonly subject: string
  /** It holds for every address. */
  readonly address: undefined
  /** When it began, in milliseconds since the epoch. */
  readonly since: number
  /** When the next code is looked at; a day from now where only an operator ends the lock. */
  readonly until: number
}

/** Each method that asks the store rejects with `StoreError` where it fails. */
export interface SecondFactors {
  /** Whether users can set one up in a portal. */
  readonly canEnrol: boolean
  /** `invited`: an operator has given the user a code to set one up with, which is asked for at the next sign-in. */
  statusOf(subject: string): Promise<'enrolled' | 'invited' | 'none'>
  /** Checks a code of the app, or a recovery code. A right one counts once. */
  verify(subject: string, code: string): Promise<CodeOutcome>
  /** Checks the code that an operator has given a user to set one up with. It is used up by {@link enrol}. */
  verifyEnrolmentCode(subject: string, code: string): Promise<CodeOutcome>
  /** Makes a seed, which is kept nowhere yet. `secret`: one that was made before. */
  createSecret(subject: string, secret?: string): NewSecret
  /**
   * Sets one up, once a code shows that the app has the seed. Answers with ten recovery codes; `undefined`: the code is wrong.
   * `enrolmentCode` must be the one that is valid.
   */
  enrol(subject: string, secret: string, code: string, enrolmentCode: string): Promise<readonly string[] | undefined>
  /** Sets one up for a user, in place of the one before. Answers with the recovery codes too. */
  assign(subject: string): Promise<AssignedSecondFactor>
  /** A code with which the user can set one up in a portal, in place of the one before. */
  createEnrolmentCode(subject: string, lifeMs: number): Promise<string>
  /**
   * The locks that hold, the latest 200 at most, as far as this process, or one that shares its values, has seen them begin. Those that
   * cannot be read are left out, with a warning in the log. It does not reject.
   */
  listLocks(): Promise<readonly CodeLock[]>
  /** Ends the locks of a user. Answers whether one held. */
  unlock(subject: string): Promise<boolean>
  /** Forgets the second factor of a user. */
  remove(subject: string): Promise<void>
  /** Closes the store. */
  close(): Promise<void>
}

const recoveryCodeCount = 10

/** A record that others change all the time is no state of affairs. */
const maxRounds = 50

/** For a list of locks: what has not been read by then is left out. */
const listMs = 5000

/** `values`: where processes note locks for each other. `logger`: told where locks cannot be read. */
export function createSecondFactors(
  store: SecondFactorStore,
  totp: Totp,
  clock: () => number,
  values: SharedValues = localValues(),
  logger?: Logger,
): SecondFactors {
  const notes = createCodeLockNotes(values)
  let hasWarned = false

  /** The lock holds, and ends, without a note. */
  async function forgetLock(subject: string): Promise<void> {
    await notes.remove(subject, clock()).catch(() => undefined)
  }

  /** Once, until all of them can be read again. */
  function warnOfUnread(cause: unknown): void {
    if (cause !== undefined && !hasWarned) {
      logger?.warn({ cause }, 'locks of second factors cannot be read: the list of locks is without them')
    }
    hasWarned = cause !== undefined
  }

  async function readLock(subject: string, now: number): Promise<readonly CodeLock[]> {
    const { record } = await store.read(subject)
    const until = now + lockedMs(record, now)
    const lock = { scope: 'second-factor', userName: subject, subject, address: undefined } as const
    return until > now ? [{ ...lock, since: lockStart(record), until }] : []
  }

  /** Reads, decides and exchanges, in one step for all processes: again where another one was faster. */
  async function change<T>(
    subject: string,
    decide: (record: SecondFactorRecord) => { readonly next: SecondFactorRecord | undefined; readonly result: T },
  ): Promise<T> {
    for (let round = 0; round < maxRounds; round++) {
      const before: StoredSecondFactor = await store.read(subject)
      const { next, result } = decide(before.record)
      if (next === undefined || (await store.replace(subject, before, next))) return result
    }
    throw new StoreError('the second factor of a user is changed all the time')
  }

  /** `take` answers with the record after a right code. */
  async function check(
    subject: string,
    take: (
      record: SecondFactorRecord,
      now: number,
    ) => { readonly next?: SecondFactorRecord; readonly factor: Factor } | undefined,
  ): Promise<CodeOutcome> {
    let endsAt = 0
    const outcome = await change<CodeOutcome>(subject, (record) => {
      const now = clock()
      const retryAfterMs = lockedMs(record, now)
      if (retryAfterMs > 0) return { next: undefined, result: { outcome: 'locked', retryAfterMs } }
      const taken = take(record, now)
      endsAt = 0
      if (taken !== undefined) return { next: taken.next, result: { outcome: 'right', factor: taken.factor } }
      const next = withFailure(record, now)
      endsAt = lockEnd(next)
      return { next, result: { outcome: 'wrong' } }
    })
    // The lock holds without a note.
    if (endsAt > clock()) await notes.add(subject, endsAt, clock()).catch(() => undefined)
    return outcome
  }

  function createSecret(subject: string, secret = totp.createSecret()): NewSecret {
    return { secret, address: totp.addressOf(secret, subject) }
  }

  function createRecoveryCodes(): readonly string[] {
    return Array.from({ length: recoveryCodeCount }, createCode)
  }

  return {
    canEnrol: store.canEnrol,
    createSecret,

    async statusOf(subject) {
      const { secret, enrolment } = (await store.read(subject)).record
      if (secret !== undefined) return 'enrolled'
      return enrolment !== undefined && clock() < enrolment.endsAt ? 'invited' : 'none'
    },

    verify: (subject, code) =>
      check(subject, (record, now) => {
        if (record.secret === undefined) return undefined
        const digits = code.replace(/\s/g, '')
        const next = withStep(record, totp.findStep(record.secret, digits, now))
        if (next !== undefined) return { next, factor: 'otp' }
        const recovered = withRecoveryCode(record, code)
        return recovered && { next: recovered, factor: 'recovery' }
      }),

    verifyEnrolmentCode: (subject, code) =>
      check(subject, (record, now) => (isEnrolmentCode(record, code, now) ? { factor: 'recovery' } : undefined)),

    async enrol(subject, secret, code, enrolmentCode) {
      const step = totp.findStep(secret, code.replace(/\s/g, ''), clock())
      if (step === undefined) return undefined
      const codes = createRecoveryCodes()
      return change(subject, (record) => {
        if (!isEnrolmentCode(record, enrolmentCode, clock())) return { next: undefined, result: undefined }
        const next = { ...emptyRecord, secret, recovery: codes.map(digestOf), lastStep: step }
        return { next, result: codes }
      })
    },

    async assign(subject) {
      const created = createSecret(subject)
      const recoveryCodes = createRecoveryCodes()
      const next = { ...emptyRecord, secret: created.secret, recovery: recoveryCodes.map(digestOf) }
      await change(subject, () => ({ next, result: undefined }))
      return { ...created, recoveryCodes }
    },

    async createEnrolmentCode(subject, lifeMs) {
      const code = createCode()
      const enrolment = { digest: digestOf(code), endsAt: clock() + lifeMs }
      await change(subject, () => ({ next: { ...emptyRecord, enrolment }, result: undefined }))
      return code
    },

    async listLocks() {
      const now = clock()
      const locks: CodeLock[] = []
      let failure: unknown
      try {
        // One after the other: logins need the connections of the database.
        for (const subject of await notes.list(now)) {
          if (clock() - now > listMs) throw new StoreError('no answer for all of them within 5 seconds')
          const read = readLock(subject, now).catch((error: unknown) => {
            failure = error
            return []
          })
          locks.push(...(await read))
        }
      } catch (error) {
        failure = error
      }
      warnOfUnread(failure)
      return locks
    },

    async unlock(subject) {
      const wasLocked = await change(subject, (record) => {
        const { failures, locks, lockedUntil } = record
        // Of nobody, nothing is written.
        const isFresh = failures === 0 && locks === 0 && lockedUntil === 0
        const next = isFresh ? undefined : { ...record, failures: 0, locks: 0, lockedUntil: 0 }
        return { next, result: lockedMs(record, clock()) > 0 }
      })
      await forgetLock(subject)
      return wasLocked
    },

    async remove(subject) {
      await store.remove(subject)
      await forgetLock(subject)
    },

    close: () => store.close(),
  }
}
