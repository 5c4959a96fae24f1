/**
 * What the management API alone answers: login, logout, keys, and the document itself.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../core/components.js'
import { loginAnswer } from '../middleware/login-schema.js'
import type { DocumentedFront } from './front.js'
import { type Answer, json, type Operation, operationWith } from './operation.js'

const jwkSet = component(
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

export const keysAnswer: Answer = {
  description: 'The public keys.',
  content: [{ schema: jwkSet, type: 'application/jwk-set+json' }],
  headers: { 'Cache-Control': 'How long the keys may be kept.' },
}

const login = operationWith('login', 'login')
const loginDetails = {
  description:
    'Takes a name and a password by HTTP Basic, and answers with the token of the management API. The query and the body are not read.',
  requestHeaders: { 'X-OTP': 'The code of a second factor, or a recovery code, for a user who has to show one.' },
  answers: { 200: json('The login was taken.', loginAnswer) },
  refusals: {
    401: 'No name and password, wrong ones, or a second factor is missing (`ERR_SECOND_FACTOR_REQUIRED`).',
    // Credentials that the browser remembers are not taken from pages of other sites.
    403: 'A page of another site sent the request, or the password came over plain HTTP.',
  },
}

const logout = operationWith('login', 'caller')
const logoutDetails = {
  description: 'Ends the token that the request is sent with. Other tokens of the user stay.',
  answers: { 200: { description: 'The token is no good any more.' } },
}

const operations: readonly Operation[] = [
  login('POST /login', 'login', 'Log in', loginDetails),
  login('GET /login', 'loginByGet', 'Log in, as the clients of WSO2 do', loginDetails),
  logout('POST /logout', 'logout', 'Log out', logoutDetails),
  logout('GET /logout', 'logoutByGet', 'Log out, as the clients of WSO2 do', logoutDetails),
  operationWith('login', 'anybody')('GET /jwks', 'getKeys', 'Get the keys that tokens are verified with', {
    answers: { 200: keysAnswer },
  }),
]

export function managementOperations({ authentication }: DocumentedFront): readonly Operation[] {
  return authentication === 'token' ? operations : []
}

const document = operationWith('document', 'caller')

export const documentOperation = document('GET /openapi.json', 'getOpenApi', 'Get this document', {
  answers: { 200: json('An OpenAPI 3.1 document.', z.looseObject({ openapi: z.string().describe('The version.') })) },
})
