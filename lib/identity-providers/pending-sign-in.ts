/**
 * Sign-ins that have begun: sealed for the browser that began them, so that the server keeps nothing of what anybody may start.
 *
 * @module
 */

import { hash, randomBytes } from 'node:crypto'
import { EncryptJWT, type JWTPayload, jwtDecrypt } from 'jose'
import type { SignInSecrets } from './provider-types.js'

/** A sign-in that has begun. */
export interface PendingSignIn {
  /** Name of the provider: the answer of another one is none. */
  readonly provider: string
  /** What the user signs in to: `portal` and its name, or `oauth` and an id. */
  readonly place: string
  /** What `state`, `nonce` and the verifier are made of. */
  readonly seed: string
  /** As the provider was told. */
  readonly redirectUri: string
  /** Where the browser goes afterwards, as it was asked for. */
  readonly returnTo: string | undefined
  /** Whether the provider has to have asked for the password since. */
  readonly isFresh: boolean
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** Seals texts for a browser. Only who has the key can read or make them. */
export interface Sealer {
  /** `lifeMs` from now on the text is nothing. */
  seal(purpose: string, content: object, lifeMs: number): Promise<string>
  /** `undefined` for what is not ours, for another purpose, or has expired. */
  open<Content extends object>(purpose: string, sealed: string): Promise<Content | undefined>
}

/** How long somebody may take at the provider. */
export const signInMs: number = 15 * 60_000

export function createSeed(): string {
  return randomBytes(32).toString('base64url')
}

/** Three secrets that tell nothing of each other. */
export function secretsFromSeed(seed: string): SignInSecrets {
  const derive = (name: string): string => hash('sha256', `${name}:${seed}`, 'base64url')
  return { state: derive('state'), nonce: derive('nonce'), codeVerifier: derive('code verifier') }
}

/** `key`: 32 bytes, the same in all processes that a browser may come back to. */
export function createSealer(key: Uint8Array, clock: () => number): Sealer {
  return {
    seal: (purpose, content, lifeMs) =>
      new EncryptJWT({ content } as JWTPayload)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setAudience(purpose)
        .setExpirationTime(new Date(clock() + lifeMs))
        .encrypt(key),

    async open<Content extends object>(audience: string, sealed: string) {
      const options = { audience, currentDate: new Date(clock()) }
      const opened = await jwtDecrypt<{ content: Content }>(sealed, key, options).catch(() => undefined)
      return opened?.payload.content
    },
  }
}
