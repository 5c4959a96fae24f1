/**
 * `[[oauth.service_provider]]`: an app that signs its users in here.
 *
 * @module
 */

import * as z from 'zod'
import { isSafeUrl, withoutPort } from '../../core/safe-url.js'
import type { ServiceProviderConfig } from '../config.js'
import { type Field, field, flag, oneOf, passwordHash, refuseAt, type TableContext, table } from './fields.js'

// URIs are compared character by character, so each has one spelling only: the one that a URL parser gives back.

/** The issuer: where the authorization server is mounted (RFC 8414 section 2). */
export const issuerUri: Field<string> = field((value, refuse) => {
  const rule =
    'must be the https URL that security.oauth() is mounted at, such as "https://localhost:9443/oauth2" (http on localhost only)'
  if (typeof value !== 'string' || !URL.canParse(value)) return refuse(rule)
  const url = new URL(value)
  const { pathname, search, hash, username, password, href } = url
  const hasOthers = `${search}${hash}${username}${password}` !== '' || /[?#]$/.test(value)
  if (!isSafeUrl(url) || hasOthers) return refuse(rule)
  if (pathname === '/') return refuse(`${rule}: everything below its path is answered by it`)
  if (pathname.endsWith('/') || pathname.includes('//')) return refuse(`${rule}, without empty steps in its path`)
  return href === value ? value : refuse(rule, `; write it as ${href}`)
}).meta({ unit: 'URL', type: 'string' })

/** Where a browser is sent back to after a sign-in or a sign-out. */
export const redirectUri: Field<string> = field((value, refuse) => {
  const rule = 'must be an absolute https URI, such as "https://localhost:9443/devportal/callback"'
  if (typeof value !== 'string') return refuse(rule)
  if (value.includes('*')) {
    return refuse(
      'must not have a "*": redirect URIs are compared exactly, because a pattern lets codes go astray (RFC 9700 section 2.1)',
    )
  }
  if (!URL.canParse(value)) return refuse(rule)
  const url = new URL(value)
  const { pathname, search, origin, username, password, href } = url
  if (value.includes('#')) return refuse('must not have a fragment (RFC 6749 section 3.1.2)')
  if (username !== '' || password !== '') return refuse('must not have a user name or a password')
  if (!isSafeUrl(url)) {
    return refuse(`${rule}, or one of http on this machine: on its way in the clear a code can be read by others`)
  }
  // As apps write `window.location.origin`.
  const isWithoutPath = pathname === '/' && value === `${origin}${search}`
  return href === value || isWithoutPath ? value : refuse('must be spelled as browsers spell it', `: ${href}`)
}).meta({ unit: 'URI', type: 'string' })

/** A name of visible ASCII characters: it has to survive a log line and a command line (RFC 6749 appendix A.1). */
function asciiName(maxLength: number, what: string, example = ''): Field<string> {
  const error = `${what} ${maxLength} ASCII characters without spaces${example}`
  return z
    .string({ error: 'must be a text in quotes' })
    .regex(/^[\x21-\x7e]+$/, { error })
    .max(maxLength, { error })
}

const clientId = asciiName(128, 'must be a name of 1 to')
const audience = asciiName(255, 'must name an API in 1 to', ', such as "https://api.example.com"')

/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

/** Scopes that mean something else: those of management tokens, and those that every provider has. */
const takenScopes: readonly string[] = ['admin', 'default', 'openid', 'profile', 'roles', 'offline_access']

const scope: Field<string> = field((value, refuse) => {
  if (typeof value !== 'string' || !scopeToken.test(value)) {
    return refuse('must be a name of ASCII characters without spaces, quotes and backslashes')
  }
  return takenScopes.includes(value) ? refuse(`must not be one of ${takenScopes.join(', ')}`) : value
}).meta({ unit: 'text', type: 'string' })

const mandatoryPkce = flag.refine((isMandatory) => isMandatory, {
  error:
    'must not be false: without PKCE a stolen code can be used by whoever has it, with a client secret too ' +
    '(RFC 9700 section 2.1.1)',
})

const noPlainPkce = flag.refine((isSupported) => !isSupported, {
  error:
    'must not be true: a plain challenge is the verifier itself, and protects nobody whose request is read ' +
    '(RFC 9700 section 2.1.1)',
})

const responseModes = ['query', 'fragment', 'form_post'] as const

const uris = z.array(redirectUri, { error: 'must be a list of URIs' })

const secretHash = passwordHash(', not the secret itself')

/** Clients change their secrets one after the other: the old one and the new one are good until all have the new one. */
const secretHashes: Field<string[]> = z.union(
  [secretHash.transform((hash) => [hash]), z.array(secretHash).min(1).max(2)],
  {
    error: 'must be a hash from "npx sallyport hash-password", or a list of two, not the secret itself',
  },
)

const writtenProvider = table({
  name: clientId.describe('name of the app').meta({ absent: 'required' }),
  client_id: clientId.optional().describe('the client id').meta({ absent: '`name`' }),
  grants: z
    .array(oneOf(['authorization_code', 'client_credentials']), {
      error: 'must be a list of "authorization_code" and "client_credentials"',
    })
    .min(1, { error: 'must name at least one grant' })
    .prefault(['authorization_code'])
    .describe('how it gets tokens: with a user who signs in, or as a program in its own name, `CLIENT/<client id>`'),
  redirect_uris: uris
    .refine((list) => list.length > 0, { error: 'must list at least one URI' })
    .optional()
    .describe('compared character by character; https, or http on this machine')
    .meta({ absent: 'required with the grant `authorization_code`' }),
  post_logout_redirect_uris: uris.prefault([]).describe('where a browser may be sent after a sign-out'),
  pkce_mandatory: mandatoryPkce
    .optional()
    .describe('`false` is refused')
    .meta({ absent: '`true`; required for a public client' }),
  pkce_support_plain: noPlainPkce.prefault(false).describe('`true` is refused'),
  allow_without_client_secret: flag
    .prefault(false)
    .describe('a public client; `pkce_mandatory = true` has to be beside it'),
  client_secret: secretHashes
    .optional()
    .describe(
      'of a confidential client: a hash from `npx sallyport hash-password`, or a list of two while the secret is exchanged',
    )
    .meta({ absent: 'required unless the client is public' }),
  audience: audience.optional().describe('`aud` of its access tokens').meta({ absent: 'the issuer' }),
  resource: audience.optional().describe('the same as `audience`').meta({ absent: '`audience`' }),
  scopes: z
    .array(scope, { error: 'must be a list of scopes' })
    .prefault([])
    .describe('scopes it may ask for besides `openid`, `profile`, `email` and `roles`'),
  claims: z
    .array(oneOf(['id_token', 'access_token']), { error: 'must be a list of "id_token" and "access_token"' })
    .prefault(['id_token'])
    .describe('the tokens that tell of the user; `/userinfo` always does'),
  native: flag
    .prefault(false)
    .describe(
      'a native app: any port of its redirect URIs at `http://127.0.0.1` and `http://[::1]` (RFC 8252 section 7.3)',
    ),
  response_modes: z
    .array(oneOf(responseModes), { error: `must be a list of ${responseModes.join(', ')}` })
    .refine((list) => list.length > 0, { error: 'must list at least one' })
    .prefault(['query'])
    .describe('`response_mode` it may ask for: `query`, `fragment`, `form_post`; without asking it asks for `query`'),
  backchannel_logout_uri: redirectUri
    .optional()
    .describe('told of sign-outs (OpenID Connect Back-Channel Logout 1.0)')
    .meta({ absent: 'it is not told' }),
  refresh_tokens: flag.prefault(false).describe('whether it gets refresh tokens, which are rotated at each use'),
})

export const serviceProviderTable = writtenProvider.transform((written, context): ServiceProviderConfig => {
  checkClient(written, context)
  if (written.audience !== undefined && written.resource !== undefined && written.audience !== written.resource) {
    refuseAt(context, ['resource'], 'must not contradict audience; write only one of them')
  }
  return {
    name: written.name,
    clientId: written.client_id ?? written.name,
    grants: [...new Set(written.grants)],
    redirectUris: [...new Set(written.redirect_uris)],
    postLogoutRedirectUris: [...new Set(written.post_logout_redirect_uris)],
    secretHashes: written.client_secret ?? [],
    audience: written.audience ?? written.resource,
    scopes: [...new Set(written.scopes)],
    scopeRoles: undefined,
    adminScopes: [],
    claimsIn: [...new Set(written.claims)],
    issueRefreshTokens: written.refresh_tokens,
    isNative: written.native,
    responseModes: [...new Set(written.response_modes)],
    backchannelLogoutUri: written.backchannel_logout_uri,
  }
})

/** Each mistake is reported at the key that would have to change, so that no second mistake comes of the first. */
function checkClient(client: z.output<typeof writtenProvider>, context: TableContext): void {
  const { allow_without_client_secret: isPublic, pkce_mandatory, client_secret } = client
  if (
    client.native &&
    client.redirect_uris !== undefined &&
    !client.redirect_uris.some((uri) => withoutPort(uri) !== undefined)
  ) {
    refuseAt(
      context,
      ['native'],
      'needs one of redirect_uris at http://127.0.0.1 or http://[::1]; localhost is compared exactly',
    )
  }
  if (isPublic && pkce_mandatory === undefined) {
    const rule =
      'must be true beside allow_without_client_secret: without it that will not work, because nothing ties a code to its client'
    refuseAt(context, ['pkce_mandatory'], rule)
  }
  if (isPublic && client_secret !== undefined) {
    const rule = 'must not be there beside allow_without_client_secret = true; write only one'
    refuseAt(context, ['client_secret'], rule)
  }
  const signsIn = client.grants.includes('authorization_code')
  if (signsIn && client.redirect_uris === undefined) {
    refuseAt(context, ['redirect_uris'], 'must list at least one URI, unless grants has client_credentials alone')
  }
  if (!signsIn && client.refresh_tokens) {
    refuseAt(context, ['refresh_tokens'], 'must not be there with client_credentials alone: such a client asks anew')
  }
  if (isPublic && client.grants.includes('client_credentials')) {
    refuseAt(context, ['grants'], 'must not have client_credentials for a public client: anybody could be it')
  }
  if (!isPublic && client_secret === undefined) {
    const rule =
      'must be a hash from "npx sallyport hash-password"; an app that cannot keep a secret has ' +
      'allow_without_client_secret = true and pkce_mandatory = true in its place'
    refuseAt(context, ['client_secret'], rule)
  }
}
