/**
 * Decrypts the secrets that a configuration uses, with the key of its internal key store.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import { isPublishedKey } from '../../internal/published-key.js'
import type { KeyStoreConfig } from '../config.js'
import type { Finding } from '../findings.js'
import { parsePrintedKey } from '../key-path.js'
import { type Ciphertext, decryptWithKey, decryptWithSymmetricKey, type SecretsKey } from './ciphertext.js'
import type { SecretOutcome } from './secret-table.js'
import { parseSymmetricKey } from './symmetric-key.js'

/** What secrets are decrypted with. */
export interface DecryptionOptions {
  /** `[keystore.internal]`, or what takes its place. */
  readonly keyStore: KeyStoreConfig
  /** `[encryption] key`, with the values of its placeholders; `undefined` when it is not there. */
  readonly symmetricKey: SecretOutcome | undefined
  /** Whether the key that WSO2 publishes is refused. */
  readonly isProduction: boolean
}

/** Decrypts secrets, and knows what is risky about the key. */
export interface SecretDecrypter {
  /** A text that cannot be decrypted is never taken for the secret itself. */
  outcomeOf(ciphertext: Ciphertext): Promise<SecretOutcome>
  readonly warnings: readonly Finding[]
}

/** Makes a decrypter. The key store is opened when something needs its key, and once. */
export function secretDecrypter({ keyStore, symmetricKey, isProduction }: DecryptionOptions): SecretDecrypter {
  const warnings: Finding[] = []
  let opening: Promise<SecretsKey | string> | undefined

  async function openOnce(): Promise<SecretsKey | string> {
    const key = await openKey(keyStore)
    if (typeof key === 'string' || !isPublishedKey(createPublicKey(key.key))) return key
    if (isProduction)
      return `is encrypted with a key that WSO2 publishes: make ${keyStore.key} anew, and encrypt it again`
    warnings.push(publishedKeyWarning(keyStore))
    return key
  }

  return {
    warnings,

    async outcomeOf(ciphertext) {
      if (ciphertext.kind === 'aes') {
        const key = symmetricKeyOf(symmetricKey)
        if (typeof key === 'string') return { reason: key }
        return decrypted(decryptWithSymmetricKey(ciphertext, key), 'encryption.key', 'AES-256-GCM')
      }
      opening ??= openOnce()
      const key = await opening
      if (typeof key === 'string') return { reason: key }
      return decrypted(decryptWithKey(ciphertext, key), keyStore.key, 'RSA-OAEP and SHA-1')
    },
  }
}

/** Opens the key store; else says why that cannot be. */
async function openKey(keyStore: KeyStoreConfig): Promise<SecretsKey | string> {
  const { loadKeyStore } = await import('../../tls/key-store.js')
  try {
    const material = await loadKeyStore(keyStore)
    const { asymmetricKeyType: type } = material.key
    return type === 'rsa'
      ? material
      : `is encrypted, and ${keyStore.key} has no RSA key to decrypt it with, but ${type}`
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const rules = error.problems.map(({ key, rule }) => `${key} ${rule}`).join('; ')
    return `is encrypted with a key that cannot be read: ${rules}`
  }
}

function symmetricKeyOf(outcome: SecretOutcome | undefined): Buffer | string {
  if (outcome === undefined) return 'is encrypted with a symmetric key, and [encryption] key is not there'
  if ('reason' in outcome) return `is encrypted with a symmetric key, and encryption.key ${outcome.reason}`
  const key = parseSymmetricKey(outcome.text)
  return key ?? 'is encrypted with a symmetric key, and encryption.key is not 32 bytes: 64 hexadecimal digits'
}

function decrypted(text: string | undefined, key: string, way: string): SecretOutcome {
  if (text === undefined)
    return { reason: `cannot be decrypted with ${key}: it was encrypted with another key, or not with ${way}` }
  return text === '' ? { reason: 'is encrypted, and empty' } : { text }
}

function publishedKeyWarning({ key }: KeyStoreConfig): Finding {
  const rule =
    'has the key that WSO2 publishes: ANYBODY CAN READ THE SECRETS OF THIS FILE. In production they are refused; make a ' +
    'key store of your own, and encrypt them again with "sallyport secrets encrypt"'
  return { path: parsePrintedKey(key) ?? [key], rule }
}
