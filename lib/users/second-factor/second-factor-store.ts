/**
 * Where second factors are kept, and that of the users of the file: the seed stands there, what changes is kept beside it.
 *
 * @module
 */

import { digest } from '../../core/digest.js'
import type { SharedValues } from '../../core/shared-values.js'
import { emptyRecord, type SecondFactorRecord } from './record.js'

/** A record as it was read. `mark` tells it from every later one. */
export interface StoredSecondFactor {
  readonly record: SecondFactorRecord
  readonly mark: string | number | undefined
}

/** Keeps second factors. Each method rejects with `StoreError` where the store fails. */
export interface SecondFactorStore {
  /** Whether users can set one up. */
  readonly canEnrol: boolean
  /** {@link emptyRecord} for a user who has none. */
  read(subject: string): Promise<StoredSecondFactor>
  /** Exchanges the record, in one step for all processes. `false`: it has changed since it was read. */
  replace(subject: string, before: StoredSecondFactor, next: SecondFactorRecord): Promise<boolean>
  /** Forgets the user's second factor. */
  remove(subject: string): Promise<void>
  close(): Promise<void>
}

/** A lock is kept longer than it lasts; a code that was used, longer than it could be used again. */
const keptMs = 30 * 24 * 60 * 60 * 1000

/** `secretOf` answers with the seed that the file has for a user at the moment. */
export function fileSecondFactors(
  secretOf: (subject: string) => string | undefined,
  values: SharedValues,
): SecondFactorStore {
  const nameOf = (subject: string): string => `second-factor:${digest(subject)}`

  return {
    canEnrol: false,

    async read(subject) {
      const secret = secretOf(subject)
      const mark = secret === undefined ? undefined : await values.read(nameOf(subject))
      const kept = mark === undefined ? {} : (JSON.parse(mark) as Partial<SecondFactorRecord>)
      return { record: { ...emptyRecord, ...kept, secret }, mark }
    },

    async replace(subject, { mark }, { lastStep, failures, locks, lockedUntil }) {
      const value = JSON.stringify({ lastStep, failures, locks, lockedUntil })
      return values.replace(nameOf(subject), mark as string | undefined, value, keptMs)
    },

    async remove(subject) {
      const before = await values.read(nameOf(subject))
      if (before !== undefined) await values.replace(nameOf(subject), before, '{}', keptMs)
    },

    async close() {},
  }
}
