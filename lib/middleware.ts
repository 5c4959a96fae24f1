/**
 * `sallyport/middleware`: the gates, and the parts that they work with, to compose by hand. {@link createAuthCore} makes the
 * parts that belong together.
 *
 * @module
 */

export type { AcceptPassword } from './admin-api/user-administration.js'
export { type AuthCore, type AuthCoreOptions, createAuthCore } from './app/auth-core.js'
export type { AuthKind, MachineKind } from './core/auth.js'
export type { ConfigErrorCode, HttpErrorCode, HttpErrorOptions, StoreErrorCode } from './core/errors.js'
export {
  type ChangeContext,
  type ClientRefusal,
  type EventRecorder,
  type LoginRefusal,
  type RequestCorrelation,
  SecurityEvents,
} from './core/events.js'
export { type BasicAuthenticationOptions, basicAuthentication } from './middleware/basic-authentication.js'
export { type BasicLoginOptions, basicLogin } from './middleware/basic-login.js'
export { type BearerAuthenticationOptions, bearerAuthentication } from './middleware/bearer-authentication.js'
export { type CorsPolicyOptions, corsPolicy } from './middleware/cors-policy.js'
export { type ErrorResponsesOptions, errorResponses } from './middleware/error-responses.js'
export { type IpAllowListOptions, ipAllowList } from './middleware/ip-allow-list.js'
export { type LogoutOptions, logout } from './middleware/logout.js'
export { type PathAuthorizationOptions, type PathRule, pathAuthorization } from './middleware/path-authorization.js'
export { type PortalSessionOptions, portalSession } from './middleware/portal-session.js'
export { type ReadOnlyUsersOptions, readOnlyUsers } from './middleware/read-only-users.js'
export { type CreateUser, requestUser } from './middleware/request-user.js'
export type { AllowAnonymous } from './paths/public-path.js'
export type { LoginPage, LoginView, SignInLink } from './portals/login-page.js'
export type { PortalView } from './portals/page.js'
export type { Refusal, RefusalPage, RefusalView } from './portals/refusal-page.js'
export type { SecondFactorPage, SecondFactorView } from './portals/second-page.js'
export type { SecondStepParts } from './portals/second-step.js'
export type { SignOn, SignOnContext, SingleSignOn } from './portals/single-sign-on.js'
export { createKeyRing, type KeyRing, type KeyRingOptions } from './tokens/keys/key-ring.js'
export type { VerificationKey } from './tokens/keys/signing-key.js'
export { MemoryTokenStore, type MemoryTokenStoreOptions } from './tokens/memory/memory-token-store.js'
export type { Revocations } from './tokens/revocations.js'
export {
  createSessions,
  type LiveSession,
  type NewSession,
  type SessionLogin,
  type Sessions,
  type SessionsOptions,
} from './tokens/sessions.js'
export type { RecordKind } from './tokens/token-store.js'
export {
  createTokens,
  type IssuedToken,
  type Login,
  type TokenInfo,
  type Tokens,
  type TokensOptions,
  type VerifyOptions,
} from './tokens/tokens.js'
export { type Accounts, type AccountsOptions, createAccounts, type RecordedAccount } from './users/accounts.js'
export { type FileUserStore, type FileUserStoreOptions, fileUserStore } from './users/file/file-user-store.js'
export {
  type AuthenticatedUser,
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  type LoginContext,
  type ShowFactor,
} from './users/login/authenticator.js'
export type { UserChangeErrorCode } from './users/managed-user-store.js'
export type {
  AssignedSecondFactor,
  CodeOutcome,
  LockedCode,
  NewSecret,
  RightCode,
  SecondFactors,
  WrongCode,
} from './users/second-factor/second-factors.js'
export {
  createLoginThrottle,
  type LoginAttempt,
  type LoginThrottle,
  type LoginThrottleOptions,
  type ManagedLoginThrottle,
  type ThrottledLogin,
} from './users/throttle/login-throttle.js'
export type { AccountState, AuthenticationFailure } from './users/user-store.js'
