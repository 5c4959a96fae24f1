/**
 * What `oidc-provider` is told. Nothing of it can be replaced from outside: PKCE with S256 is mandatory for every client, codes
 * are the only response, and clients are those of the configuration.
 *
 * @module
 */

import type { AdapterFactory, Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider'
import { endpoints } from './endpoints.js'
import type { LogoutNotices } from './logout-notices.js'
import { createOauthPages } from './pages.js'
import type { OauthParts } from './parts.js'
import { withoutCredentials } from './provider-adapter.js'
import {
  claimsOfScope,
  clientMetadata,
  grantedScopes,
  isSameResource,
  needsProfile,
  pageOrigins,
  userClaims,
} from './service-providers.js'
import { interactionSeconds, loginAddress, type StartedSignIns } from './sign-in.js'
import type { SignOns } from './sign-ons.js'

export type OidcProvider = Pick<typeof import('oidc-provider'), 'default' | 'errors' | 'interactionPolicy'>

export interface ProviderParts extends OauthParts {
  readonly library: OidcProvider
  readonly adapter: AdapterFactory
  readonly signOns: SignOns
  readonly startedSignIns: StartedSignIns
  readonly notices: Pick<LogoutNotices, 'isUsed'>
  readonly signingKey: JWK
  /** Signs the cookies of started sign-ins. */
  readonly cookieKey: Buffer
}

/** A code is exchanged at once (RFC 6749 section 4.1.2 recommends ten minutes at the most). */
const codeSeconds = 60

/** Longest address of a login page: proxies and Node refuse lines of 8 and headers of 16 KiB. */
const maxLoginUrlLength = 8000

const authMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const

export function createProviderConfiguration(parts: ProviderParts): Configuration {
  const { oauth, providers, cookies, library, adapter, signingKey, cookieKey, notices } = parts
  const { algorithm, accessTokenMs, refreshTokenMs, serviceProviders } = oauth
  const pages = createOauthPages(parts.languageOf)
  const signOnSeconds = Math.ceil(oauth.signOnAbsoluteMs / 1000)

  return {
    adapter,
    clients: serviceProviders.map((provider) => clientMetadata(provider)),
    jwks: { keys: [signingKey] },
    routes: endpoints,
    responseTypes: ['code'],
    // RFC 9700 section 2.1.1. The package knows S256 only.
    pkce: { required: () => true },
    scopes: [...providers.scopes],
    claims: { ...claimsOfScope },
    // Which tokens tell of the user is said by each service provider.
    conformIdTokenClaims: false,
    clientAuthMethods: [...authMethods],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    allowOmittingSingleRegisteredRedirectUri: false,
    discovery: {
      revocation_endpoint_auth_methods_supported: authMethods,
      introspection_endpoint_auth_methods_supported: authMethods.filter((method) => method !== 'none'),
    },
    extraParams: {
      // Said as an error of the mode that is used, and after the response type, which decides first.
      response_mode({ oidc }: KoaContextWithOIDC, value: string = 'query') {
        const modes: readonly string[] = providers.get(oidc.client?.clientId)?.responseModes ?? ['query']
        if (modes.includes(value)) return
        Object.assign(oidc.params ?? {}, { response_mode: undefined })
        throw new library.errors.InvalidRequest(`response_mode must be ${modes.join(' or ')}`)
      },
      // RFC 6749 section 3.3: there is no default. Checked here, before the login page.
      scope({ oidc }: KoaContextWithOIDC, value: string | undefined) {
        if (oidc.requestParamOIDCScopes.size > 0) return
        throw new library.errors.InvalidScope('the request has no scope that is known', value ?? '')
      },
      // A token in hand is all that a client of the app's own API needs; the resource is that of the service provider.
      resource(ctx: KoaContextWithOIDC, value: string | undefined) {
        const own = providers.audience(ctx.oidc.client?.clientId)
        if (value !== undefined && !isSameResource(own, value)) throw new library.errors.InvalidTarget()
      },
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      clientCredentials: { enabled: serviceProviders.some(({ grants }) => grants.includes('client_credentials')) },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        // RFC 7662 section 2.1: the client is authenticated, and asks for tokens that were meant for it.
        allowedPolicy(_ctx, { clientId, clientAuthMethod }, token) {
          const own = providers.get(clientId)?.audience
          const isMeantForIt = own !== undefined && providers.get(token.clientId)?.audience === own
          return clientAuthMethod !== 'none' && (token.clientId === clientId || isMeantForIt)
        },
      },
      backchannelLogout: { enabled: notices.isUsed },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => pages.renderSignOut(ctx, form, !isHintOfSession(ctx)),
        postLogoutSuccessSource: pages.renderSignedOut,
      },
    },
    clientBasedCORS(_ctx, origin, { clientId }) {
      const provider = providers.get(clientId)
      return provider !== undefined && pageOrigins(provider).includes(origin)
    },
    findAccount: createAccountFinder(parts),
    loadExistingGrant: createGrantLoader(parts),
    interactions: { policy: createPolicy(library), url: createLoginUrls(parts) },
    cookies: { ...cookies, keys: [cookieKey] },
    // What a sign-on has started ends with it.
    expiresWithSession: () => true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: accessTokenMs / 1000,
      AuthorizationCode: codeSeconds,
      ClientCredentials: accessTokenMs / 1000,
      Grant: signOnSeconds,
      IdToken: accessTokenMs / 1000,
      Interaction: interactionSeconds,
      // Counted from the first one: a rotation extends nothing.
      RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? refreshTokenMs / 1000,
      Session: signOnSeconds,
    },
    renderError: pages.renderError,
  }
}

