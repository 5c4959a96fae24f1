/**
 * Key material of a server: from the key store that the configuration names, checked for today.
 *
 * @module
 */

import type { KeyObject, X509Certificate } from 'node:crypto'
import type { ServerOptions } from 'node:https'
import { dirname } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { Config, KeyStoreConfig, TlsConfig } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { isPublishedKey } from '../core/key-stores.js'
import { describePlaces, fileState, type KeyMaterial, loadKeyStore, loadTrustStore } from './key-stores/key-store.js'
import { tryOutCertificate } from './try-out-certificate.js'

export interface ServerMaterial extends KeyMaterial {
  /** Certificates of the authorities that client certificates have to come from; `undefined`: none is asked for. */
  readonly trusted: readonly X509Certificate[] | undefined
  /** What does not keep it from being used, but should be put right. */
  readonly warnings: readonly ConfigProblem[]
}

const dayMs = 24 * 60 * 60 * 1000
export const expiryNoticeMs = 30 * dayMs

/** The key store of a server: `[keystore.tls]`, then `[internal_api_ssl_config]`, then `[keystore.primary]`. */
export function serverKeyStore({ keyStores }: Config): KeyStoreConfig {
  return keyStores.tls ?? keyStores.internalApi ?? keyStores.primary
}

export function mayServeHttps({ managementApi, tlsTables }: Config): boolean {
  return tlsTables.length > 0 || managementApi.protocols.includes('https')
}

/**
 * Loads the key material; without `key` and `certificates` when the store is WSO2's own, and it is not there.
 *
 * @throws `ConfigError` when a store cannot be used, or the certificate not today. Its problems have no position.
 */
export async function loadServerMaterial(
  config: Config,
  now: number,
): Promise<ServerMaterial | Pick<ServerMaterial, 'trusted'>> {
  const trusted =
    config.tls.clientCertificates === 'none' ? undefined : await loadTrustStore(config.keyStores.internalApiTrust)
  const store = serverKeyStore(config)
  if (store.isWso2Default && store.problems.length === 0 && (await fileState(store.fileName, store.folders)) === '') {
    return { trusted }
  }
  const material = await loadKeyStore(store)
  const certificate = material.certificates[0]!
  const key = `${store.key}.${store.keyNames.file}`
  const rule = validityProblem(certificate, now) ?? keyProblem(material.key, config.tls)
  if (rule !== undefined) throw new ConfigError([{ key, rule }])
  const warnings = certificateWarnings(certificate, now).map((text) => ({ key, rule: text }))
  return { ...material, trusted, warnings }
}

/** What of a certificate should be put right, whatever it is for. */
export function certificateWarnings(certificate: X509Certificate, now: number): readonly string[] {
  return [publicityWarning(certificate), expiryWarning(certificate, now)].filter((text) => text !== undefined)
}

export function tryOutMaterial(
  config: Config,
  { trusted }: Pick<ServerMaterial, 'trusted'>,
  { home, now }: { readonly home: string | undefined; readonly now: number },
): ServerMaterial {
  const directory = config.path === undefined ? (home ?? '.') : dirname(config.path)
  const tryOut = tryOutCertificate({ directory, hostNames: [config.tls.hostName], now })
  const { fingerprint256 } = tryOut.certificates[0]!
  const place =
    tryOut.file === undefined ? ', which could not be written and ends with the process' : `, kept in ${tryOut.file}`
  const { key, fileName, folders, isFileGiven } = serverKeyStore(config)
  const missing = `${isFileGiven ? 'names' : 'is not written, and stands for'} ${fileName}, which is not there${describePlaces(fileName, folders)}`
  const rule =
    `${missing}: the server uses a self-signed certificate for development${place}; its SHA-256 fingerprint is ` +
    `${fingerprint256}; for clients that do not know it, write file_name and password of a key store in [keystore.tls]`
  return { ...tryOut, trusted, warnings: [{ key, rule }] }
}

export async function serverMaterialState(config: Config): Promise<string> {
  const { fileName, keyFileName, folders } = serverKeyStore(config)
  const trust = config.tls.clientCertificates === 'none' ? undefined : config.keyStores.internalApiTrust
  const states = await Promise.all([
    fileState(fileName, folders),
    keyFileName === undefined ? '' : fileState(keyFileName, folders),
    trust === undefined ? '' : fileState(trust.fileName, trust.folders),
  ])
  return states.join('\n')
}

