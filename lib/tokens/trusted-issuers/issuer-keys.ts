/**
 * The public keys of an issuer elsewhere, read from its JWK Set.
 *
 * Our own because a token may be forged to name any key: `createRemoteJWKSet` of jose asks the issuer again after each failure,
 * and refuses every token while an issuer that has been asked before does not answer.
 *
 * @module
 */

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import { inBackground } from '../../async/background.js'
import { startDeadline } from '../../async/deadline.js'
import { StoreError } from '../../core/errors.js'
import { isPublishedKey } from '../../core/key-stores.js'
import type { JwsKey, KeyName } from '../jwt/compact-jws.js'
import { assertIssuerUrl, type FetchJsonOptions, fetchJson } from './fetch-json.js'

/** Options of {@link createIssuerKeys}. */
export interface IssuerKeysOptions {
  /** The issuer, as its discovery document spells it. `https:`, or `http:` to a loopback host. */
  readonly issuer: string
  /** Where the keys are. @defaultValue what discovery says, each time: `<issuer>/.well-known/openid-configuration` */
  readonly jwksUri?: string | undefined
  /** Which algorithms are taken. @defaultValue {@link issuerAlgorithms} */
  readonly algorithms?: readonly string[] | undefined
  /** How long reading the keys may take in all, and so a request that waits for them. @defaultValue 5000 */
  readonly timeoutMs?: number | undefined
  /** Monotonic milliseconds. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined
  /** Told of each failure to read the keys: at most once a minute. */
  readonly onFailure?: ((error: unknown) => void) | undefined
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
}

/** What a JWS of an issuer elsewhere may be signed with: public keys only. */
export const issuerAlgorithms: readonly string[] = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** The issuer is asked at most so often, whatever tokens come and whether it answers or not. */
const minFetchIntervalMs = 60_000

/** Keys as old as this are read again, beside the requests that use them. A key that the issuer has withdrawn is good for no longer. */
const refreshAfterMs = 10 * 60_000

/** An issuer that does not answer for so long: its keys are not believed any more. */
const maxAgeMs = 24 * 3_600_000

/** More keys in one set are a mistake. */
const maxKeys = 100

/** Keys of one answer of the issuer. */
interface KnownKeys {
  readonly find: ReturnType<typeof createLocalJWKSet>
  readonly readAt: number
}

/**
 * Returns a function that finds the key of a JWS header.
 *
 * A known key is answered at once, whether the issuer can be reached or not. For another one the issuer is asked, unless it was within
 * the last minute. `StoreError`: the key is not known, and the issuer does not answer. Any other Error: the issuer has no such key.
 *
 * @throws TypeError for an issuer or `jwksUri` that is no `https:` URL.
 */
export function createIssuerKeys(options: IssuerKeysOptions): (name: KeyName) => Promise<JwsKey> {
  const { issuer, jwksUri, algorithms = issuerAlgorithms, timeoutMs = 5000, now = () => performance.now() } = options
  const isPlain = assertIssuerUrl(issuer)
  if (jwksUri !== undefined) assertIssuerUrl(jwksUri, isPlain)
  let known: KnownKeys | undefined
  let attemptedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let failure: unknown

  /** One attempt for all that wait. It never rejects: `failure` tells. */
  function refresh(): Promise<void> | undefined {
    if (pending !== undefined || now() - attemptedAt < minFetchIntervalMs) return pending
    attemptedAt = now()
    pending = readKeys()
      .then(
        (find) => {
          known = { find, readAt: now() }
          failure = undefined
        },
        (error: unknown) => {
          failure = error
          inBackground(() => options.onFailure?.(error))
        },
      )
      .finally(() => {
        pending = undefined
      })
    return pending
  }

  async function readKeys(): Promise<KnownKeys['find']> {
    const deadline = startDeadline(timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`))
    const source = { signal: deadline.signal, fetch: options.fetch }
    try {
      const set = await fetchJson(jwksUri ?? (await discover(source)), source)
      return createLocalJWKSet(usableKeys(set))
    } finally {
      deadline.end()
    }
  }

  async function discover(source: FetchJsonOptions): Promise<string> {
    const found = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, source)
    if (found['issuer'] !== issuer) throw new Error('the discovery document names another issuer')
    const uri = found['jwks_uri']
    if (typeof uri !== 'string') throw new Error('the discovery document has no jwks_uri')
    assertIssuerUrl(uri, isPlain)
    return uri
  }

  async function findKnown({ kid, algorithm }: KeyName): Promise<JwsKey | undefined> {
    if (known === undefined || now() - known.readAt >= maxAgeMs) return undefined
    const alg = algorithm as string
    try {
      return { algorithm: alg, key: await known.find({ alg, ...(kid !== undefined && { kid }) }) }
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }

  return async function findIssuerKey(name) {
    if (typeof name.algorithm !== 'string' || !algorithms.includes(name.algorithm)) {
      throw new Error('the algorithm is not accepted')
    }
    const found = await findKnown(name)
    if (found !== undefined) {
      if (now() - known!.readAt >= refreshAfterMs) inBackground(refresh)
      return found
    }
    await refresh()
    const foundNow = await findKnown(name)
    if (foundNow !== undefined) return foundNow
    if (failure === undefined) throw new Error('the key is not known')
    throw new StoreError('the keys of the issuer cannot be read', { cause: failure })
  }
}

/** Leaves out what is no public key, and the key pair that everybody has: anybody could sign with it. */
function usableKeys({ keys }: Readonly<Record<string, unknown>>): JSONWebKeySet {
  if (!Array.isArray(keys) || keys.length > maxKeys) throw new Error('the answer is no JWK Set')
  return { keys: keys.filter(isUsable) }
}

function isUsable(jwk: unknown): boolean {
  try {
    return !isPublishedKey(createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }))
  } catch {
    return false
  }
}
