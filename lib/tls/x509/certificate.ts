/**
 * Making X.509 certificates (RFC 5280): for trying out, and for an authority of one's own. node:crypto only reads them.
 *
 * @module
 */

import { createHash, createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { bits, boolean, integer, octets, oid, sequence, tagged, time } from './der-writer.js'
import { commonName, subjectAltName } from './names.js'
import { algorithmOf, publicKeyInfo, signDer } from './signature.js'

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
