/**
 * What the authorization server answers, below the path of its issuer and at the root of its host.
 *
 * @module
 */

import * as z from 'zod'
import * as schemas from '../oauth/answer-schemas.js'
import { endpoints } from '../oauth/endpoints.js'
import { keysAnswer } from './management-operations.js'
import { type Answer, html, json, type Operation, operationWith } from './operation.js'

const form = 'application/x-www-form-urlencoded'
const refused = (description: string): Answer => json(description, schemas.oauthError)
const challenged = (description: string): Answer => ({
  ...refused(description),
  headers: { 'WWW-Authenticate': 'What has to be sent.' },
})
function later(description: string): Answer {
  return {
    ...refused(description),
    headers: { 'Retry-After': 'After how many seconds another attempt may be better.' },
  }
}
/** For a browser, or for a program. */
function pageOrError(description: string): Answer {
  return { description, content: [{ schema: z.string(), type: 'text/html' }, { schema: schemas.oauthError }] }
}

/** For a client that does not follow. */
const redirectText = ['text/html', 'text/plain'].map((type) => ({ schema: z.string(), type }))
const toBrowser: Answer = {
  description: 'The browser is sent to the login page, or back to the client with a code or an error.',
  headers: { Location: 'Where.' },
  content: redirectText,
}
const clientRefusals = {
  400: refused('The request, the client or what it sends is not good.'),
  401: challenged('The client is not known, or its secret is wrong.'),
  429: later('Too many wrong secrets of this client.'),
  503: later('A store cannot be reached, or no more work is taken.'),
}

const operation = operationWith('oauth', 'public')
const byClient = operationWith('oauth', 'client')
const byToken = operationWith('oauth', 'oauth')

const whereMounted = 'Where the app has mounted `security.wellKnown()`. Every origin may read it.'

const authorization = {
  description: 'A browser opens it. PKCE with S256 is mandatory.',
  answers: { 303: toBrowser, 400: pageOrError('The client or its redirect URI is not known.') },
}

const userInfo = {
  answers: {
    200: json('The claims.', schemas.userInfo),
    400: refused('There is no token.'),
    401: challenged('The token is not live.'),
    403: challenged('The token has not the scope `openid`.'),
  },
}

const signOut = {
  answers: {
    200: html('A page asks whether to sign out.'),
    303: {
      description: 'Nobody is signed in: the browser is sent on.',
      headers: { Location: 'Where.' },
      content: redirectText,
    },
    400: pageOrError('The request is not good.'),
  },
}

const belowIssuer: readonly Operation[] = [
  operation(`GET ${endpoints.authorization}`, 'authorize', 'Sign in, for a client', {
    ...authorization,
    query: schemas.authorizationQuery,
  }),
  operation(`POST ${endpoints.authorization}`, 'authorizeByForm', 'Sign in, for a client', {
    ...authorization,
    body: { schema: schemas.authorizationQuery, type: form, isRequired: true },
  }),
  byClient(`POST ${endpoints.token}`, 'getTokens', 'Get tokens', {
    body: { schema: schemas.tokenRequest, type: form, isRequired: true },
    answers: { 200: json('The tokens.', schemas.tokenAnswer), ...clientRefusals },
  }),
  byToken(`GET ${endpoints.userinfo}`, 'getUserInfo', 'Get claims of the user of an access token', userInfo),
  byToken(`POST ${endpoints.userinfo}`, 'getUserInfoByPost', 'Get claims of the user of an access token', userInfo),
  byClient(`POST ${endpoints.revocation}`, 'revokeToken', 'Revoke a token', {
    body: { schema: schemas.tokenForm, type: form, isRequired: true },
    answers: { 200: json('The token is no good any more, if it ever was.', schemas.revoked), ...clientRefusals },
  }),
  byClient(`POST ${endpoints.introspection}`, 'introspectToken', 'Ask what a token is good for', {
    body: { schema: schemas.tokenForm, type: form, isRequired: true },
    answers: { 200: json('What it is good for.', schemas.introspection), ...clientRefusals },
  }),
  operation(`GET ${endpoints.jwks}`, 'getOauthKeys', 'Get the keys that tokens are verified with', {
    answers: { 200: keysAnswer },
  }),
  operation(`GET ${endpoints.end_session}`, 'oauthSignOut', 'Sign out, for a client', {
    ...signOut,
    query: schemas.signOutQuery,
  }),
  operation(`POST ${endpoints.end_session}`, 'oauthSignOutByForm', 'Sign out, for a client', {
    ...signOut,
    body: { schema: schemas.signOutQuery, type: form },
  }),
  operation(
    'GET /.well-known/openid-configuration',
    'getOpenIdConfiguration',
    'Get the metadata of the authorization server',
    {
      answers: { 200: json('The metadata.', schemas.serverMetadata) },
    },
  ),
]

/** The operations of an authorization server. Its clients know it by its issuer, not by the host of this document. */
export function oauthOperations(issuer: string): readonly Operation[] {
  const { origin, pathname } = new URL(issuer)
  const atRoot = [
    operation(
      `GET /.well-known/oauth-authorization-server${pathname}`,
      'getAuthorizationServerMetadata',
      'Get the metadata of the authorization server, as RFC 8414 has it',
      {
        description: whereMounted,
        answers: { 200: json('The metadata.', schemas.serverMetadata) },
      },
    ),
    operation(
      'GET /.well-known/oauth-protected-resource/{resource}',
      'getResourceMetadata',
      'Get the metadata of a resource, as RFC 9728 has it',
      {
        description: whereMounted,
        parameters: { resource: 'The path of the resource, without its first slash.' },
        answers: { 200: json('The metadata.', schemas.resourceMetadata) },
      },
    ),
  ]
  const below = belowIssuer.map((one) => ({ ...one, path: pathname + one.path }))
  return [...below, ...atRoot].map((one) => ({ ...one, server: origin }))
}
