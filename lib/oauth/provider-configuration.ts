/**
 * What `oidc-provider` is told. Nothing of it can be replaced from outside: PKCE with S256 is mandatory for every client, codes
 * are the only response, and clients are those of the configuration.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { AdapterFactory, Configuration, Interaction, JWK, KoaContextWithOIDC } from 'oidc-provider'
import type { OauthConfig } from '../config/config.js'
import type { UserStore } from '../users/user-store.js'
import { allScopesOf, clientMetadataOf, clientsWithClaimsIn, originsOf } from './clients.js'
import type { OauthCookies } from './cookies.js'
import { createGrantedScopes } from './granted-scopes.js'
import type { OidcProvider } from './load-oidc-provider.js'
import { renderErrorPage, renderSignedOutPage, signOutPage } from './pages.js'
import { withoutCredentials } from './provider-adapter.js'
import type { SignOns } from './sign-ons.js'
import type { StartedSignIns } from './started-sign-ins.js'
import { claimsOfScope, needsProfile, userClaims } from './user-claims.js'

/** What the configuration is made of. */
export interface ProviderParts {
  readonly oauth: OauthConfig
  readonly cookies: OauthCookies
  readonly library: OidcProvider
  readonly adapter: AdapterFactory
  readonly signOns: SignOns
  readonly startedSignIns: StartedSignIns
  readonly users: Pick<UserStore, 'findProfile'> | undefined
  /** What stands for the secret of every confidential client. */
  readonly provenSecret: string
  /** The private key, as a JWK. */
  readonly signingKey: JWK
}

/** Paths below the mount, as WSO2 has them where it has them. */
export const endpoints = {
  authorization: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  revocation: '/revoke',
  introspection: '/introspect',
  jwks: '/jwks',
  end_session: '/logout',
} as const

/** Where the login page of a sign-in is, below the mount. */
export const loginPath = '/login/'

/** Query parameter of the login page that holds the sealed sign-in. */
export const signInParameter = 'request'

/** Address of the login page of a sign-in below an issuer. */
export function loginAddress(issuer: string, uid: string, sealed: string): string {
  return `${issuer}${loginPath}${uid}?${signInParameter}=${sealed}`
}

/** A code is exchanged at once (RFC 6749 section 4.1.2 recommends ten minutes at the most). */
const codeSeconds = 60

/** How long the login page may stand open. */
export const interactionSeconds: number = 15 * 60

/** Longest address of a login page: proxies and Node refuse lines of 8 and headers of 16 KiB. */
const maxLoginUrlLength = 8000

/** How clients show who they are. */
const authMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const

/** Makes the configuration of one provider. */
export function providerConfigurationOf(parts: ProviderParts): Configuration {
  const { oauth, cookies, library, adapter, signingKey } = parts
  const { issuer, algorithm, accessTokenSeconds, refreshTokenSeconds, serviceProviders } = oauth
  const signOnSeconds = Math.ceil(oauth.signOnAbsoluteMs / 1000)
  const origins = new Map(serviceProviders.map((provider) => [provider.clientId, originsOf(provider)]))
  const audiences = new Map(serviceProviders.map(({ clientId, audience }) => [clientId, audience]))

  return {
    adapter,
    clients: serviceProviders.map((provider) => clientMetadataOf(provider, oauth, parts.provenSecret)),
    jwks: { keys: [signingKey] },
    routes: endpoints,
    responseTypes: ['code'],
    // RFC 9700 section 2.1.1. The package knows S256 only.
    pkce: { required: () => true },
    scopes: [...allScopesOf(oauth)],
    claims: {
      ...Object.fromEntries(Object.entries(claimsOfScope).map(([scope, names]) => [scope, [...names]])),
      acr: null,
      auth_time: null,
      sid: null,
    },
    // Which tokens tell of the user is said by each service provider.
    conformIdTokenClaims: false,
    clientAuthMethods: [...authMethods],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: {
      idTokenSigningAlgValues: [algorithm],
      userinfoSigningAlgValues: [algorithm],
      introspectionSigningAlgValues: [algorithm],
      authorizationSigningAlgValues: [algorithm],
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    discovery: {
      revocation_endpoint_auth_methods_supported: authMethods,
      introspection_endpoint_auth_methods_supported: authMethods.filter((method) => method !== 'none'),
    },
    extraParams: {
      // Said as an error of the mode that is used, and after the response type, which decides first.
      response_mode({ oidc }: KoaContextWithOIDC, value: string | undefined) {
        if (value === undefined || value === 'query') return
        Object.assign(oidc.params ?? {}, { response_mode: undefined })
        throw new library.errors.InvalidRequest('response_mode must be query')
      },
      // RFC 6749 section 3.3: there is no default. Asked here, before anybody is asked for a password.
      scope({ oidc }: KoaContextWithOIDC, value: string | undefined) {
        if (oidc.requestParamOIDCScopes.size > 0) return
        throw new library.errors.InvalidScope('the request has no scope that is known', value ?? '')
      },
      // A token in hand is all that a client of the app's own API needs; the resource is that of the service provider.
      resource(ctx: KoaContextWithOIDC, value: string | undefined) {
        const { clientId = '' } = ctx.oidc.client ?? {}
        if (value !== undefined && value !== (audiences.get(clientId) ?? issuer))
          throw new library.errors.InvalidTarget()
      },
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        // RFC 7662 section 2.1: whoever asks has shown who it is, and asks for tokens that were meant for it.
        allowedPolicy: (_ctx, client, token) =>
          client.clientAuthMethod !== 'none' &&
          (token.clientId === client.clientId ||
            (audiences.get(client.clientId) !== undefined &&
              audiences.get(token.clientId ?? '') === audiences.get(client.clientId))),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = signOutPage(form, !isHintOfSession(ctx))
        },
        postLogoutSuccessSource: renderSignedOutPage,
      },
    },
    clientBasedCORS: (_ctx, origin, client) => origins.get(client.clientId)?.includes(origin) === true,
    findAccount: accountFinder(parts),
    loadExistingGrant: grantLoader(parts),
    interactions: { policy: policyOf(library), url: loginUrlMaker(parts) },
    cookies: {
      names: cookies.names,
      long: cookies.session,
      short: cookies.short,
      // They sign the cookies of sign-ins that have been begun, which end with this process as well.
      keys: [randomBytes(32)],
    },
    // Whatever was begun by a sign-on ends with it.
    expiresWithSession: () => true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: codeSeconds,
      Grant: signOnSeconds,
      IdToken: accessTokenSeconds,
      Interaction: interactionSeconds,
      // Counted from the first one: a rotation extends nothing.
      RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? refreshTokenSeconds,
      Session: signOnSeconds,
    },
    renderError: renderErrorPage,
  }
}

