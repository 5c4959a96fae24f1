/**
 * `[[oauth.service_provider]]`: an app that signs its users in here.
 *
 * @module
 */

import * as z from 'zod'
import type { ServiceProviderConfig } from '../config.js'
import { type Field, field, flag, oneOf, refuseAt, type TableContext, table } from '../fields.js'
import { redirectUri } from './oauth-uris.js'

/** RFC 6749 appendix A.1, without spaces: it has to survive a log line and a command line. */
const clientId: Field<string> = z.string({ error: 'must be a text in quotes' }).regex(/^[\x21-\x7e]{1,128}$/, {
  error: 'must be a name of 1 to 128 ASCII characters without spaces',
})

/** How the hashes begin that can be verified: argon2id, scrypt, bcrypt. */
const hashStart = /^\$(?:argon2id|scrypt|2[aby])\$/

const secretHash = field((value, refuse) =>
  typeof value === 'string' && hashStart.test(value)
    ? value
    : refuse('must be a hash from "sallyport hash-password", not the secret itself'),
)

const audience: Field<string> = z.string({ error: 'must be a text in quotes' }).regex(/^[\x21-\x7e]{1,255}$/, {
  error: 'must name an API in 1 to 255 ASCII characters without spaces, such as "https://api.example.com"',
})

/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/

/** Scopes that mean something else: those of management tokens, and those that every provider has. */
const takenScopes: readonly string[] = ['admin', 'default', 'openid', 'profile', 'roles', 'offline_access']

const scope: Field<string> = field((value, refuse) => {
  if (typeof value !== 'string' || !scopeToken.test(value)) {
    return refuse('must be a name of ASCII characters without spaces, quotes and backslashes')
  }
  return takenScopes.includes(value) ? refuse(`must not be one of ${takenScopes.join(', ')}`) : value
})

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

const uris = (): Field<string[]> => z.array(redirectUri, { error: 'must be a list of URIs' })

/** What one table says. */
interface Written {
  readonly pkce_mandatory?: boolean | undefined
  readonly allow_without_client_secret: boolean
  readonly client_secret?: string | undefined
  readonly audience?: string | undefined
  readonly resource?: string | undefined
}

/** One service provider. */
export const serviceProviderTable: Field<ServiceProviderConfig> = table({
  name: clientId,
  client_id: clientId.optional(),
  redirect_uris: uris().refine((list) => list.length > 0, { error: 'must list at least one URI' }),
  post_logout_redirect_uris: uris().prefault([]),
  pkce_mandatory: mandatoryPkce.optional(),
  pkce_support_plain: noPlainPkce.prefault(false),
  allow_without_client_secret: flag.prefault(false),
  client_secret: secretHash.optional(),
  audience: audience.optional(),
  resource: audience.optional(),
  scopes: z.array(scope, { error: 'must be a list of scopes' }).prefault([]),
  claims: z
    .array(oneOf(['id_token', 'access_token']), { error: 'must be a list of "id_token" and "access_token"' })
    .prefault(['id_token']),
  refresh_tokens: flag.prefault(false),
}).transform((written, context): ServiceProviderConfig => {
  checkPkce(written, context)
  checkSecret(written, context)
  if (written.audience !== undefined && written.resource !== undefined && written.audience !== written.resource) {
    refuseAt(context, ['resource'], 'must not contradict audience; write only one of them')
  }
  return {
    clientId: written.client_id ?? written.name,
    redirectUris: [...new Set(written.redirect_uris)],
    postLogoutRedirectUris: [...new Set(written.post_logout_redirect_uris)],
    secretHash: written.client_secret,
    audience: written.audience ?? written.resource,
    scopes: [...new Set(written.scopes)],
    scopeRoles: undefined,
    adminScopes: [],
    claimsIn: [...new Set(written.claims)],
    hasRefreshTokens: written.refresh_tokens,
  }
})

/** Each is reported at the key that would have to change, so that no second mistake comes of the first. */
function checkPkce({ allow_without_client_secret, pkce_mandatory }: Written, context: TableContext): void {
  if (!allow_without_client_secret || pkce_mandatory !== undefined) return
  refuseAt(
    context,
    ['pkce_mandatory'],
    'must be true beside allow_without_client_secret: without it that will not work, because nothing ties a code to its client',
  )
}

function checkSecret({ allow_without_client_secret, client_secret }: Written, context: TableContext): void {
  if (allow_without_client_secret && client_secret !== undefined) {
    refuseAt(context, ['client_secret'], 'must not be there beside allow_without_client_secret = true; write only one')
  }
  if (!allow_without_client_secret && client_secret === undefined) {
    refuseAt(
      context,
      ['client_secret'],
      'must be a hash from "sallyport hash-password"; an app that cannot keep a secret has ' +
        'allow_without_client_secret = true and pkce_mandatory = true in its place',
    )
  }
}
