/**
 * Answers of `/audit`.
 *
 * @module
 */

import * as z from 'zod'
import type { AuditAction, AuditRecord, AuditStatus, AuditTarget } from '../../audit/audit-record.js'
import type { AuditPage } from '../../audit/search-trail.js'
import { component, count, moment, type Shape } from '../../core/components.js'
import { eventNames } from '../../core/events.js'
import { pageQuery } from './sessions.js'

const outcome = z
  .enum(['success', 'failure', 'denied'])
  .describe('`denied`: a rule refused it. `failure`: it was tried and did not work, as with a wrong password.')

export const auditQuery = z.object({
  user: z.string().optional().describe('Records with this user, compared whole.'),
  address: z.string().optional().describe('Records with this address.'),
  action: z.string().optional().describe('Records with this action.'),
  outcome: outcome.optional(),
  since: z.string().optional().describe('Records of this moment (ISO 8601) and later.'),
  until: z.string().optional().describe('Records before this moment.'),
  ...pageQuery.shape,
})

const trailActions = [
  'trailStarted',
  'trailStopped',
  'trailDamaged',
  'checkpoint',
  'recordsLost',
  'filesRemoved',
] as const
const actions: readonly AuditAction[] = [...eventNames, ...trailActions]

const target = z.object({
  type: z
    .enum(['user', 'role', 'session', 'path', 'address', 'client', 'configuration', 'trail'])
    .describe('What kind of thing it is.'),
  id: z.string().describe('Its name. That of a session is a digest, which opens nothing.'),
} satisfies Shape<AuditTarget>)

const rule = z.object({
  key: z.string().describe('Key of the configuration.'),
  file: z.string().exactOptional().describe('The file that it is written in.'),
  line: z.int().exactOptional().describe('The line there, from 1.'),
  column: z.int().exactOptional().describe('The column there, from 1.'),
})

const detail = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()])
const digest = z.string().regex(/^[0-9a-f]{64}$/)

export const auditRecord = component(
  'AuditRecord',
  'A record of the audit trail. Texts are cut to 1024 characters, lists to 50 entries.',
  z.object({
    sequence: z.int().positive().describe('1 for the first record of a trail, then one more each.'),
    time: moment('When it happened.'),
    action: z.enum(actions).describe('What was done: the name of an event, or what happened to the trail itself.'),
    outcome,
    actor: z.string().nullable().describe('Who did it; null where that is not known, or where the server did.'),
    impersonator: z.string().exactOptional().describe('Who acted as the actor.'),
    address: z.string().nullable().describe("The client's address; null where it is not known."),
    target: target.nullable().describe('What was acted on.'),
    rule: rule.exactOptional().describe('The rule that refused.'),
    code: z.string().exactOptional().describe('Code of the refusal.'),
    status: z.int().exactOptional().describe('Status of the refusal.'),
    reason: z.string().exactOptional().describe('Why.'),
    requestId: z.string().exactOptional().describe('Id of the request, where the app or a proxy gave it one.'),
    traceparent: z.string().exactOptional().describe('W3C trace context of the request.'),
    details: z.record(z.string(), detail).exactOptional().describe('What else is known.'),
    previous: digest.describe('`hash` of the record before; zeros for the first.'),
    hash: digest.describe('SHA-256 of the line of this record, up to `,"hash"`.'),
  } satisfies Shape<AuditRecord>),
)

export const auditPage = component(
  'AuditPage',
  'Records that were found, the newest first.',
  z.object({
    count: count('Records of this page.'),
    total: count('Records of all pages; at least so many where `isComplete` is `false`.'),
    isComplete: z.boolean().describe('`false`: older records were not looked at.'),
    list: z.array(auditRecord).describe('The records.'),
  } satisfies Shape<AuditPage>),
)

const checkpoint = z.object({ sequence: z.int().describe('Its number.'), time: moment('When it was written.') })

export const auditStatus = component(
  'AuditStatus',
  'How the audit trail is doing.',
  z.object({
    state: z
      .enum(['ok', 'degraded', 'failing', 'off'])
      .describe(
        '`failing`: the last write failed, or the queue is full. `degraded`: records are written, but the anchor is not.',
      ),
    file: z.string().nullable().describe('The file; null where records go elsewhere.'),
    sequence: count('Of the last record that was written; 0 before the first.'),
    lastWriteAt: moment('').nullable().describe('When a record was written last.'),
    lagMs: z.number().nonnegative().describe('Age of the oldest record that waits to be written, in milliseconds.'),
    queued: count('Records that wait to be written.'),
    lastCheckpoint: checkpoint.nullable().describe('The last signed checkpoint.'),
    error: z.string().nullable().describe('Why writing fails; null where it works.'),
  } satisfies Shape<AuditStatus>),
)
