/**
 * The files of key stores: where they are looked for, and of what kind they are.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { KeyStoreConfig } from '../config/config.js'
import { readRegularFile } from '../internal/read-regular-file.js'
import { jksMagic, readJks } from './jks.js'
import { type KeyStoreEntries, KeyStoreError } from './key-store-entries.js'
import { isPem, readPem } from './pem.js'
import { readPkcs12 } from './pkcs12/read-pkcs12.js'

/** Where WSO2's products keep their key stores. */
const securityFolder = join('repository', 'resources', 'security')

/** A file that was found. */
export interface FoundFile {
  readonly path: string
  readonly bytes: Buffer
}

/** Files beyond this are no key stores. */
const maxBytes = 16 * 1024 * 1024

/**
 * Reads the first file of this name: in the folders themselves, then in `repository/resources/security` below each.
 *
 * @returns `undefined` when there is none.
 * @throws {@link KeyStoreError} when it is there and cannot be read.
 */
export async function findFile(
  name: string,
  folders: readonly string[],
  field: 'file' | 'keyFile' = 'file',
): Promise<FoundFile | undefined> {
  for (const path of pathsOf(name, folders)) {
    try {
      const bytes = await readRegularFile(path, maxBytes)
      if (bytes !== undefined) return { path, bytes }
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') continue
      throw new KeyStoreError(field, `names a file that cannot be read: ${path} (${code})`, { cause })
    }
    throw new KeyStoreError(field, `names a file that is too large for a key store: ${path}`)
  }
  return undefined
}

/**
 * What tells a changed file from the one that was read: which it is, its size and times.
 *
 * @returns The empty text when there is none.
 */
export async function fileState(name: string, folders: readonly string[]): Promise<string> {
  for (const path of pathsOf(name, folders)) {
    const found = await stat(path, { bigint: true }).catch(() => undefined)
    if (found !== undefined) return [path, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ')
  }
  return ''
}

function pathsOf(name: string, folders: readonly string[]): string[] {
  // Carbon products write their own folder in this way.
  const relative = name.replace(/^\$\{carbon\.home\}[/\\]+/, '')
  if (isAbsolute(relative)) return [relative]
  return [...folders, ...folders.map((folder) => join(folder, securityFolder))].map((folder) => join(folder, relative))
}

/**
 * Reads the key store that a table names. Its kind is found from its first bytes: names and declared types are often wrong.
 *
 * @throws {@link KeyStoreError}, and {@link ConfigError} without the package that JKS needs.
 */
export async function readKeyStore(store: KeyStoreConfig): Promise<KeyStoreEntries> {
  const { fileName, keyFileName, folders, password } = store
  const found = await findFile(fileName, folders)
  if (found === undefined) throw missingFile('file', fileName, folders, store.isFileGiven)
  const { bytes } = found
  const magic = bytes.length > 4 ? bytes.readUInt32BE(0) : 0
  if (magic === jksMagic) return readJks(bytes, password, store.key)
  if (magic === jceksMagic) {
    const rule = 'names a key store in the JCEKS format, which only Java reads; convert it: keytool -importkeystore'
    throw new KeyStoreError('file', `${rule} -srcstoretype JCEKS -deststoretype PKCS12`)
  }
  // The tag of an ASN.1 SEQUENCE.
  if (bytes[0] === 0x30) {
    refuseBareDer(bytes)
    return readPkcs12(bytes, password)
  }
  if (!isPem(bytes)) throw new KeyStoreError('file', 'names a file that is neither JKS nor PKCS #12 nor PEM')
  if (keyFileName === undefined) return readPem(bytes)
  const keyFile = await findFile(keyFileName, folders, 'keyFile')
  if (keyFile === undefined) throw missingFile('keyFile', keyFileName, folders)
  return readPem(bytes, keyFile.bytes)
}

const jceksMagic = 0xcececece

/** What begins like PKCS #12 and is a part of it alone. */
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

function missingFile(
  field: 'file' | 'keyFile',
  name: string,
  folders: readonly string[],
  isGiven: boolean = true,
): KeyStoreError {
  const rule = isGiven
    ? 'names a file that is not there'
    : 'is not given: name a file of your own here, and give its password; the one that products of WSO2 come with is not there'
  return new KeyStoreError(field, `${rule}: ${name}${placesOf(name, folders)}`)
}

/** Where a file that is not there was looked for, as the end of a sentence. */
export function placesOf(name: string, folders: readonly string[]): string {
  return isAbsolute(name) ? '' : `; looked in ${folders.join(', ')} and in ${securityFolder} below each`
}
