/**
 * Sallyport: a security layer for Express, wired by a `deployment.toml`. `sallyport/middleware` has the parts to compose one by hand.
 *
 * @module
 */

export type { HeldLock } from './admin-api/locks.js'
export type { ClosableSocket, GuardedConnection } from './app/connections.js'
export { type CreateServerOptions, createSecurity, type Security } from './app/create-security.js'
export type { ManagementApiOptions } from './app/management-api.js'
export type { PortalOptions } from './app/portal.js'
export type { SecurityOptions } from './app/security-options.js'
export type { ShutdownOptions } from './app/shutdown.js'
export type { SignInOptions } from './app/sign-in.js'
export type {
  AuditAction,
  AuditDetail,
  AuditOutcome,
  AuditRecord,
  AuditRule,
  AuditSink,
  AuditTarget,
  TrailAction,
} from './audit/audit-record.js'
export { type Auth, type Factor, getAuth } from './core/auth.js'
export {
  BadRequestError,
  ConfigError,
  type ErrorCode,
  ForbiddenError,
  HttpError,
  StoreError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
} from './core/errors.js'
export type { SecurityEventMap } from './core/events.js'
export { jsonLogger, type Logger } from './core/logger.js'
export type { Coverage, RouteAccess, RouteCoverage } from './explain/coverage.js'
export type { Explanation } from './explain/explain.js'
export type { ExplainRequest, HeaderLine } from './explain/request.js'
export type { ExplainStage } from './explain/stages.js'
export {
  getExpiry,
  type LoginStart,
  type PoolFill,
  type TokenQuery,
  type TokenRecord,
  type TokenStore,
} from './tokens/token-store.js'
export {
  isManagedUserStore,
  type ManagedUserStore,
  type NewUser,
  type RoleChange,
  UserChangeError,
  type UserQuery,
} from './users/managed-user-store.js'
export { hashPassword } from './users/passwords/password-hash.js'
export type { CodeLock } from './users/second-factor/second-factors.js'
export type { LoginLock } from './users/throttle/lock-notes.js'
export type { AuthenticationResult, UserAccount, UserProfile, UserStore } from './users/user-store.js'
