/**
 * The authorization server: what it is made of, put together.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import type { OauthConfig } from '../config/config.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { Gate } from '../internal/gate.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import { checkedTokenStore } from '../tokens/checked-token-store.js'
import { keyRingOf, newKeys } from '../tokens/key-ring.js'
import { publicJwkOf } from '../tokens/key-set.js'
import type { Revocations } from '../tokens/revocations.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { Accounts } from '../users/accounts.js'
import type { Authenticator } from '../users/authenticator.js'
import type { LoginThrottle } from '../users/login-throttle.js'
import type { UserStore } from '../users/user-store.js'
import { createAccessTokens } from './access-tokens.js'
import { createClientAuthentication } from './client-authentication.js'
import { clientsWithClaimsIn, originsOf, secretHashesOf } from './clients.js'
import { oauthCookies } from './cookies.js'
import { requestFixer } from './fixed-request.js'
import { loadOidcProvider } from './load-oidc-provider.js'
import { createLogoutHint } from './logout-hint.js'
import { MemoryOauthStore } from './memory-oauth-store.js'
import { oauthGates } from './oauth-gates.js'
import { createAdapterFactory } from './provider-adapter.js'
import { createAnswering, type Failures } from './provider-answers.js'
import { interactionSeconds, providerConfigurationOf } from './provider-configuration.js'
import { logRefusals } from './refused-requests.js'
import { createSharedSignOn } from './shared-sign-on.js'
import { createSignOns } from './sign-ons.js'
import { createStartedSignIns } from './started-sign-ins.js'

/** What {@link createAuthorizationServer} works with. */
export interface AuthorizationServerParts {
  readonly store: TokenStore
  readonly accounts: Accounts
  /** Asked what clients may learn of a user. Absent: they learn names and roles. */
  readonly users: Pick<UserStore, 'findProfile'> | undefined
  readonly revocations: Revocations
  readonly authenticator: Authenticator
  /** Counts wrong secrets of clients. Absent: guesses are not limited. */
  readonly clientThrottle: LoginThrottle | undefined
  /** Told of logins and sign-outs. */
  readonly events: SecurityEvents | undefined
  readonly logger: Logger
  readonly clock: () => number
}

/** A running authorization server. */
export interface AuthorizationServer {
  /** Its gates. Everything below its mount is answered by them. */
  readonly gates: readonly Gate[]
  /** The sign-on that portals share with it. */
  readonly singleSignOn: SingleSignOn
  /** Forgets grants, codes, sessions and refresh tokens. */
  close(): Promise<void>
}

/** Bits of a key for RS256. */
const rsaBits = 2048

/**
 * Loads `oidc-provider` and makes an authorization server with keys of its own, which end with the process.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`), by rejecting.
 */
export async function createAuthorizationServer(
  oauth: OauthConfig,
  given: AuthorizationServerParts,
): Promise<AuthorizationServer> {
  const parts = { ...given, store: checkedTokenStore(given.store) }
  const { store, users, revocations, logger, clock } = parts
  const { issuer, algorithm, serviceProviders, signOnIdleMs, signOnAbsoluteMs } = oauth
  const cookies = oauthCookies(oauth)
  const library = await loadOidcProvider()
  const keySet = await newKeys(algorithm, rsaBits)
  const { privateKey, signing } = keySet

  const oauthStore = new MemoryOauthStore({
    maxEntries: oauth.maxTokens,
    clock,
    onEvict: (entries) => {
      for (const { model, id } of entries) {
        if (model === 'AccessTokenLink') inBackground(() => revocations.end(id, store))
      }
    },
  })
  const times = { idleTimeoutMs: signOnIdleMs, absoluteTimeoutMs: signOnAbsoluteMs }
  const signOns = createSignOns({ ...parts, ...times, oauthStore })
  const audiences = new Map(serviceProviders.map(({ clientId, audience }) => [clientId, audience]))
  const audienceOf = (clientId: string): string => audiences.get(clientId) ?? issuer
  const accessTokens = createAccessTokens({
    ...parts,
    oauthStore,
    signOns,
    keys: keyRingOf(keySet, clock),
    issuer,
    audienceOf,
  })
  const startedSignIns = createStartedSignIns(interactionSeconds, clock)
  const adapter = createAdapterFactory({
    ...parts,
    startedSignIns,
    tokenStore: store,
    oauthStore,
    signOns,
    alreadyUsed: () => new library.errors.InvalidGrant({ detail: 'it was used before' }),
  })

  const clientAuthentication = createClientAuthentication({
    ...parts,
    hashes: secretHashesOf(oauth),
    throttle: parts.clientThrottle,
  })
  const { provenSecret } = clientAuthentication
  const signingKey = {
    ...privateKey.export({ format: 'jwk' }),
    ...publicJwkOf(signing.publicKey),
    kid: signing.kid,
    alg: algorithm,
    use: 'sig',
  }
  const provider = new library.default(
    issuer,
    providerConfigurationOf({
      oauth,
      cookies,
      library,
      adapter,
      signOns,
      users,
      startedSignIns,
      provenSecret,
      signingKey,
    }),
  )
  const origins = new Set(serviceProviders.flatMap(originsOf))
  const withAccessTokens = clientsWithClaimsIn(oauth, 'access_token')
  const failures: Failures = new WeakMap()
  provider.on('server_error', (ctx, error) => {
    failures.set(ctx, error)
  })
  logRefusals(provider, logger)
  // Koa prints to the console where nobody listens. What gets here has been answered: the connection may have broken.
  const emitter: NodeJS.EventEmitter = provider
  emitter.on('error', (cause: unknown) => logger.error({ cause }, 'the authorization server could not answer'))
  provider.use(
    createAnswering(
      { ...parts, accessTokens, cookies, signOns, issuer, audienceOf, withAccessTokens, origins },
      failures,
    ) as never,
  )

  const singleSignOn = createSharedSignOn(signOns, cookies)
  const gates = oauthGates({
    ...parts,
    provider,
    errors: library.errors,
    fixed: requestFixer(issuer),
    issuer,
    cookies,
    singleSignOn,
    startedSignIns,
    accessTokens,
    clientAuthentication,
    logoutHint: createLogoutHint({ publicKey: signing.publicKey, issuer, clientIds: new Set(audiences.keys()) }),
    audienceOf,
  })
  return { gates, singleSignOn, close: async () => oauthStore.close() }
}
