/**
 * Checks the secrets of confidential clients before the provider sees the request: guesses are throttled, as those of passwords
 * are, and each refusal is an event.
 *
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { TooManyRequestsError, UnavailableError } from '../core/errors.js'
import type { Client, ClientRefusal } from '../core/events.js'
import { parseBasic } from '../http/authorization-header.js'
import { readClient } from '../http/client.js'
import { isCrossSite } from '../http/cross-site.js'
import { createHashQueue, verifyPassword } from '../users/passwords/password-hash.js'
import { createLoginThrottle, type LoginThrottle, type LoginThrottleOptions } from '../users/throttle/login-throttle.js'
import type { OauthParts } from './parts.js'

/**
 * Makes a throttle that counts by client and source, and by source. Guesses from elsewhere count nothing for a client: it may
 * show its secret from anywhere for the first time.
 */
export function createClientThrottle(
  options: LoginThrottleOptions,
  create: (options: LoginThrottleOptions) => LoginThrottle = createLoginThrottle,
): LoginThrottle {
  return create({ ...options, maxUserFailures: Number.MAX_SAFE_INTEGER })
}

/**
 * Checks the secret that a request shows. Resolves with the client whose secret it is; `undefined` without a right one.
 *
 * Rejects with `TooManyRequestsError` with `Retry-After`, and with `UnavailableError` when too many secrets wait.
 */
export type ClientAuthentication = (request: Request, form: URLSearchParams) => Promise<string | undefined>

const maxReportedLength = 128

export function createClientAuthentication(parts: OauthParts): ClientAuthentication {
  const { providers, clientThrottle, events, clock } = parts
  const isSecret = createSecretCheck()

  async function isRight({ clientId, secret }: ShownSecret, client: Client): Promise<boolean> {
    const report = (reason: ClientRefusal): void => {
      events?.report('clientRefused', {
        at: clock(),
        ...client,
        clientId: clientId.slice(0, maxReportedLength),
        reason,
      })
    }
    const attempt = await clientThrottle?.start(clientId, client.address)
    if (attempt?.isAllowed === false) {
      report('throttled')
      const headers = { 'Retry-After': String(attempt.retryAfterMs / 1000) }
      throw new TooManyRequestsError('ERR_LOGIN_THROTTLED', 'Too many wrong secrets. Try again later.', { headers })
    }
    try {
      const hashes = providers.get(clientId)?.secretHashes ?? []
      const isGood = await isSecret(secret, hashes)
      if (isGood) await attempt?.succeed()
      else await attempt?.fail()
      if (!isGood) report(hashes.length === 0 ? 'unknown-client' : 'wrong-secret')
      return isGood
    } catch (error) {
      if (error instanceof UnavailableError) report('overloaded')
      throw error
    } finally {
      // Does nothing when the outcome is known.
      attempt?.cancel()
    }
  }

  return async function authenticateClient(request, form) {
    const shown = shownSecret(request, form)
    // What is malformed the provider refuses.
    if (shown === undefined) return undefined
    const client = readClient(request)
    // What another site makes a browser send counts apart: it must not lock the client out.
    const address = isCrossSite(request) ? `another site, by ${client.address}` : client.address
    return (await isRight(shown, { ...client, address })) ? shown.clientId : undefined
  }
}

/**
 * A hash is made to be slow, and a client shows its secret at every call: one that was right is remembered for its hash, under a
 * key that ends with the process. Wrong ones are hashed one after the other, beside the queue of logins, so that guesses of
 * secrets delay no login. While a client changes its secret, there are two hashes.
 */
function createSecretCheck(): (secret: string, hashes: readonly string[]) => Promise<boolean> {
  const queue = createHashQueue({ parallel: 1 })
  const key = randomBytes(32)
  const known = new Map<string, Buffer>()

  return async function isSecret(secret, hashes) {
    const digest = createHmac('sha256', key).update(secret).digest()
    const isKnown = (hash: string): boolean => {
      const good = known.get(hash)
      return good !== undefined && timingSafeEqual(good, digest)
    }
    if (hashes.some(isKnown)) return true
    for (const hash of hashes) {
      // Asked again: another call of the client may have shown the same secret while this one waited.
      if (!(await queue.run(async () => isKnown(hash) || verifyPassword(secret, hash)))) continue
      known.set(hash, digest)
      return true
    }
    return false
  }
}

interface ShownSecret {
  readonly clientId: string
  readonly secret: string
}

/** RFC 6749 section 2.3.1: by Basic or in the form, never both ways. */
function shownSecret({ headers: { authorization } }: Request, form: URLSearchParams): ShownSecret | undefined {
  const [secret, ...others] = form.getAll('client_secret')
  if (authorization !== undefined) return secret === undefined ? basicSecret(authorization) : undefined
  const [clientId, ...otherIds] = form.getAll('client_id')
  return clientId && secret && others.length + otherIds.length === 0 ? { clientId, secret } : undefined
}

/** A client without a secret that sends an empty one, which says the same (RFC 6749 section 2.3.1): oidc-agent does. */
export function publicClientId(authorization: string | undefined): string | undefined {
  const { name, password } = parseBasic(authorization) ?? {}
  return password === '' && name !== undefined ? decodeFormText(name) : undefined
}

function decodeFormText(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Both parts of a Basic header are form-encoded (RFC 6749 appendix B). `undefined` when they are not. */
export function basicSecret(authorization: string | undefined): ShownSecret | undefined {
  const { name, password } = parseBasic(authorization) ?? {}
  if (!name || !password) return undefined
  const [clientId, secret] = [decodeFormText(name), decodeFormText(password)]
  return clientId === undefined || secret === undefined ? undefined : { clientId, secret }
}
