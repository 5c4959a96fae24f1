import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeCertificate } from './make-certificate.js'

/** A key and its certificate, made for one test. */
export interface KeyPair {
  readonly key: KeyObject
  readonly certificate: X509Certificate
  /** Certificate and key. */
  readonly pem: string
}

/** What {@link keyPair} makes unless it is told otherwise: ECDSA, self-signed, valid from yesterday for a year. */
export interface KeyPairOptions {
  readonly name?: string
  readonly hostNames?: readonly string[]
  readonly issuer?: KeyPair
  readonly isAuthority?: boolean
  readonly side?: 'server' | 'client'
  readonly type?: 'ec' | 'rsa' | 'ed25519'
  readonly from?: Date
  readonly to?: Date
}

export const dayMs = 24 * 60 * 60 * 1000

/** Makes a key and a certificate for it. */
export function keyPair(options: KeyPairOptions = {}): KeyPair {
  const { name = 'localhost', hostNames = ['localhost', '127.0.0.1'], issuer, isAuthority, side, type = 'ec' } = options
  const key = newKey(type)
  const certificate = makeCertificate({
    commonName: name,
    hostNames: isAuthority === true ? [] : hostNames,
    key,
    issuer,
    isAuthority,
    side,
    notBefore: options.from ?? new Date(Date.now() - dayMs),
    notAfter: options.to ?? new Date(Date.now() + 365 * dayMs),
  })
  return { key, certificate, pem: certificate.toString() + pemOfKey(key) }
}

/** A private key as PEM. */
export function pemOfKey(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }) as string
}

/** RSA keys take long: after these, {@link newKey} starts again with the first. */
const rsaKeys: (KeyObject | undefined)[] = [undefined, undefined, undefined]

function newKey(type: 'ec' | 'rsa' | 'ed25519'): KeyObject {
  if (type === 'rsa') {
    const key = rsaKeys.shift() ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    rsaKeys.push(key)
    return key
  }
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** A folder with these files, for one test. */
export function folderWith(files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}
