/**
 * An authority of one's own: a machine that trusts its certificate trusts every server that has one from it.
 *
 * @module
 */

import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalPath } from '../internal/canonical-path.js'
import { replaceFile } from '../internal/replace-file.js'
import type { KeyMaterial } from './key-store.js'
import { readPrivateFile } from './private-file.js'
import { pemOf } from './try-out-certificate.js'
import { makeCertificate } from './x509/certificate.js'

/** Names of the files, in one folder. */
export const authorityFiles = {
  /** The authority's certificate, for clients. */
  certificate: 'sallyport-ca.pem',
  /** The authority's private key. */
  key: 'sallyport-ca.key',
  /** A server's certificate and private key. */
  server: 'sallyport-server.pem',
} as const

const dayMs = 24 * 60 * 60 * 1000
const authorityLifeMs = 3650 * dayMs
/** Browsers refuse certificates that are good for much longer than a year. */
const serverLifeMs = 365 * dayMs
const headStartMs = dayMs

/** What {@link makeServerCertificate} made. */
export interface LocalCertificate {
  /** Path of the authority's certificate. */
  readonly authorityFile: string
  /** Whether the authority is new, so that no client knows it yet. */
  readonly isNewAuthority: boolean
  /** Path of the server's certificate and key. */
  readonly serverFile: string
  readonly certificate: X509Certificate
}

/**
 * Makes a certificate for a server, signed by the authority whose files are in the folder, or by a new one. Private keys are
 * written so that only their owner can read them.
 *
 * @throws what the file system throws; Error when the authority's files do not fit together, or others can read its key.
 */
export function makeServerCertificate(directory: string, hostNames: readonly string[], now: number): LocalCertificate {
  const kept = keptAuthority(directory, now)
  const authority = kept ?? newAuthority(directory, now)
  const [issuer] = authority.certificates
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = makeCertificate({
    commonName: hostNames[0] ?? 'localhost',
    hostNames,
    key,
    issuer: { certificate: issuer!, key: authority.key },
    notBefore: new Date(now - headStartMs),
    notAfter: new Date(Math.min(now + serverLifeMs, Date.parse(issuer!.validTo))),
  })
  const serverFile = join(directory, authorityFiles.server)
  replaceFile(canonicalPath(serverFile), pemOf({ key, certificates: [certificate] }))
  const authorityFile = join(directory, authorityFiles.certificate)
  return { authorityFile, isNewAuthority: kept === undefined, serverFile, certificate }
}

function keptAuthority(directory: string, now: number): KeyMaterial | undefined {
  const file = join(directory, authorityFiles.certificate)
  const keyFile = join(directory, authorityFiles.key)
  const [certificateText, keyText] = [textOf(file), textOf(keyFile)]
  if (certificateText === undefined && keyText === undefined) return undefined
  const key = keyOf(readPrivateFile(canonicalPath(keyFile)))
  if (key === undefined) throw new Error(`${keyFile}: not a private key that only its owner can read`)
  const certificate = certificateOf(certificateText)
  if (certificate === undefined || !certificate.checkPrivateKey(key)) {
    throw new Error(`${file}: not the certificate of the authority whose key is in ${keyFile}`)
  }
  if (Date.parse(certificate.validTo) - now < serverLifeMs / 2) return undefined
  return { key, certificates: [certificate] }
}

function newAuthority(directory: string, now: number): KeyMaterial {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = makeCertificate({
    commonName: `Sallyport local authority of ${new Date(now).toISOString().slice(0, 10)}`,
    hostNames: [],
    key,
    isAuthority: true,
    notBefore: new Date(now - headStartMs),
    notAfter: new Date(now + authorityLifeMs),
  })
  const pem = key.export({ format: 'pem', type: 'pkcs8' }) as string
  replaceFile(canonicalPath(join(directory, authorityFiles.key)), pem)
  replaceFile(canonicalPath(join(directory, authorityFiles.certificate)), certificate.toString(), { mode: 0o644 })
  return { key, certificates: [certificate] }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function keyOf(pem: string | undefined): KeyObject | undefined {
  try {
    return pem === undefined ? undefined : createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function certificateOf(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem)
  } catch {
    return undefined
  }
}
