/**
 * What administrators and monitors ask and change, below the management API and below the operators' page.
 *
 * @module
 */

import * as z from 'zod'
import { auditPage, auditQuery, auditStatus } from '../admin-api/schemas/audit.js'
import { reloadRequest } from '../admin-api/schemas/bodies.js'
import { apiTokenPage, configurationView, serviceProviderPage } from '../admin-api/schemas/configuration.js'
import { eventPage, eventQuery } from '../admin-api/schemas/events.js'
import { reloadOutcome, reloadPreview } from '../admin-api/schemas/reload.js'
import {
  endedSession,
  endedSessions,
  liftedLocks,
  lockPage,
  pageQuery,
  sessionPage,
  sessionQuery,
} from '../admin-api/schemas/sessions.js'
import { domainQuery } from '../admin-api/schemas/users.js'
import { consoleIndex } from '../console/index-schema.js'
import { healthReport, probeAnswer } from '../health/report.js'
import { flatError } from '../http/error-schema.js'
import { metricsReport } from '../metrics/report.js'
import type { DocumentedFront } from './front.js'
import { json, type Operation, operationWith } from './operation.js'

const sessions = operationWith('sessions', 'administrator')
const locks = operationWith('locks', 'administrator')
const configuration = operationWith('configuration', 'administrator')
const events = operationWith('events', 'administrator')
const audit = operationWith('audit', 'administrator')
const health = operationWith('health', 'administrator')
const probe = operationWith('health', 'public')
const metrics = operationWith('metrics', 'administrator')
const operatorsPage = operationWith('console', 'administrator')

const badQuery = 'A parameter of the query cannot be meant.'
const noFile = 'There is no file: the app made the configuration itself (`ERR_CONFIG_INVALID`).'
const notFromHere = 'The address is none of `[health] allow`.'

