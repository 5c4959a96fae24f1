/**
 * What the parts that keep state in Redis are told by the link.
 *
 * @module
 */

import type { Script } from './script.js'

/** Runs a script with keys and arguments. */
export type RunScript = (
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>

/** What the parts that keep state in Redis are told. */
export interface RedisLinkListener {
  /** What it runs: loaded with the connection, so that commands are executed in the order in which they were sent. */
  readonly scripts?: readonly Script[]
  /** A key that was read by `readTracked` has changed. */
  onChange?(key: string): void
  /** The connection is lost: any key may have changed. `isDataLost`: because the data was removed or exchanged. */
  onLost?(isDataLost: boolean): void
  /** There is a new connection, on which nothing else is answered before this resolves. A rejection ends it. */
  onOpen?(opened: OpenedLink): Promise<void>
  /** It is used from now on. */
  onReady?(): void
  /**
   * The rights of a user have changed, or those of all where `subject` is absent. `number`: that of the entry in the log which all
   * processes share.
   */
  onNews?(number: number, subject: string | undefined): void
}

/** A new connection. */
export interface OpenedLink {
  /** As `RedisLink.run`, on this connection. */
  readonly run: RunScript
  /** Whether what was acknowledged on the last connection may be lost: another server, an older copy, other data. */
  readonly isOtherData: boolean
  /** Tells one set of data from another. */
  readonly incarnation: string
  /** That of the last entry of the log. */
  readonly newsNumber: number
}