function validityProblem({ validFrom, validTo }: X509Certificate, now: number): string | undefined {
  if (Date.parse(validTo) <= now) return `names a certificate that expired on ${formatDay(validTo)}`
  if (Date.parse(validFrom) > now) return `names a certificate that is not valid before ${formatDay(validFrom)}`
  return undefined
}

/** Curves that clients and OpenSSL take for a certificate (RFC 8446 section 4.2.3), by OpenSSL's names. */
const curves: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1']

/** Types of keys that sign handshakes, and the word for them in suites of TLS 1.2. */
const suiteWords: Readonly<Record<string, string>> = {
  rsa: '-RSA-',
  'rsa-pss': '-RSA-',
  ec: '-ECDSA-',
  ed25519: '-ECDSA-',
  ed448: '-ECDSA-',
}

/** Why every handshake would fail. */
function keyProblem(key: KeyObject, { maxVersion, cipherSuites }: TlsConfig): string | undefined {
  const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = key
  const isOtherCurve = type === 'ec' && !curves.includes(details?.namedCurve ?? '')
  const word = Object.hasOwn(suiteWords, type) ? suiteWords[type] : undefined
  if (isOtherCurve || word === undefined) {
    const name = type === 'ec' ? `on the curve ${details?.namedCurve ?? 'of its own'}` : `of the type ${type}`
    return `names a key ${name}, which no client of TLS takes; use RSA, or EC on P-256, P-384 or P-521`
  }
  if (maxVersion === 'TLSv1.2' && !cipherSuites.some((suite) => suite.includes(word))) {
    const other = word === '-RSA-' ? 'an EC key' : 'an RSA key'
    return `names a key of the type ${type}, and all cipher suites that are offered need ${other}`
  }
  return undefined
}

export function expiryWarning({ validTo }: X509Certificate, now: number): string | undefined {
  const leftMs = Date.parse(validTo) - now
  if (leftMs > expiryNoticeMs) return undefined
  return `names a certificate that expires on ${formatDay(validTo)}: renew it`
}

/** Subjects of the certificates that WSO2 has made for its key stores over the years. */
const publishedSubject = /^C=US\nST=CA\nL=Mountain View\nO=WSO2\n(?:OU=WSO2\n)?CN=localhost$/

function publicityWarning(certificate: X509Certificate): string | undefined {
  if (isPublishedKey(certificate.publicKey)) {
    return 'names a key store that everybody can download with its private key: anybody between a client and this server can read everything; make a key of your own'
  }
  if (publishedSubject.test(certificate.subject)) {
    return 'names a certificate that looks like those that products of WSO2 come with, whose private keys everybody can download; make a key of your own'
  }
  return undefined
}

function formatDay(date: string): string {
  return new Date(date).toISOString().slice(0, 10)
}

/** Node's own default is two minutes. */
const handshakeTimeoutMs = 10_000

export function createTlsOptions({ minVersion, maxVersion, cipherSuites }: TlsConfig): ServerOptions {
  return {
    minVersion,
    maxVersion,
    ciphers: cipherSuites.join(':'),
    honorCipherOrder: true,
    handshakeTimeout: handshakeTimeoutMs,
  }
}

export function createServerOptions(config: TlsConfig, { key, certificates, trusted }: ServerMaterial): ServerOptions {
  return {
    ...createTlsOptions(config),
    key: key.export({ format: 'pem', type: 'pkcs8' }),
    cert: certificates.map(String).join(''),
    requestCert: config.clientCertificates !== 'none',
    rejectUnauthorized: config.clientCertificates === 'required',
    ...(trusted && { ca: trusted.map(String) }),
  }
}

/**
 * Makes `authorized` mean that a client showed a certificate and an authority vouches for it.
 *
 * Where certificates are optional, Node lets one through that nobody vouches for: it is refused here, as it would be where
 * they are required. And Node calls a client authorized that showed none and resumed a session of TLS 1.3.
 */
export function checkClient(socket: TLSSocket): void {
  if (socket.getPeerX509Certificate() === undefined) socket.authorized = false
  else if (!socket.authorized) socket.destroy()
}
