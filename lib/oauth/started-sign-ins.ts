/**
 * Sign-ins that were started, and in which nobody has shown a password yet. Anybody can start one, so the server keeps nothing of
 * them: each is sealed into the address of its login page, and nobody can evict the one of another.
 *
 * @module
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { EncryptJWT, type JWTPayload, jwtDecrypt } from 'jose'
import type { AdapterPayload } from 'oidc-provider'

/** The started sign-ins of one process. */
export interface StartedSignIns {
  /** Seals a sign-in. Only this process can read or make the text. */
  seal(payload: AdapterPayload): Promise<string>
  /** Runs `work`, in which {@link find} knows the sealed sign-in; none when the text is not ours, or has expired. */
  within<Result>(sealed: string, work: () => Promise<Result>): Promise<Result>
  /** The sign-in of this id, inside of {@link within}. */
  find(id: string): AdapterPayload | undefined
}

/** Makes the key, which ends with the process as what it seals does. */
export function createStartedSignIns(lifeSeconds: number, clock: () => number): StartedSignIns {
  const key = randomBytes(32)
  const opened = new AsyncLocalStorage<AdapterPayload>()

  async function open(sealed: string): Promise<AdapterPayload | undefined> {
    try {
      const { payload } = await jwtDecrypt<{ signIn: AdapterPayload }>(sealed, key, { currentDate: new Date(clock()) })
      return payload.signIn
    } catch {
      return undefined
    }
  }

  return {
    seal(payload) {
      return new EncryptJWT({ signIn: payload } as JWTPayload)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(new Date(clock() + lifeSeconds * 1000))
        .encrypt(key)
    },

    async within(sealed, work) {
      const payload = await open(sealed)
      return payload === undefined ? work() : opened.run(payload, work)
    },

    find(id) {
      const payload = opened.getStore()
      return payload?.jti === id ? payload : undefined
    },
  }
}
