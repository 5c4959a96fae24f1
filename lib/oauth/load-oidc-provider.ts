/**
 * Loads the package that the authorization server is built on. Nothing of it is loaded before a configuration asks for it.
 *
 * @module
 */

import { ConfigError } from '../core/errors.js'

/** The package, as far as it is used here. */
export type OidcProvider = Pick<typeof import('oidc-provider'), 'default' | 'errors' | 'interactionPolicy'>

/**
 * Loads `oidc-provider`. It may print that it wants a newer Node: the console belongs to the whole process, and is left alone.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it.
 */
export async function loadOidcProvider(
  load: () => Promise<OidcProvider> = () => import('oidc-provider'),
): Promise<OidcProvider> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const rule = 'needs an optional package; run: npm install oidc-provider@9'
    throw new ConfigError([{ key: 'oauth.enable', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}