/** Whether the client has shown an ID token of the user who is signed in: then it is no other site that wants to sign out. */
function isHintOfSession(ctx: KoaContextWithOIDC): boolean {
  const { session, entities } = ctx.oidc
  return session?.accountId !== undefined && entities.IdTokenHint?.payload['sub'] === session.accountId
}

/** Where the login page of a sign-in is: with the sign-in itself, because nothing is kept of it. */
function loginUrlMaker({
  oauth,
  library,
  startedSignIns,
}: ProviderParts): (ctx: unknown, interaction: Interaction) => Promise<string> {
  return async function loginUrl(_ctx, interaction) {
    const { uid, prompt } = interaction
    // The details are those of the parameters, once more.
    const payload = withoutCredentials({ ...interaction, prompt: { ...prompt, details: {} } })
    const sealed = await startedSignIns.seal({ ...payload, jti: uid })
    const url = loginAddress(oauth.issuer, uid, sealed)
    if (url.length > maxLoginUrlLength) throw new library.errors.InvalidRequest('the request is too long')
    return url
  }
}

/** Users are those of the sign-on that the session or the token belongs to, with the rights of this moment. */
function accountFinder({ oauth, signOns, users }: ProviderParts): NonNullable<Configuration['findAccount']> {
  const withIdTokens = clientsWithClaimsIn(oauth, 'id_token')

  return async function findAccount(ctx, subject, token) {
    const { sessionUid, scope } = (token ?? {}) as { readonly sessionUid?: string; readonly scope?: string }
    const uid = sessionUid ?? ctx.oidc.session?.uid
    const signOn = uid === undefined ? undefined : await signOns.findByUid(uid)
    if (signOn?.record.subject !== subject) return undefined
    // A store that is down is no reason to say that there is no e-mail address: then there is no token.
    const profile = needsProfile(scope) ? await users?.findProfile?.(subject) : undefined
    const all = userClaims(subject, signOn.record.account.roles, profile)
    const inIdToken = withIdTokens.has(ctx.oidc.client?.clientId ?? '') ? all : { sub: subject }
    return { accountId: subject, claims: (use) => (use === 'id_token' ? inIdToken : all) }
  }
}

/** Service providers belong to the app: what they may ask for, users need not agree to. */
function grantLoader({ oauth, signOns }: ProviderParts): NonNullable<Configuration['loadExistingGrant']> {
  const scopesOf = createGrantedScopes(oauth)

  return async function loadExistingGrant(ctx) {
    const { client, session, account, provider } = ctx.oidc
    if (client === undefined || session === undefined || account === undefined) return undefined
    const { clientId } = client
    const asked = [...ctx.oidc.requestParamOIDCScopes]
    const user = (await signOns.findByUid(session.uid))?.record.account
    const scopes = scopesOf(clientId, asked, user)
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
 * another browser than the one that finished it. Consent is given beforehand, so that asking for it asks nobody. */
function policyOf({ interactionPolicy: { base, Check, Prompt } }: OidcProvider) {
  const policy = base()
  const hasNoSignOn = new Check('no_sign_on', 'the sign-on has ended', ({ oidc }) => oidc.account === undefined)
  policy.get('login')?.checks.add(hasNoSignOn)
  policy.remove('consent')
  policy.add(new Prompt({ name: 'consent', requestable: true }))
  return policy
}
