/**
 * What events have in common: when, by whom, from where, and why.
 *
 * @module
 */

/** What happened. */
export interface Occurrence {
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number
}

/** What finds the request of an event in other logs. Clients choose both, unless a proxy sets them: they prove nothing. */
export interface RequestCorrelation {
  /** The id that the app, or a proxy by `X-Request-Id`, gave the request; absent where there is none. */
  readonly requestId?: string | undefined
  /** The request's `traceparent` (W3C Trace Context); absent where there is none. */
  readonly traceparent?: string | undefined
}

/** What other logs take without quotes. */
const idPattern = /^[\w.:/+=@-]{1,128}$/

/** W3C Trace Context section 3.2: neither id is all zeros, and no version is `ff`. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** pino-http counts requests where the app gives them no id. */
export function readRequestId(id: unknown): string | undefined {
  const text = typeof id === 'number' ? String(id) : id
  return typeof text === 'string' && idPattern.test(text) ? text : undefined
}

export function readTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && traceparentPattern.test(value) ? value : undefined
}

/** The members of an event that come from its request. */
export interface Client extends RequestCorrelation {
  /** The client's address as `trust proxy` gives it; `undefined` when its socket has closed. */
  readonly address: string | undefined
}

/** Of what else a context may have, only what its events say of the client. */
export function pickClient({ address, requestId, traceparent }: Client): Client {
  return { address, requestId, traceparent }
}

export interface FromClient extends Occurrence, Client {}

export interface ByUser extends FromClient {
  /** The administrator or user who did it. */
  readonly by: string
}

/**
 * Who made a change by a call of the app's, and why. Its event says both; neither is checked. A `requestId` or `traceparent` that is malformed
 * is left out of the audit trail.
 */
export interface ChangeContext extends RequestCorrelation {
  /** An administrator, or a job of the app's. @defaultValue not known */
  readonly by?: string | undefined
  /** For the audit trail. @defaultValue not known */
  readonly reason?: string | undefined
  /** The address that it came from. @defaultValue not known */
  readonly address?: string | undefined
}

/** What an event says of who made a change. JavaScript may say `null` where nothing is known. */
export function changedBy(context?: ChangeContext | null): Omit<ByCall, 'at'> {
  const { by, reason, address, requestId, traceparent } = context ?? {}
  return {
    by: by ?? undefined,
    reason: reason ?? undefined,
    address: address ?? undefined,
    requestId: requestId ?? undefined,
    traceparent: traceparent ?? undefined,
  }
}

export interface ByCall extends Occurrence, RequestCorrelation {
  /** Who did it, where the caller said so: see {@link ChangeContext}. */
  readonly by: string | undefined
  /** Why, where the caller said so. */
  readonly reason: string | undefined
  /** From where, when a request made the change. */
  readonly address?: string | undefined
}

/** Why a login was refused. The client never learns it. */
export type LoginRefusal =
  | 'unknown-user'
  | 'wrong-password'
  | 'wrong-code'
  | 'second-factor-required'
  | 'disabled'
  | 'throttled'
  | 'overloaded'
  | 'store-unavailable'
  | 'token-store-full'
  | 'not-admitted'
  | 'provider-refused'
  | 'provider-failed'
  | 'malformed'

/** Why an OAuth client was refused. The client never learns it. `unknown-client`: no client with a secret has this id. */
export type ClientRefusal = 'unknown-client' | 'wrong-secret' | 'throttled' | 'overloaded'
