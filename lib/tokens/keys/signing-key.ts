/**
 * Keys that tokens are signed and verified with: what they are, how they are generated, and which are refused.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, generateKeyPair, hkdfSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlgorithm } from '../../config/config.js'
import type { ConfigProblem } from '../../core/errors.js'
import { isPublishedKey } from '../../core/key-stores.js'

/** Node's names for what each JWS algorithm does. */
export const digests = { RS256: 'sha256', ES256: 'sha256', EdDSA: null } as const

/** A public key and the only algorithm it is used with. A key object, never text: text could be taken for an HMAC secret. */
export interface VerificationKey {
  /** Its thumbprint (RFC 7638), which a token's header names. */
  readonly kid: string
  /** A token that names another is refused. */
  readonly algorithm: SigningAlgorithm
  /** The public half; the private one never leaves the key ring. */
  readonly publicKey: KeyObject
}

/** A key that signs no more, and verifies for a while. */
export interface RetiredKey extends VerificationKey {
  /** Milliseconds since the epoch: the moment from which its tokens are refused. */
  readonly verifyUntil: number
  /** Whether that moment also holds for a process that has signed with the key until just now. */
  readonly isFinal: boolean
}

/** What a key ring is made of. */
export interface KeySet {
  /** The public half of the key that signs. */
  readonly signing: VerificationKey
  readonly privateKey: KeyObject
  readonly retired: readonly RetiredKey[]
  /** What is risky about where the keys are kept. */
  readonly warnings: readonly ConfigProblem[]
}

/** Names a public key by its thumbprint. */
export async function createVerificationKey(
  publicKey: KeyObject,
  algorithm: SigningAlgorithm,
): Promise<VerificationKey> {
  return { kid: await calculateJwkThumbprint(publicJwk(publicKey)), algorithm, publicKey }
}

/** A key that signs, with those before it. */
export async function createKeySet(
  privateKey: KeyObject,
  algorithm: SigningAlgorithm,
  { retired = [], warnings = [] }: Partial<KeySet> = {},
): Promise<KeySet> {
  const signing = await createVerificationKey(createPublicKey(privateKey), algorithm)
  return { signing, privateKey, retired, warnings }
}

/** Generates a key that lives and dies with the process. */
export async function newKeys(algorithm: SigningAlgorithm, rsaBits: number): Promise<KeySet> {
  return createKeySet(await generateSigningKey(algorithm, rsaBits), algorithm)
}

/** The members that make up a public key (RFC 7517 section 4), and no other. */
export function publicJwk(publicKey: KeyObject): JWK {
  return publicKey.export({ format: 'jwk' }) as JWK
}

/** The key as a JWK Set shows it. */
export function namedJwk({ kid, algorithm, publicKey }: VerificationKey): JWK {
  return { ...publicJwk(publicKey), kid, alg: algorithm, use: 'sig' }
}

const minRsaBits = 2048
const minRsaExponent = 65537n

/**
 * The keys come out of the generation as bytes: on Node 20 a generated KeyObject shares a lock with the job that made it,
 * and the process hangs for good when that job is garbage-collected while the key is exported as JWK.
 */
const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const

/** Generates a private key. */
export async function generateSigningKey(algorithm: SigningAlgorithm, rsaBits: number): Promise<KeyObject> {
  return createPrivateKey({ key: await generateBytes(algorithm, rsaBits), type: 'pkcs8', format: 'der' })
}

function generateBytes(algorithm: SigningAlgorithm, rsaBits: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (error: Error | null, _publicKey: Buffer, privateKey: Buffer): void => {
      if (error === null) resolve(privateKey)
      else reject(error)
    }
    switch (algorithm) {
      case 'RS256': {
        const options = { modulusLength: rsaBits, publicExponent: Number(minRsaExponent), ...encodings }
        return generateKeyPair('rsa', options, finish)
      }
      case 'ES256':
        return generateKeyPair('ec', { namedCurve: 'P-256', ...encodings }, finish)
      case 'EdDSA':
        return generateKeyPair('ed25519', encodings, finish)
    }
  })
}

/** The algorithm that a key is for. Where there is none, what is wrong with the key is said by a check for RS256. */
export function algorithmFor({ asymmetricKeyType: type }: KeyObject): SigningAlgorithm {
  if (type === 'ec') return 'ES256'
  return type === 'ed25519' ? 'EdDSA' : 'RS256'
}

/** Why an algorithm must not be used with a public key, or with the private one that belongs to it. */
export function keyMismatch(key: KeyObject, algorithm: SigningAlgorithm): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  switch (algorithm) {
    case 'RS256':
      if (type !== 'rsa') return `must hold an RSA key for RS256, got ${type}`
      if ((details.modulusLength ?? 0) < minRsaBits) {
        return `must hold an RSA key of at least ${minRsaBits} bits, got ${details.modulusLength}`
      }
      if ((details.publicExponent ?? 0n) < minRsaExponent) {
        return `must hold an RSA key with a public exponent of at least ${minRsaExponent}`
      }
      break
    case 'ES256':
      if (type !== 'ec' || details.namedCurve !== 'prime256v1') {
        return `must hold a P-256 key for ES256, got ${details.namedCurve ?? type}`
      }
      break
    case 'EdDSA':
      if (type !== 'ed25519') return `must hold an Ed25519 key for EdDSA, got ${type}`
  }
  return isPublishedKey(key)
    ? 'must not hold the wso2carbon key that WSO2 publishes: anybody could sign tokens with it'
    : undefined
}

/** Secrets that all processes with a key have, one for each purpose; nothing leads from one to another, or to the key. */
export function secretsFrom(privateKey: KeyObject, salt: string): (purpose: string) => Buffer {
  const { d = '' } = privateKey.export({ format: 'jwk' })
  return (purpose) => Buffer.from(hkdfSync('sha256', d, salt, `sallyport ${purpose}`, 32))
}
