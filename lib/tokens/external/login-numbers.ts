/**
 * The numbers by which a store that several processes have tells logins that a revocation has overtaken.
 *
 * @module
 */

import { StoreError } from '../../core/errors.js'

/** How long a revocation refuses logins that began before it, in milliseconds: no login takes longer. */
export const markMs: number = 10 * 60 * 1000

/** Numbers that are remembered. Beyond that, the logins that began first are refused with 503. */
const maxNumbers = 10_000

/** Numbers of the log, and when this process learned of each: what a login that began then knew. */
export class LoginNumbers {
  #numbers: { readonly at: number; number: number }[] = []

  /** Numbers of other data mean nothing. */
  clear(): void {
    this.#numbers = []
  }

  /** `now`: in milliseconds since the epoch. */
  note(number: number, now: number): void {
    const last = this.#numbers.at(-1)
    if (last !== undefined && last.number >= number) return
    if (last?.at === now) last.number = number
    else this.#numbers.push({ at: now, number })
    const second = this.#numbers[1]
    if (second !== undefined && (now - second.at > markMs || this.#numbers.length > maxNumbers)) this.#numbers.shift()
  }

  /** @throws StoreError for a login that began before the connection to this data. */
  knownAt(moment: number, now: number): number {
    const last = this.#numbers.at(-1)
    // The clock was set back: the moments mean nothing, and the logins that are under way begin anew.
    if (last !== undefined && now < last.at) this.#numbers = [{ at: now, number: last.number }]
    if (moment > now) throw new StoreError('the clock was set back since the login began')
    const [first] = this.#numbers
    if (first === undefined || moment < first.at) throw new StoreError('the store was not there when the login began')
    return (this.#numbers.findLast(({ at }) => at < moment) ?? first).number
  }
}
