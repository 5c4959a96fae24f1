/**
 * Keys as they are read: one that signs, and those before it that are still good for verifying.
 *
 * @module
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlgorithm } from '../config/config.js'
import type { ConfigProblem } from '../core/errors.js'

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
  /** Whether that moment holds for a process too that has signed with the key until just now. */
  readonly isFinal: boolean
}

/** What a ring is made of. */
export interface KeySet {
  /** The public half of the key that signs. */
  readonly signing: VerificationKey
  readonly privateKey: KeyObject
  readonly retired: readonly RetiredKey[]
  /** What is risky about where the keys are kept. */
  readonly warnings: readonly ConfigProblem[]
}

/** Names a public key by its thumbprint. */
export async function verificationKeyOf(publicKey: KeyObject, algorithm: SigningAlgorithm): Promise<VerificationKey> {
  return { kid: await calculateJwkThumbprint(publicJwkOf(publicKey)), algorithm, publicKey }
}

/** A key that signs, with those before it. */
export async function keySetOf(
  privateKey: KeyObject,
  algorithm: SigningAlgorithm,
  { retired = [], warnings = [] }: Partial<KeySet> = {},
): Promise<KeySet> {
  const signing = await verificationKeyOf(createPublicKey(privateKey), algorithm)
  return { signing, privateKey, retired, warnings }
}

/** The members that make up a public key (RFC 7517 section 4), and no other. */
export function publicJwkOf(publicKey: KeyObject): JWK {
  return publicKey.export({ format: 'jwk' }) as JWK
}

/** The key as a JWK Set shows it. */
export function namedJwkOf({ kid, algorithm, publicKey }: VerificationKey): JWK {
  return { ...publicJwkOf(publicKey), kid, alg: algorithm, use: 'sig' }
}
