/**
 * Making X.509 certificates (RFC 5280): for trying out, and for an authority of one's own. node:crypto only reads them.
 *
 * @module
 */

import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { parseAddressAsSpelled } from '../../lib/addresses/ip-address.js'

/** Options of {@link makeCertificate}. */
export interface CertificateOptions {
  /** Common name of the subject. */
  readonly commonName: string
  /** Host names and addresses it is good for; none for an authority. */
  readonly hostNames: readonly string[]
  /** The subject's private key. */
  readonly key: KeyObject
  /** Who signs; the subject itself when absent. */
  readonly issuer?: { readonly certificate: X509Certificate; readonly key: KeyObject } | undefined
  /** Whether it may sign other certificates. @defaultValue `false` */
  readonly isAuthority?: boolean | undefined
  /** Which side of a connection it is for, unless it is an authority's. @defaultValue `'server'` */
  readonly side?: 'server' | 'client' | undefined
  readonly notBefore: Date
  readonly notAfter: Date
}

const keyUsage = '2.5.29.15'
const subjectAlternativeNames = '2.5.29.17'
const basicConstraints = '2.5.29.19'
const extendedKeyUsage = '2.5.29.37'
const subjectKeyIdentifier = '2.5.29.14'
const authorityKeyIdentifier = '2.5.29.35'
/** What a key of each side may do (section 4.2.1.12). */
const authentication = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/** Makes a certificate. */
export function makeCertificate(options: CertificateOptions): X509Certificate {
  const { key, issuer, notBefore, notAfter } = options
  const signer = issuer?.key ?? key
  const subject = commonName(options.commonName)
  const content = sequence(
    tagged(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    algorithmOf(signer),
    issuer === undefined ? subject : subjectOf(issuer.certificate),
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKeyInfo(key),
    tagged(0xa3, sequence(...extensionsOf(options, signer))),
  )
  return new X509Certificate(sequence(content, algorithmOf(signer), bits(signDer(content, signer))))
}

/** Positive, and with more than the 64 bits of randomness that authorities are asked for (RFC 5280 section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

/** The subject of a certificate as its issuer wrote it: names are compared byte for byte. */
function subjectOf(certificate: X509Certificate): Buffer {
  const name = /^CN=(.*)$/.exec(certificate.subject)?.[1]
  if (name === undefined) throw new TypeError('the issuer must have nothing but a common name')
  return commonName(name)
}

function extensionsOf(
  { hostNames, key, isAuthority = false, side = 'server' }: CertificateOptions,
  signer: KeyObject,
): Buffer[] {
  // digitalSignature; or keyCertSign and cRLSign (section 4.2.1.3)
  const usage = isAuthority ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7)
  return [
    extension(basicConstraints, isAuthority ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence(), true),
    extension(keyUsage, usage, true),
    extension(subjectKeyIdentifier, octets(keyIdentifier(key))),
    extension(authorityKeyIdentifier, sequence(tagged(0x80, keyIdentifier(signer)))),
    ...(isAuthority ? [] : [extension(extendedKeyUsage, sequence(oid(authentication[side])))]),
    ...(hostNames.length === 0 ? [] : [extension(subjectAlternativeNames, subjectAltName(hostNames))]),
  ]
}

function extension(id: string, value: Buffer, isCritical: boolean = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octets(value))
}

/** Any value that is the same for the same key will do (section 4.2.1.2). */
function keyIdentifier(key: KeyObject): Buffer {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return createHash('sha256').update(der).digest().subarray(0, 20)
}

const commonNameId = '2.5.4.3'

/** A distinguished name of a common name alone. */
export function commonName(name: string): Buffer {
  // At most 64 characters (RFC 5280 appendix A.1, ub-common-name).
  return sequence(set(sequence(oid(commonNameId), utf8(name.slice(0, 64)))))
}

/** The value of the extension that names hosts and addresses (RFC 5280 section 4.2.1.6). */
export function subjectAltName(hostNames: readonly string[]): Buffer {
  return sequence(
    ...hostNames.map((name) =>
      isIP(name) === 0 ? tagged(0x82, Buffer.from(name, 'ascii')) : tagged(0x87, addressBytes(name)),
    ),
  )
}

/** The four or sixteen bytes of an address. */
function addressBytes(text: string): Buffer {
  const words = parseAddressAsSpelled(text) ?? []
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4)
  return bytes
}

/** The AlgorithmIdentifier of a key's signatures (RFC 8017 appendix A.2.4, RFC 5758 section 3.2, RFC 8410 section 3). */
export function algorithmOf(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return sequence(oid('1.2.840.113549.1.1.11'), tagged(0x05))
    case 'ec':
      return sequence(oid('1.2.840.10045.4.3.2'))
    case 'ed25519':
      return sequence(oid('1.3.101.112'))
    default:
      throw new TypeError(`a key of type ${key.asymmetricKeyType} cannot sign certificates`)
  }
}

/** Signs what goes before the signature. */
export function signDer(content: Buffer, key: KeyObject): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', content, key)
}

/** The public half of a key, as a certificate has it. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

/** A value with its tag and length (section 8.1). */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

/** The definite form of a length (section 8.1.3). */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export function sequence(...values: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...values)
}

export function set(...values: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...values)
}

/** An INTEGER that is not negative, of big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const isNegativeLooking = (bytes[0] ?? 0) > 0x7f
  return tagged(0x02, isNegativeLooking ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]))
}

export function octets(bytes: Uint8Array): Buffer {
  return tagged(0x04, bytes)
}

/** A BIT STRING; the last bits of it may be unused. */
export function bits(bytes: Uint8Array, unused: number = 0): Buffer {
  return tagged(0x03, Buffer.from([unused]), bytes)
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, 'utf8'))
}

/** An OBJECT IDENTIFIER, of dotted numbers (section 8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([40 * first + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

/** A time, as UTCTime until 2049 and as GeneralizedTime after it (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tagged(0x18, Buffer.from(`${digits}Z`))
}
