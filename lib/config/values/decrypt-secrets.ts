/**
 * Decrypts the secrets that a configuration uses, with the key of its internal key store.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import { isPublishedKey } from '../../core/key-stores.js'
import type { Finding } from '../checks/findings.js'
import type { KeyStoreConfig } from '../config.js'
import {
  type Ciphertext,
  decryptWithKey,
  decryptWithSymmetricKey,
  parseSymmetricKey,
  type SecretsKey,
} from './ciphertext.js'
import { parsePrintedKey } from './key-path.js'
import type { SecretOutcome } from './secrets.js'

/**
 * Returns the function that decrypts a secret. The key store is opened when something needs its key, and once. A text that cannot
 * be decrypted is never taken for the secret itself.
 *
 * @param keyStore - `[keystore.internal]`, or what takes its place.
 * @param symmetricKey - `[encryption] key`; `undefined` when it is not there.
 * @param isProduction - Whether the key that WSO2 publishes is refused.
 */
export function createDecrypt(
  keyStore: KeyStoreConfig,
  symmetricKey: SecretOutcome | undefined,
  isProduction: boolean,
  warning: (finding: Finding) => void,
): (ciphertext: Ciphertext) => Promise<SecretOutcome> {
  let opening: Promise<SecretsKey | string> | undefined

  return async (ciphertext) => {
    if (ciphertext.kind === 'aes') {
      const key = readSymmetricKey(symmetricKey)
      if (typeof key === 'string') return { reason: key }
      return outcomeFrom(decryptWithSymmetricKey(ciphertext, key), 'encryption.key', 'AES-256-GCM')
    }
    opening ??= openKey(keyStore, isProduction, warning)
    const key = await opening
    if (typeof key === 'string') return { reason: key }
    return outcomeFrom(decryptWithKey(ciphertext, key), keyStore.key, 'RSA-OAEP and SHA-1')
  }
}

/** Opens the key store; else says why that cannot be. */
async function openKey(
  keyStore: KeyStoreConfig,
  isProduction: boolean,
  warning: (finding: Finding) => void,
): Promise<SecretsKey | string> {
  const { loadKeyStore } = await import('../../tls/key-stores/key-store.js')
  const { key: table } = keyStore
  try {
    const material = await loadKeyStore(keyStore)
    const { asymmetricKeyType: type } = material.key
    if (type !== 'rsa') return `is encrypted, and ${table} has no RSA key to decrypt it with, but ${type}`
    if (!isPublishedKey(createPublicKey(material.key))) return material
    if (isProduction) return `is encrypted with a key that WSO2 publishes: make ${table} anew, and encrypt it again`
    const rule =
      'has the key that WSO2 publishes: ANYBODY CAN READ THE SECRETS OF THIS FILE. In production they are refused; make a ' +
      'key store of your own, and encrypt them again with "npx sallyport secrets encrypt"'
    warning({ path: parsePrintedKey(table) ?? [table], rule })
    return material
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const rules = error.problems.map(({ key, rule }) => `${key} ${rule}`).join('; ')
    return `is encrypted with a key that cannot be read: ${rules}`
  }
}

function readSymmetricKey(outcome: SecretOutcome | undefined): Buffer | string {
  if (outcome === undefined) return 'is encrypted with a symmetric key, and [encryption] key is not there'
  if ('reason' in outcome) return `is encrypted with a symmetric key, and encryption.key ${outcome.reason}`
  const key = parseSymmetricKey(outcome.text)
  return key ?? 'is encrypted with a symmetric key, and encryption.key is not 32 bytes: 64 hexadecimal digits'
}

function outcomeFrom(text: string | undefined, key: string, way: string): SecretOutcome {
  if (text === undefined)
    return { reason: `cannot be decrypted with ${key}: it was encrypted with another key, or not with ${way}` }
  return text === '' ? { reason: 'is encrypted, and empty' } : { text }
}
