/**
 * The revocations that a process has the database execute. Those of the last minute are remembered, and executed again where they may be
 * lost; and so are the numbers by which logins that a revocation has overtaken are told.
 *
 * @module
 */

import { digest } from '../../core/digest.js'
import type { OpenedSqlLink } from '../../sql/link-listener.js'
import type { SqlRow } from '../../sql/sql-database.js'
import type { SqlLink } from '../../sql/sql-link.js'
import { AcknowledgedRevocations, slicesOf } from '../external/acknowledged-revocations.js'
import { LoginNumbers, markMs } from '../external/login-numbers.js'
import { allPools } from '../external/pools.js'
import { sliceSize, type TokenStatements } from './token-statements.js'

/** A login that began so long after a revocation, in milliseconds, began after it, however exact the clock is. */
const clearlyLaterMs = 100

/** The revocations of one token store. */
export class SqlRevocations {
  readonly #link: SqlLink
  readonly #statements: TokenStatements
  readonly #clock: () => number
  readonly #tokens = new AcknowledgedRevocations<undefined>()
  /** By subject: tokens issued until then were removed. */
  readonly #users = new AcknowledgedRevocations<number>()
  readonly #numbers = new LoginNumbers()
  #lastNumber = 0

  constructor(link: SqlLink, statements: TokenStatements, clock: () => number) {
    this.#link = link
    this.#statements = statements
    this.#clock = clock
  }

  /** Ends a token. Whether there was one. */
  async remove(id: string): Promise<boolean> {
    const isRemoved = await this.#link.transaction(async (query) => {
      const isThere = await this.#statements.hold(query, id)
      if (isThere) await this.#statements.remove(query, [id])
      return isThere
    })
    this.#tokens.set(id, undefined)
    return isRemoved
  }

  /** Ends all tokens of a user. How many there were. */
  async removeBySubject(subject: string): Promise<number> {
    const count = await this.#removeBySubject(this.#link, subject, Number.MAX_SAFE_INTEGER)
    this.#users.set(subject, this.#clock())
    // Logins that begin after the answer know of it.
    await this.#link.lookUp()
    return count
  }

  /** Executes again what this process has told its clients: a fail-over or an older copy of the data may have lost it. */
  async reopen(opened: OpenedSqlLink): Promise<void> {
    const ids = this.#tokens.list().map(([id]) => id)
    for (const slice of slicesOf(ids, sliceSize)) await this.#statements.remove(opened.query, slice)
    for (const [subject, issuedUntil] of this.#users.list()) await this.#removeBySubject(opened, subject, issuedUntil)
  }

  /** `number`: of an entry of the log. */
  noteNumber(number: number): void {
    // That of an older copy of the data: what is known of logins means nothing there.
    if (number < this.#lastNumber) this.#numbers.clear()
    this.#lastNumber = number
    this.#numbers.note(number, this.#clock())
  }

  /**
   * Whether a user was revoked after a login began, by the mark that was found.
   *
   * @throws StoreError for a login that began before the connection to this data.
   */
  isOvertaken({ revoked, revoked_at: revokedAt }: SqlRow, startedAt: number): boolean {
    const known = this.#numbers.knownAt(startedAt, this.#clock())
    if (revoked === null || Number(revoked) <= known) return false
    // This process may have heard late of a revocation that was earlier than the login.
    const marginMs = clearlyLaterMs + 2 * this.#link.clockErrorMs
    return this.#clock !== this.#link.now || startedAt - marginMs <= Number(revokedAt)
  }

  /** The mark is there before the tokens go: who adds one later meets it, and who adds one now is waited for. */
  async #removeBySubject(link: OpenedSqlLink, subject: string, issuedUntil: number): Promise<number> {
    const userKey = digest(subject)
    const { nowSql } = this.#link
    await link.publish(subject, (query, number) =>
      this.#statements.mark(query, userKey, number, nowSql, this.#link.now() + markMs),
    )
    let count = 0
    for (const pool of allPools) count += await this.#statements.removeByUser(link, pool, userKey, issuedUntil)
    return count
  }
}