/** Whether the client has shown an ID token of the user who is signed in: then it is no other site that wants to sign out. */
function isHintOfSession({ oidc: { session, entities } }: KoaContextWithOIDC): boolean {
  return session?.accountId !== undefined && entities.IdTokenHint?.payload['sub'] === session.accountId
}

/** Where the login page of a sign-in is: with the sign-in itself, because nothing is kept of it. */
function createLoginUrls(parts: ProviderParts): NonNullable<NonNullable<Configuration['interactions']>['url']> {
  const { oauth, library, startedSignIns } = parts
  return async function loginUrl(_ctx, interaction) {
    const { uid, prompt } = interaction
    // The details are those of the parameters, once more.
    const payload = withoutCredentials({ ...interaction, prompt: { ...prompt, details: {} } })
    const url = loginAddress(oauth.issuer, uid, await startedSignIns.seal({ ...payload, jti: uid }))
    if (url.length > maxLoginUrlLength) throw new library.errors.InvalidRequest('the request is too long')
    return url
  }
}

/** Users are those of the sign-on that the session or the token belongs to, with the rights of this moment. */
function createAccountFinder(parts: ProviderParts): NonNullable<Configuration['findAccount']> {
  const { providers, signOns, users } = parts
  return async function findAccount(ctx, subject, token) {
    const { sessionUid, scope } = (token ?? {}) as { readonly sessionUid?: string; readonly scope?: string }
    const uid = sessionUid ?? ctx.oidc.session?.uid
    const signOn = uid === undefined ? undefined : await signOns.findByUid(uid)
    if (signOn?.record.subject !== subject) return undefined
    // A store that is down is no reason to say that there is no e-mail address: then there is no token.
    const profile = needsProfile(scope)
      ? ((await signOns.findProfile(signOn.uid)) ?? (await users?.findProfile?.(subject)))
      : undefined
    const all = userClaims(subject, signOn.record.account.roles, profile)
    const isInIdToken = providers.get(ctx.oidc.client?.clientId)?.claimsIn.includes('id_token')
    return { accountId: subject, claims: (use) => (use === 'id_token' && !isInIdToken ? { sub: subject } : all) }
  }
}

/** Service providers belong to the app: what they may ask for, users need not agree to. */
function createGrantLoader({ providers, signOns }: ProviderParts): NonNullable<Configuration['loadExistingGrant']> {
  return async function loadExistingGrant(ctx) {
    const { client, session, account, provider } = ctx.oidc
    const serviceProvider = providers.get(client?.clientId)
    if (serviceProvider === undefined || session === undefined || account === undefined) return undefined
    const { clientId } = serviceProvider
    const asked = [...ctx.oidc.requestParamOIDCScopes]
    const user = (await signOns.findByUid(session.uid))?.record.account
    const scopes = grantedScopes(serviceProvider, asked, user)
    const known = session.grantIdFor(clientId)
    const found = known === undefined ? undefined : await provider.Grant.find(known)
    // A grant that says more is from before the user lost a role.
    const lost = new Set(asked.filter((scope) => !scopes.includes(scope)))
    const existing = found?.getOIDCScopeFiltered(lost) === '' ? found : undefined
    const grant = existing ?? new provider.Grant({ clientId, accountId: account.accountId })
    if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
    await grant.save()
    return grant
  }
}

/**
 * A password is asked for where it is due: where the sign-on of a session has gone, too, as when a sign-in is resumed in
 * another browser than the one that finished it. Consent is given beforehand: asking for it shows no page.
 */
function createPolicy({ interactionPolicy: { base, Check, Prompt } }: OidcProvider) {
  const policy = base()
  const hasNoSignOn = new Check('no_sign_on', 'the sign-on has ended', ({ oidc }) => oidc.account === undefined)
  policy.get('login')?.checks.add(hasNoSignOn)
  policy.remove('consent')
  policy.add(new Prompt({ name: 'consent', requestable: true }))
  return policy
}
