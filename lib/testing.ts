/**
 * The entry `sallyport/testing`: tests of an app that Sallyport guards, and of stores that you write yourself. It needs no test
 * framework.
 *
 * @throws Error when it is loaded under `NODE_ENV=production`.
 * @module
 */

import { refuseProduction } from './testing/refuse-production.js'

export { type AppRoute, listRoutes } from './http/express/app-routes.js'
export { type ContractStoreOptions, createRecord } from './testing/contract-stage.js'
export type { Decision } from './testing/decisions.js'
export { type ExpectProtectedOptions, expectProtected } from './testing/expect-protected.js'
export {
  createTestSecurity,
  type TestClock,
  type TestLogEntry,
  type TestSecurity,
  type TestSecurityOptions,
} from './testing/test-security.js'
export type { TestUser, TestUsers } from './testing/test-users.js'
export { type TestRunner, tokenStoreContract } from './testing/token-store-contract.js'
export { type RouteWatch, type UnguardedRun, watchRoutes } from './testing/watch-routes.js'

refuseProduction()
