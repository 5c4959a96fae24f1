/**
 * The log in which processes tell each other that the rights of users have changed, as one process reads it.
 *
 * @module
 */

import { type Moment, never, presentMoment } from '../core/moment.js'
import { maxChanges, subjectFrom } from './change-table.js'
import type { Found } from './look-up.js'
import type { SqlRow } from './sql-database.js'

/** Reads the entries from a number on, that one too, and the number of the last one. */
export type ReadChanges = (since: number) => Promise<Found>

/** Told of an entry: its number, and the user; of all users where `subject` is absent. */
export type TellChange = (number: number, subject: string | undefined) => void

export class ChangeLog {
  readonly #read: ReadChanges
  readonly #tell: TellChange
  readonly #onOtherData: () => void
  /** The last entry that was told; `undefined`: of those before the start none has to be. */
  #number: number | undefined
  #numberKnownAt: Moment = never
  #heardAt: Moment = never
  #reading: Promise<void> | undefined
  #hasMore = false

  constructor(read: ReadChanges, tell: TellChange, onOtherData: () => void) {
    this.#read = read
    this.#tell = tell
    this.#onOtherData = onOtherData
  }

  /** When the last answer was asked for by which all changes are known. */
  get heardAt(): Moment {
    return this.#heardAt
  }

  /** Takes the number of the last entry. Resolves, where there is more to be read, when it was told. */
  hear(number: number, sentAt: Moment): undefined | Promise<void> {
    if (this.#number === undefined) {
      this.#know(number)
      this.#tell(number, undefined)
    }
    if (number === this.#number) {
      if (sentAt.monotonic > this.#heardAt.monotonic) this.#heardAt = sentAt
      return this.#reading
    }
    // An answer that another one has overtaken says nothing new.
    if (number < this.#number! && sentAt.monotonic < this.#numberKnownAt.monotonic) return this.#reading
    this.#hasMore = true
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  #know(number: number): void {
    this.#number = number
    this.#numberKnownAt = presentMoment()
  }

  async #readAll(): Promise<void> {
    while (this.#hasMore) {
      this.#hasMore = false
      const since = this.#number!
      const { rows, sentAt } = await this.#read(since)
      const number = Number(rows[0]!['link_number'])
      const entries = rows.filter((row) => row['number'] !== null)
      // What was known last is not there: the log was cut, or it is that of other data.
      const isComplete = Number(entries[0]?.['number']) === since && entries.length <= maxChanges
      if (number < since || !isComplete) this.#onOtherData()
      if (isComplete) for (const entry of entries.slice(1)) this.#tellEntry(entry)
      else this.#tell(number, undefined)
      this.#know(number)
      this.#heardAt = sentAt
    }
  }

  #tellEntry(row: SqlRow): void {
    this.#tell(Number(row['number']), subjectFrom(String(row['subject'])))
  }
}
