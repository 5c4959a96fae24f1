/**
 * Loads `openid-client`, an optional package.
 *
 * @module
 */

import { ConfigError } from '../core/errors.js'

export type OpenidClient = typeof import('openid-client')

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it. */
export async function loadOpenidClient(
  load: () => Promise<OpenidClient> = () => import('openid-client'),
): Promise<OpenidClient> {
  try {
    return await load()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const rule = 'needs an optional package; run: npm install openid-client@6'
    throw new ConfigError([{ key: 'identity_provider', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}
