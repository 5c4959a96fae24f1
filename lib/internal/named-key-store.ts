/**
 * Key stores by the names that other tables call them by.
 *
 * @module
 */

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
