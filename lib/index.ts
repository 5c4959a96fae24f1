/**
 * Sallyport: a security front for Express, wired by a `deployment.toml` or by hand.
 *
 * @module
 */

export type * from './config/config.js'
export type { ConfigOptions } from './config/config-options.js'
export { loadConfig } from './config/load-config.js'
export { parseConfig } from './config/parse-config.js'
export type { ConfigSource } from './config/read-config.js'
export { type Auth, type AuthKind, getAuth } from './core/auth.js'
export * from './core/errors.js'
export {
  type ChangeContext,
  type ClientRefusal,
  type LoginRefusal,
  type SecurityEventMap,
  SecurityEvents,
} from './core/events.js'
export { jsonLogger, type Logger } from './core/logger.js'
export { type CreateServerOptions, createSecurity, type Security } from './create-security.js'
export type { IsPublic } from './internal/public-path.js'
export type { ManagementApiOptions } from './management-api.js'
export { type BasicAuthenticationOptions, basicAuthentication } from './middlewares/basic-authentication.js'
export { type BasicLoginOptions, basicLogin } from './middlewares/basic-login.js'
export { type BearerAuthenticationOptions, bearerAuthentication } from './middlewares/bearer-authentication.js'
export { type CorsPolicyOptions, corsPolicy } from './middlewares/cors-policy.js'
export { type ErrorResponsesOptions, errorResponses } from './middlewares/error-responses.js'
export { type IpAllowListOptions, ipAllowList } from './middlewares/ip-allow-list.js'
export { type LogoutOptions, logout } from './middlewares/logout.js'
export { type PathAuthorizationOptions, type PathRule, pathAuthorization } from './middlewares/path-authorization.js'
export { type PortalSessionOptions, portalSession } from './middlewares/portal-session.js'
export { type ReadOnlyUsersOptions, readOnlyUsers } from './middlewares/read-only-users.js'
export type { PortalOptions } from './portal.js'
export type { LoginPage, LoginView } from './portals/login-page.js'
export type { SignedOn, SignOnContext, SingleSignOn } from './portals/single-sign-on.js'
export type { IsPasswordAcceptable } from './resources/user-administration.js'
export type { SecurityOptions } from './security-options.js'
export { createKeyRing, type KeyRing, type KeyRingOptions } from './tokens/key-ring.js'
export type { VerificationKey } from './tokens/key-set.js'
export { MemoryTokenStore, type MemoryTokenStoreOptions } from './tokens/memory-token-store.js'
export { Revocations } from './tokens/revocations.js'
export {
  createSessions,
  type LiveSession,
  type NewSession,
  type SessionLogin,
  type Sessions,
  type SessionsOptions,
} from './tokens/sessions.js'
export { endOf, type RecordKind, type TokenQuery, type TokenRecord, type TokenStore } from './tokens/token-store.js'
export {
  createTokens,
  type IssuedToken,
  type Login,
  type TokenInfo,
  type Tokens,
  type TokensOptions,
  type VerifyOptions,
} from './tokens/tokens.js'
export type { AccountState } from './users/account-state.js'
export { type Accounts, type AccountsOptions, createAccounts, type RecordedAccount } from './users/accounts.js'
export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type LoginContext,
} from './users/authenticator.js'
export { type FileUserStore, type FileUserStoreOptions, fileUserStore } from './users/file-user-store.js'
export {
  createLoginThrottle,
  type LoginAttempt,
  type LoginThrottle,
  type LoginThrottleOptions,
  type ThrottledLogin,
} from './users/login-throttle.js'
export {
  isManaged,
  type ManagedUserStore,
  type NewUser,
  type RoleChange,
  type UserQuery,
  UserStoreRefusal,
  type UserStoreRefusalCode,
} from './users/managed-user-store.js'
export { hashPassword } from './users/password-hash.js'
export type {
  AuthenticationFailure,
  AuthenticationResult,
  UserAccount,
  UserProfile,
  UserStore,
} from './users/user-store.js'
