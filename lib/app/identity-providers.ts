/**
 * The identity providers of a configuration: opened when the configuration names one, and kept for as long as it says the same.
 *
 * @module
 */

import type { Config, IdentityProviderConfig } from '../config/config.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { versionPrefix } from '../identity-providers/claims.js'
import type { OpenidClient } from '../identity-providers/load-openid-client.js'
import { createSealer } from '../identity-providers/pending-sign-in.js'
import { createProviderSessions } from '../identity-providers/provider-sessions.js'
import type { IdentityProvider } from '../identity-providers/provider-types.js'
import type { PortalSignIn } from '../portals/portal-sign-in.js'
import { createProviderSignIns, type ProviderSignIns } from '../portals/provider-sign-in.js'
import { createProviderSignOut } from '../portals/provider-sign-out.js'
import type { AuthCore } from './auth-core.js'

/** What identity providers work with. */
export interface IdentityProvidersParts
  extends Pick<AuthCore, 'store' | 'accounts' | 'revocations' | 'tokens' | 'clock'> {
  readonly events: SecurityEvents
  readonly logger: Logger
  /** 32 bytes, the same in all processes that a browser may come to. */
  readonly key: Uint8Array
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
}

/** The identity providers of a front. */
export interface IdentityProviders {
  /**
   * Loads what the providers of a configuration need, unless there is none.
   *
   * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without `openid-client`.
   */
  prepare(config: Config): Promise<void>
  /** How people sign in to a portal; `undefined`: with a password alone. `cookieName` has no `__Host-`. */
  forPortal(config: Config, signIn: readonly string[], cookieName: string): PortalSignIn | undefined
}

interface ProviderLibrary {
  readonly library: OpenidClient
  readonly createIdentityProvider: typeof import('../identity-providers/identity-provider.js').createIdentityProvider
}

/** What the version of an account begins with, where a provider of the configuration has its users in this domain. */
export function providerVersionOf({ identityProviders }: Config, subject: string): string | undefined {
  const provider = identityProviders.find(({ domainName }) => subject.startsWith(`${domainName}/`))
  return provider && versionPrefix(provider)
}

/** A configuration is prepared before portals are made of it. */
export function createIdentityProviders(parts: IdentityProvidersParts): IdentityProviders {
  const { logger, clock, key, fetch } = parts
  const sealer = createSealer(key, clock)
  const sessions = createProviderSessions(parts)
  let loaded: ProviderLibrary | undefined
  /** By what the configuration says: what is known of a provider outlives a reload that leaves it as it is. */
  const opened = new Map<string, IdentityProvider>()

  function open(config: IdentityProviderConfig): IdentityProvider {
    const { origin: _place, ...settings } = config
    const identity = JSON.stringify(settings)
    const known = opened.get(identity)
    if (known !== undefined) return known
    const { library, createIdentityProvider } = loaded!
    const provider = createIdentityProvider(config, { library, logger, clock, fetch })
    opened.set(identity, provider)
    return provider
  }

  function createSignIns({ portalDefaults }: Config): ProviderSignIns {
    const { cookiePrefix, allowInsecureHttp: allowPlainHttp } = portalDefaults
    return createProviderSignIns({ sealer, cookiePrefix, allowPlainHttp, clock })
  }

  return {
    async prepare({ identityProviders }) {
      if (identityProviders.length === 0 || loaded !== undefined) return
      const { loadOpenidClient } = await import('../identity-providers/load-openid-client.js')
      const { createIdentityProvider } = await import('../identity-providers/identity-provider.js')
      loaded = { library: await loadOpenidClient(), createIdentityProvider }
    },

    forPortal(config, signIn, cookieName) {
      const { identityProviders, portals, portalDefaults } = config
      if (identityProviders.length === 0) return undefined
      const all = new Map(identityProviders.map((provider) => [provider.name, open(provider)]))
      const providers = signIn.flatMap((name) => all.get(name) ?? [])
      const lives = portals.map(({ absoluteTimeoutMs }) => absoluteTimeoutMs)
      const longestMs = Math.max(...lives, config.oauth?.signOnAbsoluteMs ?? 0)
      const { allowInsecureHttp: allowPlainHttp } = portalDefaults
      return {
        takesPassword: signIn.includes('local'),
        providers,
        signIns: createSignIns(config),
        sessions,
        signOut: createProviderSignOut({
          sealer,
          findProvider: (name) => all.get(name),
          cookieName,
          longestMs,
          allowPlainHttp,
        }),
        longestMs,
      }
    },
  }
}
