/**
 * One identity provider: what it is asked, and which of its answers are believed. This is where openid-client is used.
 *
 * @module
 */

import type {
  Configuration,
  CustomFetch,
  ServerMetadata,
  TokenEndpointResponse,
  TokenEndpointResponseHelpers,
} from 'openid-client'
import type { IdentityProviderConfig } from '../config/config.js'
import { StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { createIssuerKeys } from '../tokens/trusted-issuers/issuer-keys.js'
import { verifyIssuerToken } from '../tokens/trusted-issuers/verify-issuer-token.js'
import { accountFromClaims, type Claims, claimAt, namesOfClaims } from './claims.js'
import { createDiscovery } from './discovery.js'
import type { OpenidClient } from './load-openid-client.js'
import { readLogoutToken } from './logout-token.js'
import { ProviderError } from './provider-error.js'
import { createProviderFetch } from './provider-fetch.js'
import type { IdentityProvider } from './provider-types.js'

/** What a provider works with. */
export interface IdentityProviderParts {
  readonly library: OpenidClient
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
  /** Monotonic milliseconds. @defaultValue `performance.now` */
  readonly monotonic?: (() => number) | undefined
}

/** What is asked of the provider may take so long. Each request has a shorter limit of its own. */
const timeoutSeconds = 10

/** Clocks may be so far apart. */
const clockToleranceSeconds = 60

const idTokenTypes = [undefined, 'jwt']

export function createIdentityProvider(config: IdentityProviderConfig, parts: IdentityProviderParts): IdentityProvider {
  const { issuer, clientId, clientSecret, scopes } = config
  const { library, logger, clock } = parts
  const providerFetch = createProviderFetch(parts.fetch)
  const isPlain = issuer.startsWith('http:')
  const findMetadata = createDiscovery({ library, issuer, fetch: providerFetch, clock })
  const findKey = createIssuerKeys({
    issuer,
    fetch: parts.fetch,
    now: parts.monotonic,
    onFailure: (cause) =>
      logger.warn({ provider: config.name, cause }, 'the keys of an identity provider cannot be read'),
  })

  /** Made for each use: the clock is that of the front. */
  async function configure(): Promise<Configuration> {
    const metadata = await findMetadata()
    const times = {
      [library.clockSkew]: Math.round((clock() - Date.now()) / 1000),
      [library.clockTolerance]: clockToleranceSeconds,
    }
    const authentication = chooseAuthentication(library, clientSecret, metadata)
    const configuration = new library.Configuration(metadata, clientId, times, authentication)
    configuration.timeout = timeoutSeconds
    configuration[library.customFetch] = providerFetch as CustomFetch
    if (isPlain) library.allowInsecureRequests(configuration)
    return configuration
  }

  /** The claims of the ID token; those of the user information only where the rules ask for one that is not in it. */
  async function readClaims(
    configuration: Configuration,
    tokens: TokenEndpointResponse & TokenEndpointResponseHelpers,
  ): Promise<Claims> {
    const claims = tokens.claims() as Claims
    const isComplete = namesOfClaims(config).every((name) => claimAt(claims, name) !== undefined)
    if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    return { ...(await library.fetchUserInfo(configuration, tokens.access_token, claims['sub'] as string)), ...claims }
  }

  /** openid-client reads the claims of a token that came over TLS; whose it is, the keys say. */
  async function verifyIdToken(token: string): Promise<void> {
    try {
      await verifyIssuerToken(token, { findKey, issuer, audience: clientId, types: idTokenTypes, now: clock() })
    } catch (cause) {
      throw cause instanceof StoreError
        ? new ProviderError('unavailable', 'the keys of the provider cannot be read', { cause })
        : new ProviderError('untrusted', 'the ID token is not to be believed', { cause })
    }
  }

  return {
    config,

    createSignInUrl: (secrets, redirectUri, { loginHint, isFresh, asksWho } = {}) =>
      translated(async () => {
        const configuration = await configure()
        const { state, nonce, codeVerifier } = secrets
        return library.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: scopes.join(' '),
          state,
          nonce,
          code_challenge: await library.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          ...(loginHint !== undefined && { login_hint: loginHint }),
          ...(asksWho && { prompt: promptForAccount(configuration.serverMetadata()) }),
          // A browser can leave out the one; the provider tells by the other when that was (OpenID Connect Core 1.0 section 3.1.2.1).
          ...(isFresh && { prompt: 'login', max_age: '0' }),
        })
      }),

    finishSignIn: ({ state, nonce, codeVerifier }, callback, freshSince) =>
      translated(async () => {
        const configuration = await configure()
        const tokens = await library.authorizationCodeGrant(configuration, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          ...(freshSince !== undefined && { maxAge: Math.max(0, Math.ceil((clock() - freshSince) / 1000)) }),
        })
        const idToken = tokens.id_token!
        await verifyIdToken(idToken)
        const claims = await readClaims(configuration, tokens)
        return {
          account: accountFromClaims(config, claims, clock()),
          sub: String(claims['sub']),
          sid: textOrNone(claims['sid']),
          idToken,
          displayName: textOrNone(claims['name']) ?? textOrNone(claims['preferred_username']),
          email: textOrNone(claims['email']),
        }
      }),

    createSignOutUrl: (parameters) =>
      translated(async () => {
        const configuration = await configure()
        return configuration.serverMetadata().end_session_endpoint === undefined
          ? undefined
          : library.buildEndSessionUrl(configuration, parameters)
      }),

    verifyLogoutToken: (token) => readLogoutToken(token, { findKey, issuer, audience: clientId, now: clock() }),
  }

  /** Whatever the library throws, as what it means. */
  async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw providerErrorFrom(error, library)
    }
  }
}

/** As the provider takes it (OpenID Connect Core 1.0 section 9). */
function chooseAuthentication(library: OpenidClient, secret: string | undefined, metadata: ServerMetadata) {
  if (secret === undefined) return library.None()
  const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = metadata
  return methods.includes('client_secret_basic') ? library.ClientSecretBasic(secret) : library.ClientSecretPost(secret)
}

/** Google knows no `login`, and does not say so. */
const google = 'https://accounts.google.com'

/** How a provider is made to ask which account it is to be: all know `login` (OpenID Connect Core 1.0 section 3.1.2.1), but for Google. */
function promptForAccount({ issuer, prompt_values_supported: known }: ServerMetadata): string {
  const canSelect = Array.isArray(known) && known.includes('select_account')
  return canSelect || issuer === google ? 'select_account' : 'login'
}

/** What a provider answers when it cannot do it now (RFC 6749 section 4.1.2.1). */
const temporary = new Set(['temporarily_unavailable', 'server_error'])

function providerErrorFrom(error: unknown, library: OpenidClient): ProviderError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ProviderError) return cause
  if (error instanceof library.AuthorizationResponseError) {
    const failure = temporary.has(error.error) ? 'unavailable' : 'refused'
    return new ProviderError(failure, `the provider answered ${error.error}`, {
      cause: error,
      providerCode: error.error,
    })
  }
  if (error instanceof library.ResponseBodyError) {
    const failure = error.status >= 500 ? 'unavailable' : 'untrusted'
    return new ProviderError(failure, `the provider answered ${error.error}`, { cause: error })
  }
  return new ProviderError('untrusted', 'the answer of the provider is not to be believed', { cause: error })
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
