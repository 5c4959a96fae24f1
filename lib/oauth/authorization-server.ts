/**
 * The authorization server: what it is made of, put together.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { inBackground } from '../async/background.js'
import type { OauthConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import { anyLanguage } from '../core/languages.js'
import type { Gate } from '../http/gate.js'
import { displayName, type PortalView } from '../portals/page.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import { keyRingFrom } from '../tokens/keys/key-ring.js'
import { newKeys, publicJwk, secretsFrom } from '../tokens/keys/signing-key.js'
import { createAccessTokens } from './access-tokens.js'
import { createClientAuthentication } from './client-authentication.js'
import { createClientTokens } from './client-credentials.js'
import { createCookies, createProviderRequests } from './endpoints.js'
import { oauthGates } from './gates.js'
import { tellOfSession, tellThroughNotices, watchEnds } from './logout-causes.js'
import { createLogoutNotices } from './logout-notices.js'
import { MemoryOauthStore, type OauthStoreOptions } from './oauth-store.js'
import type { AuthorizationServerParts } from './parts.js'
import { createAdapterFactory } from './provider-adapter.js'
import { changeAnswers } from './provider-answers.js'
import { createProviderConfiguration, type OidcProvider } from './provider-configuration.js'
import { createSuccessor, rotateToSuccessor } from './refresh-rotation.js'
import { createServiceProviders, isRedirectAllowed } from './service-providers.js'
import { createStartedSignIns } from './sign-in.js'
import { createSharedSignOn, createSignOns } from './sign-ons.js'
import { wellKnownGate } from './well-known.js'

export interface AuthorizationServer {
  /** Everything below the mount is answered by them. */
  readonly gates: readonly Gate[]
  /** Answers the metadata at the root of the host, and lets everything else through. */
  readonly wellKnown: Gate
  /** The sign-on that portals share with it. */
  readonly singleSignOn: SingleSignOn
  /** Forgets grants, codes, sessions and refresh tokens, where processes do not share them. */
  close(): Promise<void>
}

const rsaKeyBits = 2048

/**
 * Loads `oidc-provider` and makes an authorization server: with keys of its own, which end with the process, or with what processes
 * share.
 *
 * Rejects with `ConfigError`: `ERR_CONFIG_MISSING_PACKAGE` without the package, and where the shared key is for another algorithm.
 */
export async function createAuthorizationServer(
  oauth: OauthConfig,
  given: AuthorizationServerParts,
): Promise<AuthorizationServer> {
  const { issuer, algorithm } = oauth
  const { store, revocations, clock, shared } = given
  const library = await loadOidcProvider()
  const keySet = shared?.keySet ?? given.keySet ?? (await newKeys(algorithm, rsaKeyBits))
  const { kid, publicKey, algorithm: fit } = keySet.signing
  if (fit !== algorithm) {
    const rule = `must be "${fit}", that of the key of management tokens, which signs all that outlives this process`
    throw new ConfigError([{ key: 'oauth.algorithm', rule }])
  }
  const createSecret = shared === undefined ? () => randomBytes(32) : secretsFrom(keySet.privateKey, issuer)

  const onEvict: OauthStoreOptions['onEvict'] = (entries) => {
    for (const { model, id } of entries) if (model === 'AccessToken') inBackground(() => revocations.end(id, store))
  }
  const storeOptions = { maxEntries: oauth.maxTokens, clock, onEvict }
  const oauthStore = shared?.createOauthStore(storeOptions) ?? new MemoryOauthStore(storeOptions)
  const providers = createServiceProviders(oauth)
  const { languageOf = anyLanguage, viewOf = viewByName } = given
  const base = { ...given, oauth, oauthStore, providers, cookies: createCookies(oauth), languageOf, viewOf }
  const notices = createLogoutNotices({ ...base, keySet })
  const signOns = createSignOns({ ...base, onEnd: (session) => tellOfSession(notices, session) })
  const keys = shared?.keys ?? keyRingFrom(keySet, clock)
  const accessTokens = createAccessTokens({ ...base, signOns, keys })
  const publishClientToken = createClientTokens({ ...base, keys })
  const startedSignIns = createStartedSignIns(clock, createSecret('sign-ins'))
  const parts = { ...base, library, signOns, accessTokens, publishClientToken, startedSignIns, notices }
  const successor = createSuccessor(createSecret('refresh tokens'))
  const adapter = createAdapterFactory({
    ...parts,
    reuse: oauth.refreshReuseMs > 0 ? { windowMs: oauth.refreshReuseMs, successor } : undefined,
    createAlreadyUsedError: () => new library.errors.InvalidGrant({ detail: 'it was used before' }),
  })
  const cookieKey = createSecret('cookies')
  const privateJwk = keySet.privateKey.export({ format: 'jwk' })
  const signingKey = { ...privateJwk, ...publicJwk(publicKey), kid, alg: algorithm, use: 'sig' }

  const provider = new library.default(
    issuer,
    createProviderConfiguration({ ...parts, adapter, signingKey, cookieKey }),
  )
  const provenClients = new WeakMap<object, string>()
  // Secrets are known by their hashes only: the one of this request was checked before, or is refused.
  provider.Client.prototype.compareClientSecret = function () {
    const request = library.default.ctx?.req
    return request !== undefined && provenClients.get(request) === this.clientId
  }
  provider.Client.prototype.redirectUriAllowed = function (uri) {
    const own = providers.get(this.clientId)
    return own !== undefined && isRedirectAllowed(own, uri)
  }
  tellThroughNotices(provider, notices)
  const stopWatching = watchEnds(parts)
  if (oauth.refreshReuseMs > 0) rotateToSuccessor(provider, library, successor)
  changeAnswers(provider, parts)

  const singleSignOn = createSharedSignOn(signOns, parts)
  const providerRequest = createProviderRequests(issuer)
  const answer = provider.callback()
  const wellKnown = wellKnownGate(oauth, providers, (request, response) =>
    answer(providerRequest(request, undefined, '/.well-known/oauth-authorization-server'), response),
  )
  const gates = oauthGates({
    ...parts,
    provider,
    singleSignOn,
    provenClients,
    publicKey,
    SessionNotFound: library.errors.SessionNotFound,
    providerRequest,
    authenticateClient: createClientAuthentication(parts),
  })
  return {
    gates,
    wellKnown,
    singleSignOn,
    async close() {
      stopWatching()
      notices.close()
      oauthStore.close()
    },
  }
}

function viewByName(clientId: string): PortalView {
  return { title: displayName(clientId), support: undefined, logo: undefined }
}

/**
 * Loads `oidc-provider`. It may print that it wants a newer Node: the console belongs to the whole process, and is left alone.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it.
 */
export async function loadOidcProvider(
  load: () => Promise<OidcProvider> = () => import('oidc-provider'),
): Promise<OidcProvider> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const rule = 'needs an optional package; run: npm install oidc-provider@9'
    throw new ConfigError([{ key: 'oauth.enable', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}
