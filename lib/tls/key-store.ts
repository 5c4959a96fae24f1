/**
 * Key material from the key store that a table of the configuration describes.
 *
 * @module
 */

import type { KeyObject, X509Certificate } from 'node:crypto'
import type { KeyStoreConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import { nearest } from '../internal/near-miss.js'
import { type KeyStoreEntries, KeyStoreError, type PrivateKeyEntry } from './key-store-entries.js'
import { readKeyStore } from './key-store-file.js'

/** A private key and the certificates that vouch for it. */
export interface KeyMaterial {
  /** The private key. */
  readonly key: KeyObject
  /** The key's own certificate first, then the chain of its issuers as far as the store has it. */
  readonly certificates: readonly X509Certificate[]
}

/** Alias of WSO2's own key, where the file names none. */
const defaultAlias = 'wso2carbon'

/**
 * Opens a key store: JKS (with the package `jks-js`), PKCS #12 or PEM, whatever its name and declared type. Whether the
 * certificate is valid today is not looked at; a use of the key that depends on it does.
 *
 * @throws `ConfigError` when the file is missing or damaged, a password wrong, the alias not there, or the key does
 * not fit the certificate; (`ERR_CONFIG_MISSING_PACKAGE`) for JKS without `jks-js`. Its problems have no position.
 */
export async function loadKeyStore(store: KeyStoreConfig): Promise<KeyMaterial> {
  return inTable(store, async () => {
    const entry = chooseKey(await readKeyStore(store), store)
    const [own] = entry.certificates
    if (own === undefined)
      throw new KeyStoreError('file', 'names a key store without a certificate for the private key')
    const key = await entry.open(store.keyPassword ?? store.password)
    if (!own.checkPrivateKey(key)) {
      throw new KeyStoreError('file', 'names a key store whose certificate does not belong to the private key')
    }
    return { key, certificates: entry.certificates }
  })
}

/**
 * Opens a key store for the certificates that it trusts. One without any is a mistake: it would refuse everybody.
 *
 * @throws `ConfigError` as {@link loadKeyStore} does.
 */
export async function loadTrustStore(store: KeyStoreConfig): Promise<readonly X509Certificate[]> {
  return inTable(store, async () => {
    const { certificates } = await readKeyStore(store)
    if (certificates.length === 0) throw new KeyStoreError('file', 'names a trust store without a certificate')
    return certificates
  })
}

/** Puts what goes wrong into the words of a configuration problem. */
async function inTable<Result>(store: KeyStoreConfig, open: () => Promise<Result>): Promise<Result> {
  if (store.problems.length > 0) throw new ConfigError(store.problems)
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error
    const { field, suggestion, cause } = error
    const key = `${store.key}.${store.keyNames[field]}`
    throw new ConfigError([{ key, rule: ruleOf(error, store), suggestion }], { cause })
  }
}

/** A password that nobody has given is missing, not wrong. */
function ruleOf({ field, message }: KeyStoreError, store: KeyStoreConfig): string {
  const { isPasswordGiven, keyPassword } = store
  const isGiven = field === 'keyPassword' ? keyPassword !== undefined : field !== 'password' || isPasswordGiven
  if (isGiven) return message
  const tried = isPasswordGiven ? 'the password of the key store' : 'the one that products of WSO2 come with'
  return `is not given, and ${tried} ${message}; write it here, or $env{NAME} to take it from the environment`
}

function chooseKey({ keys }: KeyStoreEntries, { alias }: KeyStoreConfig): PrivateKeyEntry {
  const named = findAlias(keys, alias ?? defaultAlias)
  const entry =
    named ?? (keys.length === 1 && (alias === undefined || keys[0]?.alias === undefined) ? keys[0] : undefined)
  if (entry !== undefined) return entry
  if (keys.length === 0) throw new KeyStoreError('file', 'names a key store without a private key')
  const aliases = keys.flatMap(({ alias: name }) => name ?? [])
  const rule = `must be the alias of a private key in the key store, which has ${aliases.join(', ')}`
  const suggestion = alias === undefined ? undefined : nearest(alias, aliases)
  throw new KeyStoreError('alias', rule, suggestion === undefined ? {} : { suggestion })
}

/** Java compares aliases without regard to case. */
function findAlias(keys: readonly PrivateKeyEntry[], alias: string): PrivateKeyEntry | undefined {
  const folded = alias.toLowerCase()
  return keys.find((entry) => entry.alias?.toLowerCase() === folded)
}
