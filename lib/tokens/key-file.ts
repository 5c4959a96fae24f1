/**
 * The keys of a key file: the one in it, and those before it.
 *
 * @module
 */

import { type KeyObject, sign, verify } from 'node:crypto'
import type { SigningAlgorithm } from '../config/config.js'
import { canonicalPath } from '../internal/canonical-path.js'
import { digests, type KeySet, keySetOf } from './key-set.js'
import { readRetiredKeys, retiredKeysFile } from './retired-keys.js'
import { keyFileError, keyFileWarnings, readSigningKey } from './signing-key.js'

/**
 * The retired keys are beside the file itself, and not beside a link to it: where `sallyport keys rotate` writes them.
 *
 * @throws {@link ConfigError} for `key_file` when the file cannot be read or its key must not be used.
 */
export async function keysFromFile(file: string, algorithm: SigningAlgorithm): Promise<KeySet> {
  const keyFile = canonicalKeyFile(file)
  const privateKey = await readSigningKey(keyFile, algorithm)
  const [warnings, retired] = await Promise.all([
    keyFileWarnings(keyFile, retiredKeysFile(keyFile)),
    readRetiredKeys(keyFile),
  ])
  const keys = await keySetOf(privateKey, algorithm, { warnings, retired })
  if (!areMatching(privateKey, keys.signing.publicKey, algorithm)) {
    throw keyFileError(keyFile, 'must hold a private key that belongs to its public key')
  }
  return keys
}

/** A JWK carries both halves of its key, and nothing but a signature tells whether they belong together. */
function areMatching(privateKey: KeyObject, publicKey: KeyObject, algorithm: SigningAlgorithm): boolean {
  const text = Buffer.from('self test')
  try {
    return verify(digests[algorithm], text, publicKey, sign(digests[algorithm], text, privateKey))
  } catch {
    return false
  }
}

function canonicalKeyFile(file: string): string {
  try {
    return canonicalPath(file)
  } catch {
    // Reading says why.
    return file
  }
}
