/**
 * What should be put right about identity providers.
 *
 * @module
 */

import type { Config } from '../config.js'
import type { KeyPath } from '../values/key-path.js'
import { type Tree, valueAt } from '../values/tree.js'

interface Warn {
  (path: KeyPath, rule: string): void
  /** For what has no effect. */
  idle(path: KeyPath, rule: string): void
}

/** Claims that may pass from one person to another. */
const reusedClaims: readonly string[] = ['email', 'preferred_username', 'upn', 'unique_name', 'name', 'nickname']

export function checkIdentityProviders({ identityProviders, portals, oauth }: Config, values: Tree, warn: Warn): void {
  const named = new Set([...portals, ...(oauth === undefined ? [] : [oauth])].flatMap(({ signIn }) => signIn))
  const unnamed = (name: string): string =>
    `has no effect before a portal names it: write sign_in = ["local", "${name}"] in [portal.<name>]`
  for (const [index, provider] of identityProviders.entries()) {
    const { name, subjectClaim, allowUnmapped, requiredClaims } = provider
    const path = name === 'sso' ? ['sso'] : ['identity_provider', index]
    if (!named.has(name)) warn.idle(path, unnamed(name))
    if (reusedClaims.includes(subjectClaim)) {
      const rule =
        'may name another person one day, who would then be this user; sub never does (OpenID Connect Core 1.0 section 5.7)'
      warn([...path, name === 'sso' ? 'user_name_attribute' : 'subject_claim'], rule)
    }
    if (allowUnmapped && Object.keys(requiredClaims).length === 0) {
      const rule = 'lets everybody in whom the provider knows; required_claims can name the tenant'
      warn([...path, 'allow_unmapped'], rule)
    }
  }
  if (!named.has('sso') && String(valueAt(values, ['sso', 'enable'])).toLowerCase() === 'true') {
    warn.idle(['sso'], unnamed('sso'))
  }
}
