/**
 * The keys that tokens are signed and verified with.
 *
 * @module
 */

import { type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'jose'
import type { SigningAlgorithm } from '../../config/config.js'
import { systemClock } from '../../core/clock.js'
import type { ConfigProblem } from '../../core/errors.js'
import { assertIntegers } from '../../core/option-numbers.js'
import { keysFromFile } from './key-file.js'
import { digests, type KeySet, namedJwk, newKeys, type RetiredKey, type VerificationKey } from './signing-key.js'

/** Options of {@link createKeyRing}. */
export interface KeyRingOptions {
  /** JWS algorithm of the tokens (RFC 7518 section 3.1; EdDSA is Ed25519, RFC 8037). @defaultValue `'RS256'` */
  readonly algorithm?: SigningAlgorithm | undefined
  /** Bits of an RSA key that is made: 2048 to 4096. Not used by the other algorithms, nor with `keyFile`. @defaultValue 2048 */
  readonly rsaBits?: number | undefined
  /**
   * Path of a private key, PKCS#8 PEM or JWK. Keys before it that still verify are read from the file of the same name with
   * `.retired` after it, which `sallyport keys rotate` writes.
   *
   * @defaultValue a new key, which ends with the process
   */
  readonly keyFile?: string | undefined
  /** Milliseconds since the epoch. It tells when a retired key ends. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/** One key that signs, and every key that is still good for verifying. */
export interface KeyRing {
  /** The only algorithm that tokens are signed with. Each key accepts its own, and no other. */
  readonly algorithm: SigningAlgorithm
  /** Id of the key that signs: its thumbprint (RFC 7638). */
  readonly kid: string
  /** What is risky about the key file, for the log. */
  readonly warnings: readonly ConfigProblem[]
  /** Signs the ASCII text of header and payload (RFC 7515 section 5.1), off the event loop. Answers the signature in base64url. */
  sign(signingInput: string): Promise<string>
  /** The key with this id. */
  find(kid: string): VerificationKey | undefined
  /** The public parts of all keys that verify now, as a JWK Set (RFC 7517 section 5). It is frozen, and the same object until it changes. */
  jwks(): {
    /** Each with `kid`, `alg` and `use`; the key that signs first. */
    readonly keys: readonly JWK[]
  }
  /** When a key of {@link jwks} retires, in milliseconds since the epoch; `Infinity` while none does. */
  readonly jwksValidUntil: number
}

/** A ring whose keys can be exchanged while it is in use. */
export interface ChangingKeyRing extends KeyRing {
  /**
   * Signs with another key from now on. The one before it verifies until its last token has expired, unless the new keys
   * name another end for it.
   *
   * @param tokenMs - Longest life of a token that was signed so far.
   */
  exchange(next: KeySet, tokenMs: number): void
}

/**
 * Makes a key pair, or reads the private key from a file.
 *
 * @throws `ConfigError` when the file cannot be read or its key must not be used; TypeError when an option is wrong.
 */
export async function createKeyRing({
  algorithm = 'RS256',
  rsaBits = 2048,
  keyFile,
  clock,
}: KeyRingOptions = {}): Promise<KeyRing> {
  if (!Object.hasOwn(digests, algorithm)) throw new TypeError('"algorithm" option must be RS256, ES256 or EdDSA')
  assertIntegers({ rsaBits }, 2048, 4096)
  const keys = keyFile === undefined ? await newKeys(algorithm, rsaBits) : await keysFromFile(keyFile, algorithm)
  return keyRingFrom(keys, clock)
}

/** Puts a ring together. Retired keys verify what they signed before until their time is up, and sign no more. */
export function keyRingFrom(keys: KeySet, clock: () => number = systemClock): ChangingKeyRing {
  let { signing, warnings } = keys
  let signText = createSigner(keys.privateKey, signing.algorithm)
  let retired = withoutKey(keys.retired, signing.kid)
  let shown: { readonly keySet: ReturnType<KeyRing['jwks']>; readonly validUntil: number } | undefined

  const isLive = ({ verifyUntil }: RetiredKey): boolean => clock() < verifyUntil
  const liveRetired = (): readonly RetiredKey[] => [...retired.values()].filter(isLive)
  const firstEnd = (): number => Math.min(...liveRetired().map(({ verifyUntil }) => verifyUntil))

  return {
    // What a token's header says and what signs it is read in one go, so that an exchange never comes between.
    get algorithm() {
      return signing.algorithm
    },
    get kid() {
      return signing.kid
    },
    get warnings() {
      return warnings
    },

    sign: (signingInput) => signText(signingInput),

    find(kid) {
      if (kid === signing.kid) return signing
      const key = retired.get(kid)
      return key !== undefined && isLive(key) ? key : undefined
    },

    jwks() {
      if (shown === undefined || clock() >= shown.validUntil) {
        const keys = [signing, ...liveRetired()].map((key) => Object.freeze(namedJwk(key)))
        shown = { keySet: Object.freeze({ keys: Object.freeze(keys) }), validUntil: firstEnd() }
      }
      return shown.keySet
    },

    get jwksValidUntil() {
      return firstEnd()
    },

    exchange(next, tokenMs) {
      const before = { ...signing, verifyUntil: clock() + tokenMs, isFinal: false }
      const known = [...retired.values(), ...(next.signing.kid === signing.kid ? [] : [before])].filter(isLive)
      retired = withoutKey([...known, ...next.retired], next.signing.kid)
      signing = next.signing
      warnings = next.warnings
      signText = createSigner(next.privateKey, signing.algorithm)
      shown = undefined
    },
  }
}

/** By id. Of two ends for one key the later holds, or the one that is final. */
function withoutKey(keys: readonly RetiredKey[], kid: string): ReadonlyMap<string, RetiredKey> {
  const byKid = new Map<string, RetiredKey>()
  for (const key of keys) {
    const other = byKid.get(key.kid)
    const isSooner = other !== undefined && !key.isFinal && (other.isFinal || other.verifyUntil > key.verifyUntil)
    if (!isSooner) byKid.set(key.kid, key)
  }
  byKid.delete(kid)
  return byKid
}

const signOffLoop = promisify(sign)

/** With a callback Node signs on its thread pool: a little faster than WebCrypto, and as harmless to the event loop. */
function createSigner(key: KeyObject, algorithm: SigningAlgorithm): KeyRing['sign'] {
  // JWS has the two numbers of an ECDSA signature side by side, not in DER (RFC 7518 section 3.4).
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  return async (signingInput) => {
    const signature = await signOffLoop(digests[algorithm], Buffer.from(signingInput), options)
    return signature.toString('base64url')
  }
}
