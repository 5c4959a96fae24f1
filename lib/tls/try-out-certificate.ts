/**
 * A certificate made on this machine, for trying out: encryption is real, but nobody vouches for the name.
 *
 * @module
 */

import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { replaceFile } from '../internal/replace-file.js'
import type { KeyMaterial } from './key-store.js'
import { readPrivateFile } from './private-file.js'
import { makeCertificate } from './x509/certificate.js'
import { isHostName } from './x509/names.js'

/** Options of {@link tryOutCertificate}. */
export interface TryOutCertificateOptions {
  /** Folder of the file: the one of the configuration. */
  readonly directory: string
  /** Host names besides `localhost` and the loopback addresses. What cannot be one is left out. */
  readonly hostNames: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A certificate for trying out. */
export interface TryOutCertificate extends KeyMaterial {
  /** Where it is kept; `undefined` when it could not be written, and ends with the process. */
  readonly file: string | undefined
  /** Whether it was made just now. */
  readonly isNew: boolean
}

/** Name of the file. */
export const tryOutFileName = 'sallyport-tryout.pem'

const dayMs = 24 * 60 * 60 * 1000
const lifeMs = 90 * dayMs
const renewalMs = 30 * dayMs
/** Clocks of clients may be a little behind. */
const headStartMs = dayMs

const loopback = ['localhost', '127.0.0.1', '::1']

/**
 * Takes the certificate from the file, or makes one: when there is none, when it ends within 30 days, when it is not good for
 * all host names, and when others could have read its key. It is good for 90 days and signed by its own key, so that
 * `curl --cacert` takes the same file. Making one takes about a millisecond.
 */
export function tryOutCertificate(options: TryOutCertificateOptions): TryOutCertificate {
  const { directory, now } = options
  const hostNames = [...new Set([...options.hostNames.filter(isHostName), ...loopback])]
  const file = join(directory, tryOutFileName)
  const kept = keptCertificate(file, hostNames, now)
  if (kept !== undefined) return { ...kept, file, isNew: false }

  const made = newCertificate(hostNames, now)
  return { ...made, file: isWritten(file, pemOf(made)) ? file : undefined, isNew: true }
}

/** Whether it is time for a new one. */
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
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = makeCertificate({
    commonName: hostNames[0] ?? 'localhost',
    hostNames,
    key: privateKey,
    notBefore: new Date(now - headStartMs),
    notAfter: new Date(now + lifeMs),
  })
  return { key: privateKey, certificates: [certificate] }
}

/** Certificates, then the key: one PEM file that servers, `curl --cacert` and `openssl` take. */
export function pemOf({ key, certificates }: KeyMaterial): string {
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
