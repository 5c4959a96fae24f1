/**
 * A front with its parts, for what asks it without being a server: tests, and explanations.
 *
 * @module
 */

import type { ConfigSource } from '../config/load.js'
import type { AuthCore } from './auth-core.js'
import type { MountObserver } from './mounts.js'
import type { Security } from './security.js'
import type { SecurityOptions } from './security-options.js'

/** What `wireSecurity` has put together. */
export interface WiredSecurity {
  readonly security: Security
  readonly core: AuthCore
}

/** What a front is told that is no server. */
export interface WireTest {
  readonly observer: MountObserver
  /** Whether the users stand for those of the file. @defaultValue as the configuration says */
  readonly usesFileUsers?: boolean | undefined
  /** In the place of every request to an issuer or identity provider. @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
}

/** The type of `wireSecurity`, for what it loads itself. */
export type WireSecurity = (source: ConfigSource, options: SecurityOptions, test: WireTest) => Promise<WiredSecurity>
