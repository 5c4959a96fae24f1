/**
 * The audit record: what one line of the audit trail says.
 *
 * @module
 */

import type { Position } from '../core/errors.js'
import type { SecurityEventMap } from '../core/events.js'

/** What the trail says of itself, besides the events. */
export type TrailAction =
  | 'trailStarted'
  | 'trailStopped'
  | 'trailDamaged'
  | 'checkpoint'
  | 'recordsLost'
  | 'filesRemoved'

/** What was done: the name of an event, or what happened to the trail itself. */
export type AuditAction = keyof SecurityEventMap | TrailAction

/** `denied`: a rule refused it. `failure`: it was tried and did not work, as with a wrong password or a store that is away. */
export type AuditOutcome = 'success' | 'failure' | 'denied'

/** What was acted on. */
export interface AuditTarget {
  /** `session` is a session or a token; its `id` is a digest, which opens nothing. */
  readonly type: 'user' | 'role' | 'session' | 'path' | 'address' | 'client' | 'configuration' | 'trail'
  /** Its name, path or digest. */
  readonly id: string
}

/** Key of a rule in the configuration, and where it stands. */
export interface AuditRule extends Partial<Position> {
  /** As in the file: `management_api.cors`. */
  readonly key: string
}

/** A value of {@link AuditEntry.details}. */
export type AuditDetail = string | number | boolean | readonly string[]

/** A record before it has its place in the trail. Texts are cut to 1024 characters, lists to 50 entries. */
export interface AuditEntry {
  /** ISO 8601 with milliseconds, in UTC. */
  readonly time: string
  /** What was done. */
  readonly action: AuditAction
  /** What came of it. */
  readonly outcome: AuditOutcome
  /** Who did it: a user, an OAuth client, or what was typed as a user name at a login that was refused. `null`: not known, or the front itself. */
  readonly actor: string | null
  /** Who acted as `actor`. */
  readonly impersonator?: string
  /** The client's address. `null`: not known, or no request. */
  readonly address: string | null
  /** What it was done to. */
  readonly target: AuditTarget | null
  /** The rule that refused. */
  readonly rule?: AuditRule
  /** `ERR_` code of the refusal. */
  readonly code?: string
  /** HTTP status of the refusal. */
  readonly status?: number
  /** Why: what the event says, or the caller of the change. */
  readonly reason?: string
  /** Of the request, where the app or a proxy gave it one. */
  readonly requestId?: string
  /** W3C trace context of the request. */
  readonly traceparent?: string
  /** What is particular to the action. */
  readonly details?: Readonly<Record<string, AuditDetail>>
}

/** One line of the trail. */
export interface AuditRecord extends AuditEntry {
  /** 1 for the first record of a trail, then one more each; it goes on over restarts and files. */
  readonly sequence: number
  /** `hash` of the record before; 64 zeros for the first. */
  readonly previous: string
  /** SHA-256 in hex of the line without its last member, which is this one: of the text up to `,"hash"`. */
  readonly hash: string
}

/** What an app is given each record with; see `SecurityOptions.auditTrail`. */
export type AuditSink = (record: AuditRecord) => unknown

/** How the trail is doing, as `GET /audit/status` answers. */
export interface AuditStatus {
  /** `failing`: the last write failed, or the queue is full. `degraded`: records are written, but the anchor is not. */
  readonly state: 'ok' | 'degraded' | 'failing' | 'off'
  /** `null`: the records go to the log or to a function. */
  readonly file: string | null
  /** Of the last record that was written; 0 before the first. */
  readonly sequence: number
  readonly lastWriteAt: string | null
  /** Age of the oldest record that waits to be written, in milliseconds; 0 when none waits. */
  readonly lagMs: number
  /** Records that wait to be written. */
  readonly queued: number
  readonly lastCheckpoint: { readonly sequence: number; readonly time: string } | null
  /** Why writing fails: of records, else of the anchor. `null`: it works. */
  readonly error: string | null
}
