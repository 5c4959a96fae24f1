/**
 * Key stores in Java's own format.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyEntry, TrustedKeyEntry } from 'jks-js'
import { ConfigError } from '../../core/errors.js'
import { type KeyStoreEntries, KeyStoreError, type PrivateKeyEntry } from './key-store-entries.js'

const readableTypes: readonly string[] = ['rsa', 'ec', 'dsa']

type Jks = typeof import('jks-js')

export const jksMagic = 0xfeedfeed

/** @throws {@link KeyStoreError}; `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package `jks-js`. */
export async function readJks(bytes: Buffer, password: string, key: string): Promise<KeyStoreEntries> {
  // Without a password the package would skip the check of the file.
  if (password === '') throw new KeyStoreError('password', 'must not be empty')
  const jks = await loadJks(key)
  const entries = parse(jks, bytes, password)
  return {
    keys: entries.filter((entry) => 'protectedPrivateKey' in entry).map((entry) => privateKeyEntry(jks, entry)),
    certificates: entries.filter((entry) => 'cert' in entry).map(({ cert }) => new X509Certificate(cert.value)),
  }
}

async function loadJks(key: string): Promise<Jks> {
  try {
    const { default: jks } = (await import('jks-js')) as unknown as { default: Jks }
    return jks
  } catch (cause) {
    const rule = 'is a key store in the JKS format, which needs an optional package; run: npm install jks-js'
    throw new ConfigError([{ key, rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}

function parse(jks: Jks, bytes: Buffer, password: string): (KeyEntry | TrustedKeyEntry)[] {
  try {
    return jks.parseJks(bytes, password)
  } catch (cause) {
    const isPassword = cause instanceof Error && cause.message.startsWith('Password verification failed')
    // The format cannot tell these two apart: the checksum at its end is made with the password.
    if (isPassword) throw new KeyStoreError('password', 'is not the password of the key store, or the file is damaged')
    throw new KeyStoreError('file', 'names a JKS file that is damaged', { cause })
  }
}

function privateKeyEntry(jks: Jks, { alias, chain, protectedPrivateKey }: KeyEntry): PrivateKeyEntry {
  const certificates = chain.map(({ value }) => new X509Certificate(value))
  const type = certificates[0]?.publicKey.asymmetricKeyType ?? 'unknown'

  /** The package reads other keys not at all, or as RSA. */
  function checkType(cause?: unknown): void {
    if (readableTypes.includes(type)) return
    const remedy = 'keytool -importkeystore -srcstoretype JKS -deststoretype PKCS12'
    const rule = `holds a key "${alias}" of the type ${type}, which can be read from PKCS #12 only; convert it: ${remedy}`
    throw new KeyStoreError('file', rule, { cause })
  }

  return {
    alias,
    certificates,
    async open(keyPassword) {
      try {
        const key = createPrivateKey(jks.decrypt(protectedPrivateKey, keyPassword))
        checkType()
        return key
      } catch (cause) {
        if (cause instanceof KeyStoreError) throw cause
        const isPassword = cause instanceof Error && cause.message === 'Cannot recover key'
        if (isPassword) throw new KeyStoreError('keyPassword', `is not the password of the key "${alias}"`)
        checkType(cause)
        throw new KeyStoreError('file', `holds a key ${alias} of a kind that cannot be used`, { cause })
      }
    },
  }
}
