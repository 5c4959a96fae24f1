/**
 * Key stores in PKCS #12 (RFC 7292), of openssl, keytool and old tools. They are read here because no library reads them all:
 * pkijs knows neither 3DES nor RC2; node-forge fails at a symmetric key beside, and at a password beyond ASCII with PBES2;
 * Node's own `pfx` knows neither RC2 nor trust stores nor aliases.
 *
 * @module
 */

import { createHmac, createPrivateKey, type KeyObject, timingSafeEqual, X509Certificate } from 'node:crypto'
import { Asn1Value } from '../der.js'
import { type KeyStoreEntries, KeyStoreError, type PrivateKeyEntry } from './key-store-entries.js'
import { decryptWithPassword, derivePkcs12Key, passwordReadings, readIterations } from './password-cipher.js'

const dataContent = '1.2.840.113549.1.7.1'
const encryptedContent = '1.2.840.113549.1.7.6'
const keyBag = '1.2.840.113549.1.12.10.1.1'
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2'
const certificateBag = '1.2.840.113549.1.12.10.1.3'
const friendlyName = '1.2.840.113549.1.9.20'
const localKeyId = '1.2.840.113549.1.9.21'

const macDigests: Readonly<Record<string, readonly [digest: string, bytes: number]>> = {
  '1.3.14.3.2.26': ['sha1', 20],
  '2.16.840.1.101.3.4.2.4': ['sha224', 28],
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
}

/** Private keys are still encrypted. */
interface Bag {
  readonly type: string
  readonly value: Asn1Value
  readonly alias: string | undefined
  /** Ties a certificate to its key; hexadecimal. */
  readonly keyId: string | undefined
}

export async function readPkcs12(bytes: Buffer, password: string): Promise<KeyStoreEntries> {
  return asFileError(async () => {
    const store = Asn1Value.parse(bytes)
    const contents = store.at(1).at(1).at(0)
    await checkMac(store.children[2], contents.bytes, password)
    const bags = await Promise.all(contents.inner.children.map((content) => readBags(content, password)))
    return entriesFrom(bags.flat(), password)
  })
}

/** Any other error is about the file: the MAC has shown that the password is right. */
async function asFileError<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof KeyStoreError) throw cause
    const rule = 'names a PKCS #12 file that is damaged or uses an encryption that is not supported'
    throw new KeyStoreError('file', rule, { cause })
  }
}

/** The MAC tells whether the password is right (RFC 7292 section 4). */
async function checkMac(mac: Asn1Value | undefined, content: Buffer, password: string): Promise<void> {
  if (mac === undefined) {
    const rule = 'names a PKCS #12 file without a MAC, so that a change of it would not be noticed'
    throw new KeyStoreError('file', `${rule}; create it again: openssl pkcs12 -export -macalg sha256`)
  }
  const { oid } = mac.at(0).at(0).at(0)
  const known = macDigests[oid]
  if (known === undefined) {
    const rule = `names a PKCS #12 file with a MAC of a kind that is not supported (${oid})`
    throw new KeyStoreError('file', `${rule}; create it again: openssl pkcs12 -export -macalg sha256`)
  }
  const [digest, length] = known
  const written = mac.children[2]
  const iterations = written === undefined ? 1 : readIterations(written)
  const expected = mac.at(0).at(1).bytes
  for (const reading of passwordReadings(password)) {
    const key = await derivePkcs12Key({ password: reading, salt: mac.at(1).bytes, id: 3, iterations, length, digest })
    const actual = createHmac(digest, key).update(content).digest()
    if (expected.length === actual.length && timingSafeEqual(expected, actual)) return
  }
  throw new KeyStoreError('password', 'is not the password of the key store')
}

async function readBags(content: Asn1Value, password: string): Promise<Bag[]> {
  const { oid } = content.at(0)
  const value = content.at(1).at(0)
  if (oid === dataContent) return value.inner.children.map(bagFrom)
  if (oid !== encryptedContent) throw new Error('the protection is not supported')
  const encrypted = value.at(1)
  const read = (bytes: Buffer): Bag[] => Asn1Value.parse(bytes).children.map(bagFrom)
  const bags = await decryptWithPassword(encrypted.at(1), encrypted.at(2).bytes, password, read)
  if (bags === undefined) throw new Error('the content cannot be decrypted')
  return bags
}

function bagFrom(bag: Asn1Value): Bag {
  const attributes = new Map((bag.children[2]?.children ?? []).map((entry) => [entry.at(0).oid, entry.at(1)]))
  return {
    type: bag.at(0).oid,
    value: bag.at(1).at(0),
    alias: attributes.get(friendlyName)?.children[0]?.text,
    keyId: attributes.get(localKeyId)?.children[0]?.bytes.toString('hex'),
  }
}

function entriesFrom(bags: readonly Bag[], password: string): KeyStoreEntries {
  const certificates = bags
    .filter(({ type }) => type === certificateBag)
    .map(({ value, keyId }) => ({ keyId, certificate: new X509Certificate(value.at(1).at(0).bytes) }))
  const all = certificates.map(({ certificate }) => certificate)
  const keys = bags.filter(({ type }) => type === keyBag || type === shroudedKeyBag)
  return {
    keys: keys.map((bag): PrivateKeyEntry => {
      const own = certificates.find(({ keyId }) => keyId !== undefined && keyId === bag.keyId)?.certificate
      // A file with one key may leave out which certificate is its own.
      const first = own ?? (keys.length === 1 ? all[0] : undefined)
      return {
        alias: bag.alias,
        certificates: first === undefined ? [] : chainFrom(first, all),
        open: (keyPassword) => asFileError(() => openKey(bag, keyPassword, password)),
      }
    }),
    certificates: certificates.filter(({ keyId }) => keyId === undefined).map(({ certificate }) => certificate),
  }
}

function chainFrom(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = new Map([[own.fingerprint256, own]])
  for (let last: X509Certificate | undefined = own; last !== undefined; ) {
    const issued: X509Certificate = last
    // Stores may have a certificate twice: in a chain, and as one that is trusted.
    last = all.find((candidate) => !chain.has(candidate.fingerprint256) && issued.checkIssued(candidate))
    if (last !== undefined) chain.set(last.fingerprint256, last)
  }
  return [...chain.values()]
}

async function openKey({ type, value, alias }: Bag, keyPassword: string, storePassword: string): Promise<KeyObject> {
  if (type === keyBag) return readKey(value.encoded)
  const encrypted = value.at(1).bytes
  // keytool gives every key the password of the store, whatever it is asked for.
  for (const password of new Set([keyPassword, storePassword])) {
    const key = await decryptWithPassword(value.at(0), encrypted, password, readKey)
    if (key !== undefined) return key
  }
  const name = alias === undefined ? '' : ` "${alias}"`
  throw new KeyStoreError('keyPassword', `is not the password of the key${name}`)
}

function readKey(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
