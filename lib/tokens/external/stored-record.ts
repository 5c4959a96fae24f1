/**
 * A record as a store outside the process has it, and its last use, which other processes note as well.
 *
 * @module
 */

import { StoreError } from '../../core/errors.js'
import { checkedRecord } from '../checked-token-store.js'
import type { TokenRecord } from '../token-store.js'

/** A record in this process: the same object each time, so that `account` may be set on it. */
export interface LocalToken {
  readonly record: TokenRecord
  /** The last use that the store knows of, in milliseconds; 0: it may not know of that in `record`. */
  notedAt: number
}

/** What is stored of a record: all but its last use. @throws StoreError for half of a character, which stores cannot read. */
export function jsonFrom(
  record: TokenRecord,
  more: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const { account: _account, lastAccessAt: _lastAccessAt, ...kept } = record
  const json = JSON.stringify({ ...more, ...kept })
  if (/\\ud[89a-f]/i.test(json)) throw new StoreError('a name or a role of the user is not well-formed Unicode')
  return json
}

/** `notedAt`: the last use. @throws StoreError where it is none, or that of another id. */
export function recordFrom(json: string, notedAt: number, id?: string): LocalToken {
  const stored = JSON.parse(json) as TokenRecord
  // Field by field: to leave out the others by `...` takes five times as long, which a list of ten thousand shows.
  const record = checkedRecord({
    id: stored.id,
    kind: stored.kind,
    audience: stored.audience,
    parent: stored.parent,
    subject: stored.subject,
    roles: stored.roles,
    isAdmin: stored.isAdmin,
    accountVersion: stored.accountVersion,
    scope: stored.scope,
    issuedAt: stored.issuedAt,
    expiresAt: stored.expiresAt,
    idleTimeoutMs: stored.idleTimeoutMs,
    lastAccessAt: notedAt,
    address: stored.address,
    factors: stored.factors,
    impersonator: stored.impersonator,
    account: undefined,
  })
  if (id !== undefined && record.id !== id) throw new StoreError('the store answered with the record of another token')
  return { record, notedAt }
}

/** A last use in milliseconds, as stores have it: `milliseconds * 2048 + count`, which tells two uses within one apart. */
export function momentOfUse(use: number): number {
  return Math.floor(use / 2048)
}

/** Without an idle time-out, twice as long. */
const maxTouchIntervalMs = 30_000

/** Notes of uses: each process writes one token's at most once in an interval. */
export class UseNotes {
  readonly #clock: () => number
  readonly #touchIntervalMs: number | undefined

  /** `touchIntervalMs`: see the options of the stores. */
  constructor(clock: () => number, touchIntervalMs: number | undefined) {
    this.#clock = clock
    this.#touchIntervalMs = touchIntervalMs
  }

  /** Milliseconds by which the store may know the last use of a record too late. */
  slackFor({ idleTimeoutMs, kind }: Pick<TokenRecord, 'idleTimeoutMs' | 'kind'>): number {
    if (this.#touchIntervalMs !== undefined) return this.#touchIntervalMs
    if (kind === 'sso') return maxTouchIntervalMs
    return idleTimeoutMs === undefined ? maxTouchIntervalMs * 2 : Math.min(maxTouchIntervalMs, idleTimeoutMs / 20)
  }

  /** Takes the last use that the store knows of, and allows for one that another process may not have noted yet. */
  take(local: LocalToken, notedAt: number): void {
    const { record } = local
    local.notedAt = notedAt
    const slack = record.idleTimeoutMs === undefined && record.kind !== 'sso' ? 0 : this.slackFor(record)
    record.lastAccessAt = Math.max(record.lastAccessAt, notedAt, Math.min(this.#clock(), notedAt + slack))
  }

  /** Notes a use in this process. Whether the store has to be told. */
  use(local: LocalToken, at: number): boolean {
    const { record, notedAt } = local
    if (at > record.lastAccessAt) record.lastAccessAt = at
    if (at - notedAt < this.slackFor(record)) return false
    local.notedAt = at
    return true
  }

  /**
   * What this process knows of the last use may be old: the store is asked before a session is idle for too long, and each time where
   * others compare the last use.
   */
  looksIdle({ record, notedAt }: LocalToken): boolean {
    const { idleTimeoutMs, lastAccessAt, kind } = record
    if (kind === 'sso') return this.#clock() - notedAt >= this.slackFor(record)
    return idleTimeoutMs !== undefined && this.#clock() >= lastAccessAt + idleTimeoutMs
  }
}