const operations: readonly Operation[] = [
  sessions('GET /sessions', 'listSessions', 'List and search sessions', {
    query: sessionQuery,
    answers: { 200: json('One page of what was found.', sessionPage) },
    refusals: { 400: badQuery },
  }),
  sessions('DELETE /sessions', 'endSessionsOfUser', 'End all sessions of a user', {
    description: 'Sessions, tokens and sign-ons. It cannot be undone; the user can log in again.',
    query: z.object({ user: z.string().min(1).describe('The name of the user.') }),
    answers: { 200: json('They have ended.', endedSessions) },
    refusals: { 400: 'No user is named.' },
  }),
  sessions('DELETE /sessions/{id}', 'endSession', 'End one session', {
    description: 'It is refused at its next request. It cannot be undone.',
    parameters: { id: 'The id of the session, as it is listed.' },
    answers: { 200: json('It has ended.', endedSession) },
    refusals: { 404: 'There is no session with this id.' },
  }),

  sessions(
    'DELETE /users/{id}/sessions',
    'endSessionsOfOneUser',
    'End all sessions of a user, by the path of the user',
    {
      description: 'The same as `DELETE /sessions?user=`.',
      parameters: { id: 'The name of the user.' },
      query: domainQuery,
      answers: { 200: json('They have ended.', endedSessions) },
    },
  ),

  locks('GET /locks', 'listLocks', 'List locks of logins', {
    query: pageQuery,
    answers: { 200: json('One page of the locks that hold.', lockPage) },
    refusals: { 400: badQuery },
  }),
  locks('DELETE /locks', 'liftLocks', 'Lift the locks of a user or an address', {
    description: 'Exactly one of `user` and `address` has to be there.',
    query: z.object({
      user: z.string().optional().describe('All locks of this user, that of wrong codes too.'),
      address: z.string().optional().describe('What locks all users of this address.'),
    }),
    answers: { 200: json('They are lifted.', liftedLocks) },
    refusals: { 400: 'Neither a user nor an address is named, or both are.' },
  }),

  configuration(
    'GET /configuration',
    'getConfiguration',
    'Get the configuration in effect, with its origins and findings',
    {
      answers: { 200: json('The configuration.', configurationView) },
    },
  ),
  configuration('GET /reload', 'previewReload', 'Get what a reload would do', {
    answers: { 200: json('What it would do, or the mistakes that would refuse it.', reloadPreview) },
    refusals: { 400: noFile },
  }),
  configuration('POST /reload', 'reload', 'Read the configuration file anew', {
    description: 'A file with a mistake changes nothing.',
    body: { schema: reloadRequest },
    answers: { 200: json('It is in effect.', reloadOutcome) },
    refusals: {
      400: 'The file has a mistake, one line for each (`ERR_CONFIG_INVALID`), there is no file, or the body cannot be meant.',
      409: 'The file is not the one of the preview any more (`ERR_CONFIG_CHANGED`).',
      413: 'The body is larger than 64 KiB.',
      415: 'The body is no JSON.',
    },
  }),
  configuration('GET /api-tokens', 'listApiTokens', 'List the API tokens of the configuration', {
    query: pageQuery,
    answers: { 200: json('One page of the tokens.', apiTokenPage) },
    refusals: { 400: badQuery },
  }),
  configuration(
    'GET /service-providers',
    'listServiceProviders',
    'List the service providers of the authorization server',
    {
      query: pageQuery,
      answers: { 200: json('One page of the service providers.', serviceProviderPage) },
      refusals: { 400: badQuery },
    },
  ),

  events('GET /events', 'listEvents', 'List events, or follow them', {
    description:
      'With `Accept: text/event-stream` each event is sent as it happens, as `event: security` with its id and an `Event` as data, until a ' +
      'new request of the caller would be refused; `event: dropped` says how many were too much to be sent. At most 20 streams are ' +
      'open, 5 of them of one session or token and 10 of one user: more get 503 `ERR_STREAMS_TOO_MANY`.',
    query: eventQuery,
    requestHeaders: { 'Last-Event-ID': 'Has those events sent first that came after it, to a stream.' },
    answers: {
      200: {
        description: 'One page of what was found, or a stream.',
        content: [{ schema: eventPage }, { schema: z.string(), type: 'text/event-stream' }],
      },
    },
    refusals: { 400: badQuery },
  }),

  audit('GET /audit', 'searchAudit', 'Search the audit trail', {
    query: auditQuery,
    answers: { 200: json('One page of what was found.', auditPage) },
    refusals: { 400: badQuery },
  }),

  audit('GET /audit/status', 'getAuditStatus', 'Get how the audit trail is doing', {
    answers: { 200: json('Its state.', auditStatus) },
  }),

  health('GET /health', 'getHealth', 'Get how the server is, in detail', {
    answers: { 200: json('How it is, also where that is not well.', healthReport) },
  }),
  metrics('GET /metrics', 'getMetrics', 'Get the metrics', {
    description:
      'As the text of Prometheus (0.0.4), or as JSON for a client that prefers it. At the management API, the addresses of `[metrics] allow` ' +
      'need no login.',
    answers: {
      200: {
        description: 'The metrics.',
        content: [{ schema: metricsReport }, { schema: z.string(), type: 'text/plain' }],
      },
    },
  }),
]

export function operatorOperations({ hasAuditFile }: DocumentedFront): readonly Operation[] {
  return hasAuditFile ? operations : operations.filter(({ path }) => path !== '/audit')
}

/** At the management API alone. */
export const probeOperations: readonly Operation[] = [
  probe('GET /health/live', 'getLiveness', 'Get whether the process lives', {
    answers: { 200: json('It does.', probeAnswer) },
    refusals: { 404: notFromHere },
  }),
  probe('GET /health/ready', 'getReadiness', 'Get whether the process takes requests', {
    answers: {
      200: json('It does.', probeAnswer),
      503: json('It does not, or the address of the client cannot be told.', z.union([probeAnswer, flatError])),
    },
    refusals: { 404: notFromHere },
  }),
]

/** At the operators' page alone. */
export const consoleOperation = operatorsPage('GET /', 'getConsole', 'Get who asks, and what there is', {
  answers: { 200: json('The administrator and the server.', consoleIndex) },
})
