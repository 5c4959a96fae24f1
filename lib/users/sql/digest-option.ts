/**
 * Checks `[user_store] password_digest`.
 *
 * @module
 */

import { ConfigError } from '../../core/errors.js'
import type { Logger } from '../../core/logger.js'
import { digestName, plainText } from './salted-digest.js'

const broken = /^(?:MD2|MD4|MD5|SHA|SHA-?1)$/i

/**
 * The digest that WSO2's tables are read with, with a warning when it protects little.
 *
 * @throws {@link ConfigError} when there is no such digest.
 */
export function checkedDigest(digest = 'SHA-256', isSalted: boolean, logger: Logger | undefined): string {
  const key = 'user_store.password_digest'
  if (digest === plainText) {
    logger?.warn({ key }, 'SECURITY: passwords are stored in plain text: whoever reads the database has them')
    return digest
  }
  if (digestName(digest) === undefined) {
    throw new ConfigError([{ key, rule: `must be SHA-256, another digest, or ${plainText}` }])
  }
  if (broken.test(digest) || !isSalted) {
    logger?.warn({ key }, 'passwords are stored under a weak digest: use SHA-256 or stronger, with a salt')
  }
  return digest
}
