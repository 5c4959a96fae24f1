/**
 * The keys that tokens are signed and verified with.
 *
 * @module
 */

import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlgorithm } from '../config/config.js'
import type { ConfigProblem } from '../errors.js'
import { generateSigningKey, keyFileError, keyFileWarnings, readSigningKey } from './signing-key.js'

/** Options of {@link createKeyRing}. */
export interface KeyRingOptions {
  /** JWS algorithm of the tokens (RFC 7518 section 3.1; EdDSA is Ed25519, RFC 8037). @defaultValue `'RS256'` */
  readonly algorithm?: SigningAlgorithm | undefined
  /** Bits of an RSA key that is made: 2048 to 4096. Not used by the other algorithms, nor with `keyFile`. @defaultValue 2048 */
  readonly rsaBits?: number | undefined
  /** Path of a private key, PKCS#8 PEM or JWK. @defaultValue a new key, which ends with the process */
  readonly keyFile?: string | undefined
}

/** A public key and the only algorithm it is used with. A key object, never text: text could be taken for an HMAC secret. */
export interface VerificationKey {
  /** Its thumbprint (RFC 7638), which a token's header names. */
  readonly kid: string
  /** A token that names another is refused. */
  readonly algorithm: SigningAlgorithm
  /** The public half; the private one never leaves the key ring. */
  readonly publicKey: KeyObject
}

/** One key that signs, and every key that is still good for verifying. */
export interface KeyRing {
  /** The only algorithm that tokens are signed with, and accepted with. */
  readonly algorithm: SigningAlgorithm
  /** Id of the key that signs: its thumbprint (RFC 7638). */
  readonly kid: string
  /** What is risky about the key file, for the log. */
  readonly warnings: readonly ConfigProblem[]
  /** Signs the ASCII text of header and payload (RFC 7515 section 5.1), off the event loop. Answers the signature in base64url. */
  sign(signingInput: string): Promise<string>
  /** The key with this id. */
  find(kid: string): VerificationKey | undefined
  /** The public parts of all keys, as a JWK Set (RFC 7517 section 5). */
  jwks(): {
    /** Each with `kid`, `alg` and `use`; the key that signs first. */
    readonly keys: readonly JWK[]
  }
}

/** Node's names for what each JWS algorithm does. */
const digests = { RS256: 'sha256', ES256: 'sha256', EdDSA: null } as const

/**
 * Makes a key pair, or reads the private key from a file.
 *
 * @throws {@link ConfigError} when the file cannot be read or its key must not be used; TypeError when an option is wrong.
 */
export async function createKeyRing({
  algorithm = 'RS256',
  rsaBits = 2048,
  keyFile,
}: KeyRingOptions = {}): Promise<KeyRing> {
  if (!Object.hasOwn(digests, algorithm)) throw new TypeError('"algorithm" option must be RS256, ES256 or EdDSA')
  if (!Number.isInteger(rsaBits) || rsaBits < 2048 || rsaBits > 4096) {
    throw new TypeError('"rsaBits" option must be an integer from 2048 to 4096')
  }
  if (keyFile === undefined) return keyRingOf(await generateSigningKey(algorithm, rsaBits), algorithm)

  const ring = await keyRingOf(await readSigningKey(keyFile, algorithm), algorithm, await keyFileWarnings(keyFile))
  await demandMatchingParts(ring, keyFile)
  return ring
}

/** Puts a ring together. Retired keys verify what they signed before, and sign no more. */
async function keyRingOf(
  privateKey: KeyObject,
  algorithm: SigningAlgorithm,
  warnings: readonly ConfigProblem[] = [],
  retired: readonly KeyObject[] = [],
): Promise<KeyRing> {
  const publicKeys = [createPublicKey(privateKey), ...retired]
  const keys = await Promise.all(publicKeys.map((publicKey) => verificationKeyOf(publicKey, algorithm)))
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  const jwks = {
    keys: keys.map(({ kid, publicKey }) => ({ ...publicJwkOf(publicKey), kid, alg: algorithm, use: 'sig' })),
  }

  return {
    algorithm,
    kid: keys[0]!.kid,
    warnings,
    sign: signerOf(privateKey, algorithm),
    find: (kid) => byKid.get(kid),
    jwks: () => structuredClone(jwks),
  }
}

/** With a callback Node signs on its thread pool: a little faster than WebCrypto, and as harmless to the event loop. */
function signerOf(key: KeyObject, algorithm: SigningAlgorithm): KeyRing['sign'] {
  const digest = digests[algorithm]
  // JWS wants the two numbers of an ECDSA signature side by side, not in DER (RFC 7518 section 3.4).
  const options = { key, dsaEncoding: 'ieee-p1363' } as const

  return (signingInput) =>
    new Promise((resolve, reject) => {
      sign(digest, Buffer.from(signingInput), options, (error, signature) => {
        if (error === null) resolve(signature.toString('base64url'))
        else reject(error)
      })
    })
}

async function verificationKeyOf(publicKey: KeyObject, algorithm: SigningAlgorithm): Promise<VerificationKey> {
  return { kid: await calculateJwkThumbprint(publicJwkOf(publicKey)), algorithm, publicKey }
}

function publicJwkOf(publicKey: KeyObject): JWK {
  return publicKey.export({ format: 'jwk' }) as JWK
}

/** A JWK carries both halves of its key, and nothing but a signature tells whether they belong together. */
async function demandMatchingParts({ algorithm, kid, sign: signText, find }: KeyRing, keyFile: string): Promise<void> {
  const text = 'self test'
  const options = { key: find(kid)!.publicKey, dsaEncoding: 'ieee-p1363' } as const
  const isMatching = await signText(text).then(
    (signature) => verify(digests[algorithm], Buffer.from(text), options, Buffer.from(signature, 'base64url')),
    () => false,
  )
  if (!isMatching) throw keyFileError(keyFile, 'must hold a private key that belongs to its public key')
}
