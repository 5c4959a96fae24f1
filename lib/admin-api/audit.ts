/**
 * `/audit` and `/audit/status`: what the audit trail has, and how it is doing.
 *
 * @module
 */

import type { AuditStatus } from '../audit/audit-record.js'
import type { AuditTrail } from '../audit/audit-trail.js'
import { type AuditPage, type AuditQuery, searchTrail } from '../audit/search-trail.js'
import { HttpError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Gate } from '../http/gate.js'
import { invalidRequest } from './json-body.js'
import { readPage } from './page.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'

/** What the resource works with. */
export interface AuditGateParts {
  /** `undefined`: there is none. */
  readonly audit: AuditTrail | undefined
  readonly events: SecurityEvents
  readonly clock: () => number
}

/** Without a trail. */
const off: AuditStatus = {
  state: 'off',
  file: null,
  sequence: 0,
  lastWriteAt: null,
  lagMs: 0,
  queued: 0,
  lastCheckpoint: null,
  error: null,
}

const outcomes = ['success', 'failure', 'denied']
const filters = ['user', 'address', 'action', 'outcome', 'since', 'until'] as const

/** One event for the same search of an administrator within so long. */
const sameSearchMs = 600_000
const maxSearches = 1000
const maxQueryLength = 200

/**
 * Answers every request for the audit trail, of administrators only.
 *
 * | verb, path | answer |
 * |---|---|
 * | `GET /audit?user=&address=&action=&outcome=&since=&until=&offset=&limit=` | {@link AuditPage}, newest first |
 * | `GET /audit/status` | {@link AuditStatus} |
 *
 * Texts are compared whole. `since` and `until` are moments of ISO 8601. Where records do not go to a file, `/audit` is 404.
 */
export function auditGate({ audit, events, clock }: AuditGateParts): Gate {
  /** When each search was reported last. */
  const reported = new Map<string, number>()

  async function search({ query, auth, client }: Call): Promise<AuditPage> {
    const file = audit?.status().file ?? undefined
    if (file === undefined) throw notThere('There is no audit trail in a file here.')
    const search = readQuery(query)
    const asked = filters.flatMap((name) =>
      query(name) === '' ? [] : [`${name}=${query(name).slice(0, maxQueryLength)}`],
    )
    report(auth.subject, asked, client)
    await audit?.settle()
    return searchTrail(file, search)
  }

  function report(by: string, query: readonly string[], client: Call['client']): void {
    const at = clock()
    const key = JSON.stringify([by, client.address, query])
    const last = reported.get(key)
    if (last !== undefined && at - last >= 0 && at - last < sameSearchMs) return
    if (reported.size >= maxSearches) reported.clear()
    reported.set(key, at)
    events.report('auditRead', { at, ...client, by, query })
  }

  async function member({ name }: Call): Promise<AuditStatus> {
    if (name.toLowerCase() !== 'status') throw notThere('There is nothing of this name.')
    return audit?.status() ?? off
  }

  const gate = resourceGate('audit', { GET: search }, { GET: member })
  return administratorsOnly((path) => readMember('audit', path) !== undefined, gate)
}

function notThere(message: string): HttpError {
  return new HttpError(404, 'ERR_NOT_FOUND', message)
}

/** @throws `BadRequestError` for what cannot be meant. */
function readQuery(query: Call['query']): AuditQuery {
  const text = (name: string): string | undefined => query(name) || undefined
  const outcome = text('outcome')
  if (outcome !== undefined && !outcomes.includes(outcome)) {
    throw invalidRequest(`'outcome' must be one of ${outcomes.join(', ')}.`)
  }
  return {
    user: text('user'),
    address: text('address'),
    action: text('action'),
    outcome,
    since: readMoment('since', query),
    until: readMoment('until', query),
    ...readPage(query),
  }
}

function readMoment(name: string, query: Call['query']): number | undefined {
  const text = query(name)
  if (text === '') return undefined
  const moment = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(moment)) throw invalidRequest(`'${name}' must be a moment such as 2026-11-29T15:00:00Z.`)
  return moment
}
