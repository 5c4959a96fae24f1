/**
 * Where tokens are kept and failed logins are counted: in this process, or in the store that processes share.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import type { SecurityEvents } from '../core/events.js'
import { MemoryTokenStore } from '../tokens/memory/memory-token-store.js'
import type { TokenStore } from '../tokens/token-store.js'
import { createLoginThrottle, type ManagedLoginThrottle } from '../users/throttle/login-throttle.js'
import { evictionReporter } from './auth-core.js'
import type { SharedStore } from './shared-store.js'

interface StoreParts {
  /** `undefined`: this process shares nothing. */
  readonly shared: SharedStore | undefined
  readonly events: SecurityEvents
  readonly clock: () => number
}

export function openTokenStore(config: Config, { shared, events, clock }: StoreParts): TokenStore {
  const options = {
    ...config.managementApi.tokenStore,
    maxSessions: config.portalDefaults.maxSessions,
    maxOAuthTokens: config.oauth?.maxTokens,
    clock,
    onEvict: evictionReporter(events, clock),
  }
  return shared === undefined ? new MemoryTokenStore(options) : shared.createTokenStore(options)
}

export function openThrottle({ managementApi }: Config, { shared, events, clock }: StoreParts): ManagedLoginThrottle {
  const options = { ...managementApi.loginThrottle, events, clock }
  return shared === undefined ? createLoginThrottle(options) : shared.createThrottle(options, 'login')
}
