/**
 * What the management API alone answers: login, logout, keys, and the document itself.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../core/components.js'
import { loginAnswer } from '../middleware/login-schema.js'
import type { DocumentedFront } from './front.js'
import { json, type Operation } from './operation.js'

export const jwkSet = component(
  'JwkSet',
  'Public keys, as RFC 7517 has them.',
  z.object({
    keys: z
      .array(
        z.looseObject({
          kty: z.string().describe('The kind of key.'),
          kid: z.string().describe('Its id, which the header of a token names.'),
          alg: z.string().describe('The algorithm it is used with.'),
          use: z.literal('sig').describe('What it is for.'),
        }),
      )
      .describe('The keys.'),
  }),
)

/** Credentials that the browser remembers are not taken from pages of other sites. */
const crossSite = 'A page of another site sent the request, or the password came over plain HTTP.'

const logins: readonly Operation[] = (['post', 'get'] as const).map((method) => ({
  method,
  path: '/login',
  id: method === 'post' ? 'login' : 'loginByGet',
  tag: 'login',
  summary: method === 'post' ? 'Log in' : 'Log in, as the clients of WSO2 do',
  description:
    'Takes a name and a password by HTTP Basic, and answers with the token of the management API. The query and the body are not read.',
  access: 'login',
  requestHeaders: { 'X-OTP': 'The code of a second factor, or a recovery code, for a user who has to show one.' },
  answers: { 200: json('The login was taken.', loginAnswer) },
  refusals: {
    401: 'No name and password, wrong ones, or a second factor is missing (`ERR_SECOND_FACTOR_REQUIRED`).',
    403: crossSite,
  },
}))

const logouts: readonly Operation[] = (['post', 'get'] as const).map((method) => ({
  method,
  path: '/logout',
  id: method === 'post' ? 'logout' : 'logoutByGet',
  tag: 'login',
  summary: method === 'post' ? 'Log out' : 'Log out, as the clients of WSO2 do',
  description: 'Ends the token that the request is sent with. Other tokens of the user stay.',
  access: 'caller',
  answers: { 200: { description: 'The token is no good any more.' } },
}))

const keys: Operation = {
  method: 'get',
  path: '/jwks',
  id: 'getKeys',
  tag: 'login',
  summary: 'Get the keys that tokens are verified with',
  access: 'anybody',
  answers: {
    200: {
      description: 'The public keys.',
      content: [{ schema: jwkSet, type: 'application/jwk-set+json' }],
      headers: { 'Cache-Control': 'How long the keys may be kept.' },
    },
  },
}

export const documentOperation: Operation = {
  method: 'get',
  path: '/openapi.json',
  id: 'getOpenApi',
  tag: 'document',
  summary: 'Get this document',
  access: 'caller',
  answers: { 200: json('An OpenAPI 3.1 document.', z.looseObject({ openapi: z.string().describe('The version.') })) },
}

export function managementOperations({ authentication }: DocumentedFront): readonly Operation[] {
  return authentication === 'token' ? [...logins, ...logouts, keys] : []
}
