/**
 * Key stores in PKCS #12 (RFC 7292): what openssl and, since Java 9, keytool make; old files with RC2 and 3DES too.
 *
 * @module
 */

import { createHmac, createPrivateKey, type KeyObject, timingSafeEqual, X509Certificate } from 'node:crypto'
import { type KeyStoreEntries, KeyStoreError, type PrivateKeyEntry } from '../key-store-entries.js'
import { Der, loadForge } from './der.js'
import { decryptWithPassword, maxIterations } from './password-cipher.js'
import { pkcs12Key, readingsOf } from './pkcs12-key.js'

const dataContent = '1.2.840.113549.1.7.1'
const encryptedContent = '1.2.840.113549.1.7.6'
const keyBag = '1.2.840.113549.1.12.10.1.1'
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2'
const certificateBag = '1.2.840.113549.1.12.10.1.3'
const friendlyName = '1.2.840.113549.1.9.20'
const localKeyId = '1.2.840.113549.1.9.21'

/** Hash functions of the MAC, and the bytes of their values. */
const macDigests: Readonly<Record<string, readonly [digest: string, bytes: number]>> = {
  '1.3.14.3.2.26': ['sha1', 20],
  '2.16.840.1.101.3.4.2.4': ['sha224', 28],
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
}

/** Something in the store, decrypted but for private keys. */
interface Bag {
  readonly type: string
  readonly value: Der
  readonly alias: string | undefined
  /** Ties a certificate to its key; hexadecimal. */
  readonly keyId: string | undefined
}

/**
 * Reads a PKCS #12 file.
 *
 * @throws {@link KeyStoreError} when the password is wrong, or the file damaged or of an unknown kind.
 */
export async function readPkcs12(bytes: Buffer, password: string): Promise<KeyStoreEntries> {
  const bags = await damaged(async () => {
    const store = Der.parse(await loadForge(), bytes)
    const contents = store.at(1).at(1).at(0)
    await checkMac(store.children[2], contents.bytes, password)
    return (await Promise.all(contents.inner.children.map((content) => bagsIn(content, password)))).flat()
  })
  return damaged(async () => entriesOf(bags, password))
}

/** Whatever else goes wrong is the file's fault: the MAC has shown that the password is right. */
async function damaged<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof KeyStoreError) throw cause
    throw new KeyStoreError('file', 'names a PKCS #12 file that is damaged, or made in a way that is not known', {
      cause,
    })
  }
}

/** The MAC tells whether the password is right (RFC 7292 section 4). */
async function checkMac(mac: Der | undefined, content: Buffer, password: string): Promise<void> {
  if (mac === undefined)
    throw new KeyStoreError('file', 'names a PKCS #12 file without a MAC, which anybody may have changed')
  const { oid } = mac.at(0).at(0).at(0)
  const known = macDigests[oid]
  if (known === undefined) {
    const rule = `names a PKCS #12 file with a MAC of a kind that is not known (${oid}); make it again: openssl pkcs12 -export`
    throw new KeyStoreError('file', `${rule} -macalg sha256`)
  }
  const [digest, length] = known
  const iterations = mac.children[2]?.integer ?? 1
  if (iterations < 1 || iterations > maxIterations) throw new Error('the number of iterations is out of bounds')
  const expected = mac.at(0).at(1).bytes
  for (const reading of readingsOf(password)) {
    const key = await pkcs12Key({ password: reading, salt: mac.at(1).bytes, id: 3, iterations, length, digest })
    const actual = createHmac(digest, key).update(content).digest()
    if (expected.length === actual.length && timingSafeEqual(expected, actual)) return
  }
  throw new KeyStoreError('password', 'is not the password of the key store')
}

async function bagsIn(content: Der, password: string): Promise<Bag[]> {
  const { oid } = content.at(0)
  const value = content.at(1).at(0)
  if (oid === dataContent) return value.inner.children.map(bagOf)
  if (oid !== encryptedContent) throw new Error('the protection is not known')
  const encrypted = value.at(1)
  const forge = await loadForge()
  const readBags = (bytes: Buffer): Bag[] => Der.parse(forge, bytes).children.map(bagOf)
  const bags = await decryptWithPassword(encrypted.at(1), encrypted.at(2).bytes, password, readBags)
  if (bags === undefined) throw new Error('the content cannot be decrypted')
  return bags
}

function bagOf(bag: Der): Bag {
  const attributes = new Map((bag.children[2]?.children ?? []).map((entry) => [entry.at(0).oid, entry.at(1)]))
  return {
    type: bag.at(0).oid,
    value: bag.at(1).at(0),
    alias: attributes.get(friendlyName)?.children[0]?.text,
    keyId: attributes.get(localKeyId)?.children[0]?.bytes.toString('hex'),
  }
}

function entriesOf(bags: readonly Bag[], password: string): KeyStoreEntries {
  const certificates = bags
    .filter(({ type }) => type === certificateBag)
    .map(({ value, keyId }) => ({ keyId, certificate: new X509Certificate(value.at(1).at(0).bytes) }))
  const all = certificates.map(({ certificate }) => certificate)
  const keys = bags.filter(({ type }) => type === keyBag || type === shroudedKeyBag)
  return {
    keys: keys.map((bag): PrivateKeyEntry => {
      const own = certificates.find(({ keyId }) => keyId !== undefined && keyId === bag.keyId)?.certificate
      // A file with one key need not say which certificate is its own.
      const first = own ?? (keys.length === 1 ? all[0] : undefined)
      return {
        alias: bag.alias,
        certificates: first === undefined ? [] : chainOf(first, all),
        open: (keyPassword) => damaged(() => openKey(bag, keyPassword, password)),
      }
    }),
    certificates: certificates.filter(({ keyId }) => keyId === undefined).map(({ certificate }) => certificate),
  }
}

/** A certificate and its issuers, as far as the store has them. */
function chainOf(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
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
  if (type === keyBag) return createPrivateKey({ key: value.der, format: 'der', type: 'pkcs8' })
  const encrypted = value.at(1).bytes
  // keytool gives every key the password of the store, whatever it is asked for.
  for (const password of new Set([keyPassword, storePassword])) {
    const key = await decryptWithPassword(value.at(0), encrypted, password, readKey)
    if (key !== undefined) return key
  }
  throw new KeyStoreError(
    'keyPassword',
    alias === undefined ? 'is not the password of the key' : `is not the password of the key "${alias}"`,
  )
}

function readKey(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
