/**
 * What is in a key store, whatever its format.
 *
 * @module
 */

import type { KeyObject, X509Certificate } from 'node:crypto'

/** The content of a key store. */
export interface KeyStoreEntries {
  /** Private keys with their certificates. */
  readonly keys: readonly PrivateKeyEntry[]
  /** The other certificates: those that a trust store trusts. */
  readonly certificates: readonly X509Certificate[]
}

/** A private key, and the certificates that vouch for it. */
export interface PrivateKeyEntry {
  /** Java compares these without regard to case; `undefined` in a format without aliases. */
  readonly alias: string | undefined
  /** The key's own certificate first, then its issuers as far as the store has them. */
  readonly certificates: readonly X509Certificate[]
  /**
   * Decrypts the key.
   *
   * @throws {@link KeyStoreError} when the password is wrong.
   */
  open(keyPassword: string): Promise<KeyObject>
}

/** Which key of a key store's table a mistake is about. */
export type KeyStoreField = 'file' | 'keyFile' | 'password' | 'alias' | 'keyPassword'

/** Why a key store cannot be used. The message is the rule of a configuration problem, and shows no secret. */
export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError'
  /** What the mistake is about. */
  readonly field: KeyStoreField
  /** The alias that was meant, most likely. */
  readonly suggestion: string | undefined

  constructor(field: KeyStoreField, rule: string, options: ErrorOptions & { readonly suggestion?: string } = {}) {
    super(rule, options.cause === undefined ? undefined : { cause: options.cause })
    this.field = field
    this.suggestion = options.suggestion
  }
}
