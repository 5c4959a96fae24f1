/**
 * A change of what is in effect, ready to be made.
 *
 * @module
 */

/** What a part of the front has prepared for another configuration. Until `swap` nothing of it is in effect. */
export interface PreparedChange {
  /** Writes what must be there before, once nothing else can refuse the change. It throws `ConfigError`, and waits for nothing. */
  readonly save?: (() => void) | undefined
  /** Puts it into effect. It never throws and waits for nothing. */
  swap(): void
  /** Logs what there is to say about it. Called after every part has swapped. */
  log?(): void
}
