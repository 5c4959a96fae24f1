/**
 * What is in a key store, whatever its format.
 *
 * @module
 */

import type { KeyObject, X509Certificate } from 'node:crypto'

export interface KeyStoreEntries {
  readonly keys: readonly PrivateKeyEntry[]
  /** The other certificates: those that a trust store trusts. */
  readonly certificates: readonly X509Certificate[]
}

export interface PrivateKeyEntry {
  /** Java compares these without regard to case; `undefined` in a format without aliases. */
  readonly alias: string | undefined
  /** The key's own first, then its issuers as far as the store has them. */
  readonly certificates: readonly X509Certificate[]
  /** Decrypts the key. @throws {@link KeyStoreError} when the password is wrong. */
  open(keyPassword: string): Promise<KeyObject>
}

export type KeyStoreField = 'file' | 'keyFile' | 'password' | 'alias' | 'keyPassword'

/** Why a key store cannot be used. The message is the rule of a configuration problem, and shows no secret. */
export class KeyStoreError extends Error {
  override readonly name = 'KeyStoreError'
  readonly field: KeyStoreField
  readonly suggestion: string | undefined

  constructor(field: KeyStoreField, rule: string, options: ErrorOptions & { readonly suggestion?: string } = {}) {
    super(rule, options.cause === undefined ? undefined : { cause: options.cause })
    this.field = field
    this.suggestion = options.suggestion
  }
}
