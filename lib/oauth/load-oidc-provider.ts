/**
 * Loads the package that the authorization server is built on. Nothing of it is loaded before a configuration asks for it.
 *
 * @module
 */

import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'

/** The package, as far as it is used here. */
export type OidcProvider = Pick<typeof import('oidc-provider'), 'default' | 'errors' | 'interactionPolicy'>

/** How the lines begin that the package prints to the console by itself. */
const ownLine = /^(?:\p{Cc}\[[\d;]*m)?oidc-provider (?:WARNING|NOTICE): /u

/**
 * Loads `oidc-provider`. What it would print about itself at that moment, such as that it wants a newer Node, goes to the log.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it.
 */
export async function loadOidcProvider(
  logger: Logger,
  load: () => Promise<OidcProvider> = () => import('oidc-provider'),
): Promise<OidcProvider> {
  const { warn } = console
  console.warn = (...args: unknown[]) => {
    const [line] = args
    if (typeof line === 'string' && ownLine.test(line)) logger.info({}, line.replace(ownLine, 'oidc-provider: '))
    else warn.apply(console, args)
  }
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const rule = 'needs an optional package; run: npm install oidc-provider@9'
    throw new ConfigError([{ key: 'oauth.enable', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  } finally {
    console.warn = warn
  }
}
