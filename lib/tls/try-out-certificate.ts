/**
 * The self-signed certificate for development, made on this machine. It is written here because node:crypto only reads certificates, and
 * `selfsigned` and `@peculiar/x509` are asynchronous and bring twenty packages; all it writes is one form of one certificate.
 *
 * @module
 */

import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { parseAddressAsSpelled } from '../addresses/ip-address.js'
import { readPrivateFile } from '../files/read-file.js'
import { replaceFile } from '../files/replace-file.js'
import { encodeDer, encodeSequence } from './der.js'
import type { KeyMaterial } from './key-stores/key-store.js'

export interface TryOutCertificateOptions {
  readonly directory: string
  /** Host names besides `localhost` and the loopback addresses. What cannot be one is left out. */
  readonly hostNames: readonly string[]
  readonly now: number
}

export interface TryOutCertificate extends KeyMaterial {
  /** Where it is kept; `undefined` when it could not be written, and ends with the process. */
  readonly file: string | undefined
  /** Whether it was made just now. */
  readonly isNew: boolean
}

export const tryOutFileName = 'sallyport-tryout.pem'

const dayMs = 24 * 60 * 60 * 1000
const lifeMs = 90 * dayMs
const renewalMs = 30 * dayMs
/** Clocks of clients may be a little behind. */
const headStartMs = dayMs

const loopback = ['localhost', '127.0.0.1', '::1']

/**
 * Takes the certificate from the file, or makes one: when there is none, when it ends within 30 days, when it is not good for
 * all host names, and when others could have read its key. It is signed by its own key, so that `curl --cacert` takes the
 * same file.
 */
export function tryOutCertificate(options: TryOutCertificateOptions): TryOutCertificate {
  const { directory, now } = options
  const hostNames = [...new Set([...options.hostNames.filter(isHostName), ...loopback])]
  const file = join(directory, tryOutFileName)
  const kept = keptCertificate(file, hostNames, now)
  if (kept !== undefined) return { ...kept, file, isNew: false }

  const made = newCertificate(hostNames, now)
  return { ...made, file: isWritten(file, pemFrom(made)) ? file : undefined, isNew: true }
}

export function isTryOutDue(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validTo) - now < renewalMs || Date.parse(certificate.validFrom) > now
}

function keptCertificate(file: string, hostNames: readonly string[], now: number): KeyMaterial | undefined {
  const text = readPrivateFile(file)
  if (text === undefined) return undefined
  try {
    const certificate = new X509Certificate(text)
    const key = createPrivateKey(text)
    const isGood = !isTryOutDue(certificate, now) && certificate.checkPrivateKey(key)
    const coversAll = hostNames.every(
      (name) => (certificate.checkHost(name) ?? certificate.checkIP(name)) !== undefined,
    )
    return isGood && coversAll ? { key, certificates: [certificate] } : undefined
  } catch {
    // Whatever it is, it is not what was written here.
    return undefined
  }
}

function newCertificate(hostNames: readonly string[], now: number): KeyMaterial {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const content = encodeSequence(
    encodeDer(0xa0, encodeDer(0x02, Buffer.from([2]))), // version 3
    encodeDer(0x02, serialNumber()),
    ecdsaWithSha256,
    commonName(hostNames[0] ?? 'localhost'),
    encodeSequence(utcTime(now - headStartMs), utcTime(now + lifeMs)),
    commonName(hostNames[0] ?? 'localhost'),
    publicKey.export({ format: 'der', type: 'spki' }),
    encodeDer(0xa3, encodeSequence(notAnAuthority, digitalSignature, serverAuthentication, subjectAltName(hostNames))),
  )
  const signature = encodeDer(0x03, Buffer.from([0]), sign('sha256', content, privateKey))
  const certificate = new X509Certificate(encodeSequence(content, ecdsaWithSha256, signature))
  return { key: privateKey, certificates: [certificate] }
}

/** OBJECT IDENTIFIERs by their bytes, as RFC 5758 section 3.2 and RFC 5280 give them. */
const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
const commonNameId = Buffer.from('0603550403', 'hex')
const subjectAltNameId = Buffer.from('0603551d11', 'hex')

/** Extensions (RFC 5280 section 4.2.1): critical basicConstraints without cA; critical keyUsage; extKeyUsage for servers. */
const notAnAuthority = Buffer.from('300c0603551d130101ff04023000', 'hex')
const digitalSignature = Buffer.from('300e0603551d0f0101ff040403020780', 'hex')
const serverAuthentication = Buffer.from('30130603551d25040c300a06082b06010505070301', 'hex')

/** Positive, and of more than the 64 bits of randomness that authorities are asked for (RFC 5280 section 4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

/** At most 64 characters (RFC 5280 appendix A.1). */
function commonName(name: string): Buffer {
  return encodeSequence(encodeDer(0x31, encodeSequence(commonNameId, encodeDer(0x0c, Buffer.from(name.slice(0, 64))))))
}

/** UTCTime, which goes to 2049 (RFC 5280 section 4.1.2.5). */
function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return encodeDer(0x17, Buffer.from(`${digits}Z`))
}

/** Names and addresses (RFC 5280 section 4.2.1.6). */
function subjectAltName(hostNames: readonly string[]): Buffer {
  const names = hostNames.map((name) => {
    if (isIP(name) === 0) return encodeDer(0x82, Buffer.from(name, 'ascii'))
    const bytes = Buffer.alloc(isIPv6(name) ? 16 : 4)
    for (const [index, word] of parseAddressAsSpelled(name)!.entries()) bytes.writeUInt32BE(word, index * 4)
    return encodeDer(0x87, bytes)
  })
  return encodeSequence(subjectAltNameId, encodeDer(0x04, encodeSequence(...names)))
}

const hostName = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i

/** Whether a text can be the name of a host in a certificate: an address, or labels of at most 63 characters. */
function isHostName(name: string): boolean {
  return isIP(name) !== 0 ? parseAddressAsSpelled(name) !== undefined : name.length <= 253 && hostName.test(name)
}

/** Certificate, then the key: one PEM file that servers, `curl --cacert` and `openssl` take. */
function pemFrom({ key, certificates }: KeyMaterial): string {
  return certificates.map(String).join('') + key.export({ format: 'pem', type: 'pkcs8' })
}

function isWritten(file: string, text: string): boolean {
  try {
    replaceFile(file, text)
    return true
  } catch {
    return false
  }
}
