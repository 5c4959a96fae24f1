/**
 * Loads the optional package that a database needs.
 *
 * @module
 */

import { ConfigError } from '../../../core/errors.js'

/**
 * What `load` imports.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs the package.
 */
export async function loadDriver<T>(database: string, packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const rule = `${database} needs an optional package; run: npm install ${packageName}`
    throw new ConfigError([{ key: 'datasource.url', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}
