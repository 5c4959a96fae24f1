/**
 * Whose second factors were locked by wrong codes. Records have no names; operators have to read who is locked.
 *
 * @module
 */

import type { SharedValues } from '../../core/shared-values.js'

/** Notes that are kept, of the locks that began last: each is looked up for a list. */
const maxNotes = 200

const valueName = 'second-factor-locks'
const keptMs = 30 * 24 * 60 * 60 * 1000

/** Processes that lock at the same time try again. */
const maxRounds = 5

/** The end of each lock by the user whose it is. Each method rejects with `StoreError` where the store fails. */
export interface CodeLockNotes {
  /** `endsAt`: in milliseconds since the epoch. */
  add(subject: string, endsAt: number, now: number): Promise<void>
  /** Forgets the lock of a user. */
  remove(subject: string, now: number): Promise<void>
  /** The users whose lock may hold, the latest first. */
  list(now: number): Promise<readonly string[]>
}

type Note = readonly [subject: string, endsAt: number]

export function createCodeLockNotes(values: SharedValues): CodeLockNotes {
  const holding = (text: string | undefined, now: number): readonly Note[] =>
    (JSON.parse(text ?? '[]') as Note[]).filter(([, endsAt]) => endsAt > now)

  /** Puts `first` in the place of the user's notes. */
  async function change(subject: string, first: readonly Note[], now: number): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const before = await values.read(valueName)
      const held = holding(before, now)
      const others = held.filter(([other]) => other !== subject)
      if (first.length === 0 && others.length === held.length) return
      const notes = [...first, ...others].slice(0, maxNotes)
      if (await values.replace(valueName, before, JSON.stringify(notes), keptMs)) return
    }
  }

  return {
    add: (subject, endsAt, now) => change(subject, [[subject, endsAt]], now),
    remove: (subject, now) => change(subject, [], now),
    list: async (now) => holding(await values.read(valueName), now).map(([subject]) => subject),
  }
}
