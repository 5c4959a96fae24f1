/**
 * The part of the configuration that is about the audit trail.
 *
 * @module
 */

/** `[audit_trail]` */
export interface AuditTrailConfig {
  /** `enable`; `undefined`: where there is a `file`, or a function of the app's. */
  readonly isEnabled: boolean | undefined
  /** `file`, as an absolute path. `undefined`: records go to the app's function, else to the log. */
  readonly file: string | undefined
  /** `max_size`: a file of more bytes is rotated. */
  readonly maxBytes: number
  /** `max_age`: a file whose first record is older is rotated, in milliseconds. @defaultValue age does not matter */
  readonly maxAgeMs: number | undefined
  /** `keep`: rotated files that are kept. */
  readonly keep: number
  /** `fsync`: when records are on the disk: `interval` once a second, `always` after each write. */
  readonly fsync: 'always' | 'interval'
  /** `checkpoint_interval`: how often the end of the trail is signed, in milliseconds. */
  readonly checkpointIntervalMs: number
  /** `on_audit_failure`: `deny` refuses requests while records cannot be written. */
  readonly onFailure: 'continue' | 'deny'
  /** `anchor_file`, as an absolute path: gets each checkpoint. @defaultValue none does */
  readonly anchorFile: string | undefined
}
