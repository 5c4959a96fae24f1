/**
 * Key stores by the names that other tables call them by.
 *
 * @module
 */

import { hash, type KeyObject } from 'node:crypto'
import type { KeyStoreConfig, KeyStoresConfig } from '../config/config.js'

/**
 * The key store of this name: `primary`, `internal`, `tls`, or what stands after `custom_keystore.` in the name of its table.
 *
 * @returns `undefined` when the configuration has none.
 */
export function keyStoreNamed(keyStores: KeyStoresConfig, name: string): KeyStoreConfig | undefined {
  const { primary, internal, tls, custom } = keyStores
  const byName: Readonly<Record<string, KeyStoreConfig | undefined>> = { ...custom, primary, internal, tls }
  return Object.hasOwn(byName, name) ? byName[name] : undefined
}

/** The names that {@link keyStoreNamed} knows. */
export function keyStoreNames({ tls, custom }: KeyStoresConfig): readonly string[] {
  return ['primary', 'internal', ...(tls === undefined ? [] : ['tls']), ...Object.keys(custom)]
}

/** SHA-256 of the public key (SPKI, DER) of `wso2carbon.jks`, whose private key everybody can download. */
const publishedKeyDigest = 'ad874c42382e2a464a3dba787fb3a0b5e2de30100545742758a6fbf0cb6aca5e'

/** Whether this is the public half of a key pair that everybody can download. */
export function isPublishedKey(publicKey: KeyObject): boolean {
  const bytes = publicKey.export({ type: 'spki', format: 'der' })
  return hash('sha256', bytes) === publishedKeyDigest
}
