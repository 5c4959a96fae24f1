/**
 * Requests and answers of the authorization server.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../core/components.js'

const scope = z.string().describe('Scopes, separated by spaces.')

export const oauthError = component(
  'OauthError',
  'Why a request was refused (RFC 6749 section 5.2).',
  z.object({
    error: z.string().meta({ description: 'What programs may switch on.', examples: ['invalid_grant'] }),
    error_description: z.string().optional().describe('The reason, for people.'),
    scope: z.string().optional().describe('The scopes that are the reason.'),
    state: z.string().optional().describe('As the client sent it.'),
    iss: z.string().optional().describe('The issuer.'),
  }),
)

export const tokenRequest = component(
  'TokenRequest',
  'A code, a refresh token, or the client itself in exchange for tokens. A client with a secret may send it here or by HTTP Basic.',
  z.object({
    grant_type: z
      .enum(['authorization_code', 'refresh_token', 'client_credentials'])
      .describe('What is exchanged. The grants of a client are those of its configuration.'),
    code: z.string().optional().describe('The code, for `authorization_code`.'),
    redirect_uri: z.string().optional().describe('As at the authorization endpoint.'),
    code_verifier: z.string().optional().describe('The verifier of the challenge (RFC 7636), which is mandatory.'),
    refresh_token: z.string().optional().describe('The refresh token, for `refresh_token`.'),
    scope: scope.optional(),
    resource: z.string().optional().describe('The resource of the client (RFC 8707); no other is accepted.'),
    client_id: z.string().optional().describe('The client.'),
    client_secret: z.string().optional().describe('Its secret.'),
  }),
)

export const tokenAnswer = component(
  'TokenAnswer',
  'Tokens (RFC 6749 section 5.1).',
  z.object({
    access_token: z.string().describe('What is sent as `Authorization: Bearer` to a resource.'),
    token_type: z.literal('Bearer').describe('Always this.'),
    expires_in: z.int().describe('Seconds until the access token ends.'),
    scope: scope.optional(),
    id_token: z.string().optional().describe('Who has signed in, for the scope `openid`.'),
    refresh_token: z.string().optional().describe('There for clients that may have one. It is good once.'),
  }),
)

export const tokenForm = component(
  'TokenForm',
  'A token that is revoked or asked about.',
  z.object({
    token: z.string().describe('The token.'),
    token_type_hint: z.string().optional().describe('What kind it probably is.'),
    client_id: z.string().optional().describe('The client.'),
    client_secret: z.string().optional().describe('Its secret.'),
  }),
)

export const introspection = component(
  'Introspection',
  'What a token is good for (RFC 7662 section 2.2). One that is not live has `active` alone.',
  z.object({
    active: z.boolean().describe('Whether the token is live, and meant for the client that asks.'),
    iss: z.string().optional().describe('The issuer.'),
    sub: z.string().optional().describe('Whose it is.'),
    username: z.string().optional().describe('The same.'),
    aud: z.string().optional().describe('The resource that it is for.'),
    client_id: z.string().optional().describe('The client that it was made for.'),
    scope: scope.optional(),
    token_type: z.string().optional().describe('`Bearer`, for an access token.'),
    iat: z.int().optional().describe('When it was made, in seconds since the epoch.'),
    exp: z.int().optional().describe('When it ends, in seconds since the epoch.'),
    jti: z.string().optional().describe('Its id.'),
    sid: z.string().optional().describe('The id of the sign-on.'),
  }),
)

export const revoked = z.object({}).describe('Nothing.')

export const userInfo = component(
  'UserInfo',
  'Claims of the user, as far as the scopes of the token allow.',
  z.looseObject({
    sub: z.string().describe('The name of the user.'),
    roles: z.array(z.string()).optional().describe('Roles, for the scope `roles`.'),
  }),
)

const names = z.array(z.string())

export const serverMetadata = component(
  'ServerMetadata',
  'What the authorization server offers (RFC 8414, OpenID Connect Discovery 1.0).',
  z.looseObject({
    issuer: z.string().describe('The issuer.'),
    authorization_endpoint: z.string().describe('Where a sign-in begins.'),
    token_endpoint: z.string().describe('Where tokens are.'),
    jwks_uri: z.string().describe('Where the keys are that tokens are verified with.'),
    response_types_supported: names.describe('What the authorization endpoint answers with.'),
    grant_types_supported: names.describe('What is exchanged for tokens.'),
    scopes_supported: names.describe('Scopes of all clients.'),
    code_challenge_methods_supported: names.describe('How a verifier is challenged.'),
  }),
)

export const resourceMetadata = component(
  'ResourceMetadata',
  'Where the tokens of a resource are from (RFC 9728).',
  z.object({
    resource: z.string().describe('The resource.'),
    authorization_servers: names.describe('The issuer.'),
    scopes_supported: names.describe('Scopes of the clients of this resource.'),
    bearer_methods_supported: names.describe('How a token is sent.'),
  }),
)

export const authorizationQuery = z.object({
  client_id: z.string().describe('The client.'),
  response_type: z.literal('code').describe('Always this.'),
  redirect_uri: z.string().describe('One of the redirect URIs of the client, character by character.'),
  scope: scope,
  code_challenge: z.string().describe('The challenge of the verifier (RFC 7636).'),
  code_challenge_method: z.literal('S256').describe('Always this.'),
  state: z.string().optional().describe('Comes back with the code.'),
  nonce: z.string().optional().describe('Comes back in the ID token.'),
  response_mode: z.enum(['query', 'fragment', 'form_post']).optional().describe('How the code comes back.'),
  prompt: z.string().optional().describe('`login` asks for the password in any case, `none` never.'),
  max_age: z.int().optional().describe('Seconds since the password was asked for, at the most.'),
  login_hint: z.string().optional().describe('A name for the login form.'),
  resource: z.string().optional().describe('The resource of the client (RFC 8707); no other is accepted.'),
})

export const signOutQuery = z.object({
  id_token_hint: z.string().optional().describe('An ID token of the user.'),
  client_id: z.string().optional().describe('The client.'),
  post_logout_redirect_uri: z.string().optional().describe('Where the browser is sent afterwards: one of the client.'),
  state: z.string().optional().describe('Comes back with it.'),
})
