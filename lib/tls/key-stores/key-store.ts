/**
 * Key material from the key store that a table of the configuration describes.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { KeyStoreConfig } from '../../config/config.js'
import { ConfigError } from '../../core/errors.js'
import { nearest } from '../../core/names.js'
import { readRegularFile } from '../../files/read-file.js'
import { jksMagic, readJks } from './jks.js'
import { type KeyStoreEntries, KeyStoreError, type PrivateKeyEntry } from './key-store-entries.js'
import { isPem, readPem } from './pem.js'
import { readPkcs12 } from './pkcs12.js'

/** A private key and the certificates that vouch for it. */
export interface KeyMaterial {
  /** The private key. */
  readonly key: KeyObject
  /** The key's own certificate first, then the chain of its issuers as far as the store has it. */
  readonly certificates: readonly X509Certificate[]
}

const defaultAlias = 'wso2carbon'

/**
 * Opens a key store: JKS (with the package `jks-js`), PKCS #12 or PEM, whatever its name and declared type. Whether the
 * certificate is valid today is not looked at; a use of the key that depends on it does.
 *
 * @throws `ConfigError` when the file is missing or damaged, a password wrong, the alias not there, or the key does
 * not fit the certificate; (`ERR_CONFIG_MISSING_PACKAGE`) for JKS without `jks-js`. Its problems have no position.
 */
export async function loadKeyStore(store: KeyStoreConfig): Promise<KeyMaterial> {
  return asConfigError(store, async () => {
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
  return asConfigError(store, async () => {
    const { certificates } = await readKeyStore(store)
    if (certificates.length === 0) throw new KeyStoreError('file', 'names a trust store without a certificate')
    return certificates
  })
}

async function asConfigError<Result>(store: KeyStoreConfig, open: () => Promise<Result>): Promise<Result> {
  if (store.problems.length > 0) throw new ConfigError(store.problems)
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error
    const { field, suggestion, cause } = error
    const key = `${store.key}.${store.keyNames[field]}`
    throw new ConfigError([{ key, rule: describeError(error, store), suggestion }], { cause })
  }
}

/** A password that is not in the file is missing, not wrong. */
function describeError({ field, message }: KeyStoreError, store: KeyStoreConfig): string {
  const { isPasswordGiven, keyPassword } = store
  const isGiven = field === 'keyPassword' ? keyPassword !== undefined : field !== 'password' || isPasswordGiven
  if (isGiven) return message
  const tried = isPasswordGiven ? 'the password of the key store' : 'the one that products of WSO2 come with'
  return `is not given, and ${tried} ${message}; write it here, or $env{NAME} to take it from the environment`
}

function chooseKey({ keys }: KeyStoreEntries, { alias }: KeyStoreConfig): PrivateKeyEntry {
  // Aliases are case-insensitive in Java.
  const lowerCase = (alias ?? defaultAlias).toLowerCase()
  const named = keys.find((entry) => entry.alias?.toLowerCase() === lowerCase)
  if (named !== undefined) return named
  const [only] = keys
  if (only === undefined) throw new KeyStoreError('file', 'names a key store without a private key')
  if (keys.length === 1 && (alias === undefined || only.alias === undefined)) return only
  const aliases = keys.flatMap(({ alias: name }) => name ?? [])
  const rule = `must be the alias of a private key in the key store, which has ${aliases.join(', ')}`
  const suggestion = alias === undefined ? undefined : nearest(alias, aliases)
  throw new KeyStoreError('alias', rule, suggestion === undefined ? {} : { suggestion })
}

const securityFolder = join('repository', 'resources', 'security')

const maxBytes = 16 * 1024 * 1024

/** In the folders themselves, then in `repository/resources/security` below each. */
async function readFirst(
  field: 'file' | 'keyFile',
  name: string,
  { folders, isFileGiven }: KeyStoreConfig,
): Promise<Buffer> {
  for (const path of pathsFrom(name, folders)) {
    try {
      const bytes = await readRegularFile(path, maxBytes)
      if (bytes !== undefined) return bytes
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') continue
      throw new KeyStoreError(field, `names a file that cannot be read: ${path} (${code})`, { cause })
    }
    throw new KeyStoreError(field, `names a file that is too large for a key store: ${path}`)
  }
  const rule =
    field === 'keyFile' || isFileGiven
      ? 'names a file that is not there'
      : 'is not given: name a file of your own here, and give its password; the one that products of WSO2 come with is not there'
  throw new KeyStoreError(field, `${rule}: ${name}${describePlaces(name, folders)}`)
}

/** Path, size and times of the file, which differ after a change; the empty text when there is none. */
export async function fileState(name: string, folders: readonly string[]): Promise<string> {
  for (const path of pathsFrom(name, folders)) {
    const found = await stat(path, { bigint: true }).catch(() => undefined)
    if (found !== undefined) return [path, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ')
  }
  return ''
}

function pathsFrom(name: string, folders: readonly string[]): string[] {
  // Carbon products write their own folder in this way.
  const relative = name.replace(/^\$\{carbon\.home\}[/\\]+/, '')
  if (isAbsolute(relative)) return [relative]
  return [...folders, ...folders.map((folder) => join(folder, securityFolder))].map((folder) => join(folder, relative))
}

/** The first bytes tell the format: names and declared types are often wrong. */
async function readKeyStore(store: KeyStoreConfig): Promise<KeyStoreEntries> {
  const { fileName, keyFileName, password } = store
  const bytes = await readFirst('file', fileName, store)
  const magic = bytes.length > 4 ? bytes.readUInt32BE(0) : 0
  if (magic === jksMagic) return readJks(bytes, password, store.key)
  if (magic === jceksMagic) {
    const rule = 'names a key store in the JCEKS format, which only Java reads; convert it: keytool -importkeystore'
    throw new KeyStoreError('file', `${rule} -srcstoretype JCEKS -deststoretype PKCS12`)
  }
  if (bytes[0] === 0x30) {
    refuseBareDer(bytes)
    return readPkcs12(bytes, password)
  }
  if (!isPem(bytes)) throw new KeyStoreError('file', 'names a file that is neither JKS nor PKCS #12 nor PEM')
  return keyFileName === undefined ? readPem(bytes) : readPem(bytes, await readFirst('keyFile', keyFileName, store))
}

const jceksMagic = 0xcececece

const bareDer: readonly (readonly [what: string, remedy: string, read: (bytes: Buffer) => unknown])[] = [
  ['a certificate', 'openssl x509 -inform DER -in FILE -out FILE.pem', (bytes) => new X509Certificate(bytes)],
  [
    'a private key',
    'openssl pkey -inform DER -in FILE -out FILE.pem',
    (key) => createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
  ],
]

function refuseBareDer(bytes: Buffer): void {
  for (const [what, remedy, read] of bareDer) {
    try {
      read(bytes)
    } catch {
      continue
    }
    throw new KeyStoreError('file', `names ${what} in DER; write it as PEM: ${remedy}`)
  }
}

export function describePlaces(name: string, folders: readonly string[]): string {
  return isAbsolute(name) ? '' : `; looked in ${folders.join(', ')} and in ${securityFolder} below each`
}
