/**
 * Checks the secrets of confidential clients before the provider sees the request: guesses meet a throttle, as those of passwords
 * do, and each refusal is an event.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { Request } from 'express'
import { TooManyRequestsError, UnavailableError } from '../core/errors.js'
import type { ClientRefusal, SecurityEvents } from '../core/events.js'
import { parseBasic } from '../internal/authorization-header.js'
import { isCrossSite } from '../internal/cross-site.js'
import { clientAddress } from '../internal/trust-proxy.js'
import type { LoginThrottle } from '../users/login-throttle.js'
import { createClientSecrets } from './client-secrets.js'

/** Options of {@link createClientAuthentication}. */
export interface ClientAuthenticationOptions {
  /** The hash of each confidential client. */
  readonly hashes: ReadonlyMap<string, string>
  /** Counts wrong secrets of a client id from a source. Absent: guesses are not limited. */
  readonly throttle: LoginThrottle | undefined
  readonly events: SecurityEvents | undefined
  readonly clock: () => number
}

/** Authenticates clients. */
export interface ClientAuthentication {
  /** Stands for a secret that was found right: the only one that the provider takes. It never leaves the process. */
  readonly provenSecret: string
  /**
   * Checks the secret that a request shows, and replaces a right one in the form. Resolves with the `Authorization` header that
   * the provider has to see.
   *
   * @throws {@link TooManyRequestsError} with `Retry-After`, and {@link UnavailableError} when too many secrets wait.
   */
  authenticate(request: Request, form: URLSearchParams): Promise<string | undefined>
}

/** Longest client id in an event. */
const maxClientIdLength = 128

/** Makes the authentication of one authorization server. */
export function createClientAuthentication(options: ClientAuthenticationOptions): ClientAuthentication {
  const { hashes, throttle, events, clock } = options
  const provenSecret = randomBytes(32).toString('base64url')
  const isSecretOf = createClientSecrets(hashes)

  function report(clientId: string, address: string | undefined, reason: ClientRefusal): void {
    const shown = clientId.slice(0, maxClientIdLength)
    events?.report('clientRefused', { at: clock(), address, clientId: shown, reason })
  }

  async function isRight({ clientId, secret }: ShownSecret, address: string | undefined): Promise<boolean> {
    const attempt = await throttle?.begin(clientId, address)
    if (attempt?.isAllowed === false) {
      report(clientId, address, 'throttled')
      const headers = { 'Retry-After': String(attempt.retryAfterSeconds) }
      throw new TooManyRequestsError('ERR_LOGIN_THROTTLED', 'Too many wrong secrets. Try again later.', { headers })
    }
    try {
      const isGood = await isSecretOf(clientId, secret)
      if (isGood) attempt?.succeeded()
      else attempt?.failed()
      if (!isGood) report(clientId, address, hashes.has(clientId) ? 'wrong-secret' : 'unknown-client')
      return isGood
    } catch (error) {
      if (error instanceof UnavailableError) report(clientId, address, 'overloaded')
      throw error
    } finally {
      // Does nothing when the outcome is known.
      attempt?.cancelled()
    }
  }

  return {
    provenSecret,

    async authenticate(request, form) {
      const { authorization } = request.headers
      const shown = shownSecret(authorization, form)
      // What is malformed the provider refuses, whatever it shows: it takes no client's own secret.
      if (shown === undefined || !(await isRight(shown, sourceOf(request)))) return authorization
      if (shown.isInForm) {
        form.set('client_secret', provenSecret)
        return authorization
      }
      return `Basic ${Buffer.from(`${encodeURIComponent(shown.clientId)}:${provenSecret}`).toString('base64')}`
    },
  }
}

/** What another site makes a browser send counts apart: it must not lock the client out. */
function sourceOf(request: Request): string | undefined {
  const address = clientAddress(request)
  return isCrossSite(request) ? `another site, by ${address}` : address
}

interface ShownSecret {
  readonly clientId: string
  readonly secret: string
  readonly isInForm: boolean
}

/** RFC 6749 section 2.3.1: by Basic or in the form, never both ways. */
function shownSecret(authorization: string | undefined, form: URLSearchParams): ShownSecret | undefined {
  const secrets = form.getAll('client_secret')
  if (authorization !== undefined) return secrets.length > 0 ? undefined : basicSecret(authorization)
  const clientIds = form.getAll('client_id')
  const [clientId, secret] = [clientIds[0], secrets[0]]
  if (clientIds.length !== 1 || secrets.length !== 1 || !clientId || !secret) return undefined
  return { clientId, secret, isInForm: true }
}

/** Both parts of a Basic header are form-encoded (RFC 6749 appendix B). `undefined` when they are not. */
export function basicSecret(authorization: string | undefined): ShownSecret | undefined {
  const { name, password } = parseBasic(authorization) ?? {}
  if (!name || !password) return undefined
  try {
    return { clientId: formDecoded(name), secret: formDecoded(password), isInForm: false }
  } catch {
    return undefined
  }
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
