/**
 * Makes the record of an event. What an event says in words of a driver (its `cause`) is for the log alone, as it may hold what nobody
 * has checked for secrets.
 *
 * @module
 */

import { readRequestId, readTraceparent } from '../core/event-members.js'
import type { SecurityEventMap } from '../core/events.js'
import type { AuditDetail, AuditEntry, AuditOutcome, AuditTarget } from './audit-record.js'

type EventName = keyof SecurityEventMap
type AnyEvent = SecurityEventMap[EventName]

/** What is particular to one kind of event. */
interface Reading {
  /** @defaultValue `'success'` */
  readonly outcome?: AuditOutcome
  /** @defaultValue not known */
  readonly actor?: string | undefined
  readonly target?: AuditTarget | undefined
  readonly details?: Readonly<Record<string, AuditDetail | undefined>>
}

type Readers = { readonly [Name in EventName]: (event: SecurityEventMap[Name]) => Reading }

const user = (id: string): AuditTarget => ({ type: 'user', id })
const role = (id: string): AuditTarget => ({ type: 'role', id })
const address = (id: string): AuditTarget => ({ type: 'address', id })
const session = (id: string | undefined): AuditTarget | undefined =>
  id === undefined ? undefined : { type: 'session', id }
const configuration = (file: string | undefined): AuditTarget => ({ type: 'configuration', id: file ?? 'object' })

/** Reasons of refused logins that are rules: the password may have been right. */
const deniedLogins: ReadonlySet<string> = new Set(['throttled', 'not-admitted', 'disabled', 'second-factor-required'])

const loginOutcome = (reason: string): AuditOutcome => (deniedLogins.has(reason) ? 'denied' : 'failure')

const readers: Readers = {
  login: ({ subject, tokenId, kind, factors }) => ({
    actor: subject,
    target: session(tokenId),
    details: { kind, factors },
  }),
  loginRefused: ({ userName, reason }) => ({ outcome: loginOutcome(reason), actor: userName || undefined }),
  clientRefused: ({ clientId, reason }) => ({
    outcome: loginOutcome(reason),
    actor: clientId,
    target: { type: 'client', id: clientId },
  }),
  logout: ({ subject, tokenId }) => ({ actor: subject, target: session(tokenId) }),
  refusal: ({ subject, method, path, status, reference }) => ({
    outcome: status >= 500 ? 'failure' : 'denied',
    actor: subject,
    target: { type: 'path', id: path },
    details: { method, reference },
  }),
  eviction: ({ subject, tokenId, kind }) => ({ target: session(tokenId), details: { user: subject, kind } }),
  revocation: ({ by, subject, tokenId, kind, count }) => ({
    actor: by,
    target: session(tokenId) ?? (subject === undefined ? undefined : user(subject)),
    details: { user: subject, kind, count },
  }),
  lock: ({ userName, subject, scope, seconds, address: from }) => ({
    outcome: 'denied',
    actor: userName,
    target: scope === 'source' && from !== undefined ? address(from) : user(subject ?? userName),
    details: { scope, seconds },
  }),
  unlock: ({ by, userName, source }) => ({
    actor: by,
    target: source === undefined ? user(userName) : address(source),
  }),
  reload: ({ by, file, changed }) => ({ actor: by, target: configuration(file), details: { changed } }),
  reloadRefused: ({ by, file, problems }) => ({
    outcome: 'failure',
    actor: by,
    target: configuration(file),
    details: { problems },
  }),
  userAdded: ({ by, subject, isAdmin }) => ({ actor: by, target: user(subject), details: { isAdmin } }),
  userRemoved: ({ by, subject }) => ({ actor: by, target: user(subject) }),
  passwordChanged: ({ by, subject }) => ({ actor: by, target: user(subject) }),
  secondFactorChanged: ({ by, subject, change }) => ({ actor: by, target: user(subject), details: { change } }),
  userDisabled: ({ by, subject }) => ({ actor: by, target: user(subject) }),
  userEnabled: ({ by, subject }) => ({ actor: by, target: user(subject) }),
  rolesChanged: ({ by, subject, added, removed }) => ({
    actor: by,
    target: user(subject),
    details: { added, removed },
  }),
  roleAdded: ({ by, role: name }) => ({ actor: by, target: role(name) }),
  roleRemoved: ({ by, role: name }) => ({ actor: by, target: role(name) }),
  breakGlassUsed: ({ subject }) => ({ actor: subject, target: user(subject) }),
  auditRead: ({ by, query }) => ({ actor: by, target: { type: 'trail', id: 'search' }, details: { query } }),
}

const maxLength = 1024
const maxEntries = 50

/** Every text has a bound, however long a client makes it. What JavaScript gives in the place of one becomes one. */
function cut(value: string): string {
  const text = String(value)
  return text.length > maxLength ? text.slice(0, maxLength) : text
}

function nullable(text: string | null | undefined): string | null {
  return text === undefined || text === null ? null : cut(text)
}

function cutDetail(value: AuditDetail): AuditDetail {
  if (typeof value === 'string') return cut(value)
  return typeof value === 'object' ? value.slice(0, maxEntries).map(cut) : value
}

function readDetails(details: Reading['details'] = {}): AuditEntry['details'] {
  const kept: Record<string, AuditDetail> = {}
  for (const [name, value] of Object.entries(details))
    if (value !== undefined && value !== null) kept[name] = cutDetail(value)
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** Members that several events have, all of them optional here. */
interface CommonMembers {
  readonly impersonator?: string | undefined
  readonly address?: string | undefined
  readonly rule?: string | undefined
  readonly position?: AuditEntry['rule'] | undefined
  readonly code?: string | undefined
  readonly status?: number | undefined
  readonly reason?: string | undefined
  readonly requestId?: string | undefined
  readonly traceparent?: string | undefined
}

/** Makes the record of one event. */
export function readEvent<Name extends EventName>(action: Name, event: SecurityEventMap[Name]): AuditEntry {
  const { outcome = 'success', actor, target, details } = (readers[action] as (event: AnyEvent) => Reading)(event)
  const common = event as CommonMembers
  const optional = {
    impersonator: common.impersonator,
    rule: common.rule === undefined ? undefined : { key: common.rule, ...common.position },
    code: common.code,
    status: common.status,
    reason: common.reason === undefined ? undefined : cut(common.reason),
    requestId: readRequestId(common.requestId),
    traceparent: readTraceparent(common.traceparent),
    details: readDetails(details),
  }
  const entry = {
    time: new Date(event.at).toISOString(),
    action,
    outcome,
    actor: nullable(actor),
    address: nullable(common.address),
    target: target === undefined ? null : { type: target.type, id: cut(target.id) },
  }
  for (const [name, value] of Object.entries(optional)) {
    if (value !== undefined) Object.assign(entry, { [name]: value })
  }
  return entry
}
