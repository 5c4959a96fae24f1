/**
 * What administrators ask and change, below the management API and below the operators' page.
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
import type { DocumentedFront } from './front.js'
import { json, type Operation } from './operation.js'
import { watchOperations } from './watch-operations.js'

const badQuery = 'A parameter of the query cannot be meant.'

const ofUser = z.object({ user: z.string().min(1).describe('The name of the user.') })

const sessions: readonly Operation[] = [
  {
    method: 'get',
    path: '/sessions',
    id: 'listSessions',
    tag: 'sessions',
    summary: 'List and search sessions',
    access: 'administrator',
    query: sessionQuery,
    answers: { 200: json('One page of what was found.', sessionPage) },
    refusals: { 400: badQuery },
  },
  {
    method: 'delete',
    path: '/sessions',
    id: 'endSessionsOfUser',
    tag: 'sessions',
    summary: 'End all sessions of a user',
    description: 'Sessions, tokens and sign-ons. It cannot be undone; the user can log in again.',
    access: 'administrator',
    query: ofUser,
    answers: { 200: json('They have ended.', endedSessions) },
    refusals: { 400: 'No user is named.' },
  },
  {
    method: 'delete',
    path: '/sessions/{id}',
    id: 'endSession',
    tag: 'sessions',
    summary: 'End one session',
    description: 'It is refused at its next request. It cannot be undone.',
    access: 'administrator',
    parameters: { id: 'The id of the session, as it is listed.' },
    answers: { 200: json('It has ended.', endedSession) },
    refusals: { 404: 'There is no session with this id.' },
  },
]

const userSessions: Operation = {
  method: 'delete',
  path: '/users/{id}/sessions',
  id: 'endSessionsOfOneUser',
  tag: 'sessions',
  summary: 'End all sessions of a user, by the path of the user',
  description: 'The same as `DELETE /sessions?user=`.',
  access: 'administrator',
  parameters: { id: 'The name of the user.' },
  query: domainQuery,
  answers: { 200: json('They have ended.', endedSessions) },
}

const locks: readonly Operation[] = [
  {
    method: 'get',
    path: '/locks',
    id: 'listLocks',
    tag: 'locks',
    summary: 'List locks of logins',
    access: 'administrator',
    query: pageQuery,
    answers: { 200: json('One page of the locks that hold.', lockPage) },
    refusals: { 400: badQuery },
  },
  {
    method: 'delete',
    path: '/locks',
    id: 'liftLocks',
    tag: 'locks',
    summary: 'Lift the locks of a user or an address',
    description: 'Exactly one of `user` and `address` has to be there.',
    access: 'administrator',
    query: z.object({
      user: z.string().optional().describe('All locks of this user, that of wrong codes too.'),
      address: z.string().optional().describe('What locks all users of this address.'),
    }),
    answers: { 200: json('They are lifted.', liftedLocks) },
    refusals: { 400: 'Neither a user nor an address is named, or both are.' },
  },
]

const noFile = 'There is no file: the app made the configuration itself (`ERR_CONFIG_INVALID`).'

const configuration: readonly Operation[] = [
  {
    method: 'get',
    path: '/configuration',
    id: 'getConfiguration',
    tag: 'configuration',
    summary: 'Get the configuration in effect, with its origins and findings',
    access: 'administrator',
    answers: { 200: json('The configuration.', configurationView) },
  },
  {
    method: 'get',
    path: '/reload',
    id: 'previewReload',
    tag: 'configuration',
    summary: 'Get what a reload would do',
    access: 'administrator',
    answers: { 200: json('What it would do, or the mistakes that would refuse it.', reloadPreview) },
    refusals: { 400: noFile },
  },
  {
    method: 'post',
    path: '/reload',
    id: 'reload',
    tag: 'configuration',
    summary: 'Read the configuration file anew',
    description: 'A file with a mistake changes nothing.',
    access: 'administrator',
    body: { schema: reloadRequest },
    answers: { 200: json('It is in effect.', reloadOutcome) },
    refusals: {
      400: 'The file has a mistake, one line for each (`ERR_CONFIG_INVALID`), there is no file, or the body cannot be meant.',
      409: 'The file is not the one of the preview any more (`ERR_CONFIG_CHANGED`).',
      413: 'The body is larger than 64 KiB.',
      415: 'The body is no JSON.',
    },
  },
  {
    method: 'get',
    path: '/api-tokens',
    id: 'listApiTokens',
    tag: 'configuration',
    summary: 'List the API tokens of the configuration',
    access: 'administrator',
    query: pageQuery,
    answers: { 200: json('One page of the tokens.', apiTokenPage) },
    refusals: { 400: badQuery },
  },
  {
    method: 'get',
    path: '/service-providers',
    id: 'listServiceProviders',
    tag: 'configuration',
    summary: 'List the service providers of the authorization server',
    access: 'administrator',
    query: pageQuery,
    answers: { 200: json('One page of the service providers.', serviceProviderPage) },
    refusals: { 400: badQuery },
  },
]

const events: readonly Operation[] = [
  {
    method: 'get',
    path: '/events',
    id: 'listEvents',
    tag: 'events',
    summary: 'List events, or follow them',
    description:
      'With `Accept: text/event-stream` each event is sent as it happens, as `event: security` with its id and an `Event` as data, until a ' +
      'new request of the caller would be refused; `event: dropped` says how many were too much to be sent. At most 20 streams are ' +
      'open, 5 of them of one session or token and 10 of one user: more get 503 `ERR_STREAMS_TOO_MANY`.',
    access: 'administrator',
    query: eventQuery,
    requestHeaders: { 'Last-Event-ID': 'Has those events sent first that came after it, to a stream.' },
    answers: {
      200: {
        description: 'One page of what was found, or a stream.',
        content: [{ schema: eventPage }, { schema: z.string(), type: 'text/event-stream' }],
      },
    },
    refusals: { 400: badQuery },
  },
]

const auditSearch: Operation = {
  method: 'get',
  path: '/audit',
  id: 'searchAudit',
  tag: 'audit',
  summary: 'Search the audit trail',
  access: 'administrator',
  query: auditQuery,
  answers: { 200: json('One page of what was found.', auditPage) },
  refusals: { 400: badQuery },
}

const auditState: Operation = {
  method: 'get',
  path: '/audit/status',
  id: 'getAuditStatus',
  tag: 'audit',
  summary: 'Get how the audit trail is doing',
  access: 'administrator',
  answers: { 200: json('Its state.', auditStatus) },
}

export function operatorOperations({ hasAuditFile }: DocumentedFront): readonly Operation[] {
  const ofAudit = hasAuditFile ? [auditSearch, auditState] : [auditState]
  return [...sessions, userSessions, ...locks, ...configuration, ...events, ...ofAudit, ...watchOperations]
}
