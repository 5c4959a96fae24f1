/**
 * Tells service providers that a user has signed out (OpenID Connect Back-Channel Logout 1.0). Nothing waits for it: what cannot be
 * delivered is tried again for a while, then logged.
 *
 * @module
 */

import { hash, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { networkSet } from '../addresses/network-set.js'
import { isPublicAddress } from '../addresses/special-use.js'
import { inBackground } from '../async/background.js'
import { createLimiter, type Limiter } from '../async/limiter.js'
import type { OauthConfig } from '../config/config.js'
import type { Logger } from '../core/logger.js'
import type { KeySet } from '../tokens/keys/signing-key.js'
import { ForbiddenAddressError, guardedPost, type LookupAll } from './guarded-post.js'

/** What {@link createLogoutNotices} works with. */
export interface LogoutNoticesParts {
  readonly oauth: Pick<OauthConfig, 'issuer' | 'serviceProviders' | 'backchannelLogoutAllow'>
  readonly keySet: Pick<KeySet, 'privateKey' | 'signing'>
  readonly logger: Logger
  readonly clock: () => number
  /** @defaultValue that of the system */
  readonly lookup?: LookupAll | undefined
  /** Waits before the next attempt. @defaultValue by a timer that keeps no process alive */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}

/** Sends logout tokens. No call waits, throws or rejects. */
export interface LogoutNotices {
  /** Whether any service provider is told anything. */
  readonly isUsed: boolean
  /** Tells one service provider of the end of a sign-on; without `sid`, of all of the user. */
  send(clientId: string, subject: string, sid: string | undefined): void
  /** Tells all of the end of a sign-on, by the id of its record; without it, of all of the user. */
  sendToAll(subject: string, recordId: string | undefined): void
  /** Ends what is under way, and says how much was not delivered. */
  close(): void
}

/** Before the attempts after the first one. */
const pausesMs: readonly number[] = [1000, 5000, 25_000]

/** For one attempt. */
const attemptMs = 5000

/** Of one service provider: what is sent at a time, and what waits for it. */
const maxRunning = 4
const maxUndelivered = 1000

/** Section 2.4 recommends two minutes at the most. */
const logoutTokenSeconds = 120

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** The name that a client knows a sign-on by: in its ID tokens, and in logout tokens. */
export function sessionNameFor(recordId: string, clientId: string): string {
  return hash('sha256', `sid ${recordId} ${clientId}`, 'base64url')
}

export function createLogoutNotices(parts: LogoutNoticesParts): LogoutNotices {
  const { logger, wait = waitByTimer } = parts
  const { serviceProviders, backchannelLogoutAllow } = parts.oauth
  const receivers = new Map(
    serviceProviders.flatMap(({ clientId, backchannelLogoutUri }) =>
      backchannelLogoutUri === undefined ? [] : [[clientId, createReceiver(new URL(backchannelLogoutUri))] as const],
    ),
  )
  const isListed = networkSet(backchannelLogoutAllow)
  const isAllowed = (address: string): boolean => isListed(address) || isPublicAddress(address)
  const closing = new AbortController()

  /** A new token for each attempt: the one before may have arrived, and no token is taken twice. */
  async function attempt(clientId: string, { url, limiter }: Receiver, claims: object): Promise<number> {
    return limiter.run(async () => {
      const logout_token = await signLogoutToken(parts, clientId, claims)
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(attemptMs)])
      return guardedPost(url, new URLSearchParams({ logout_token }), { isAllowed, signal, lookup: parts.lookup })
    }, closing.signal)
  }

  async function deliver(clientId: string, receiver: Receiver, claims: object): Promise<void> {
    for (const [index, pauseMs] of [...pausesMs, undefined].entries()) {
      const outcome: unknown = await attempt(clientId, receiver, claims).catch((cause: unknown) => cause)
      if (outcome === 200 || outcome === 204) return
      if (pauseMs === undefined || isFinal(outcome) || closing.signal.aborted) {
        const told = { client: clientId, attempts: index + 1, cause: describeOutcome(outcome) }
        logger.error(told, 'a service provider was not told of a sign-out')
        return
      }
      await wait(pauseMs, closing.signal)
    }
  }

  function send(clientId: string, subject: string, sid: string | undefined): void {
    const receiver = receivers.get(clientId)
    if (receiver === undefined || closing.signal.aborted) return
    if (receiver.undelivered >= maxUndelivered) {
      logger.error({ client: clientId }, 'a service provider was not told of a sign-out: too many wait to be delivered')
      return
    }
    receiver.undelivered++
    const claims = sid === undefined ? { sub: subject } : { sub: subject, sid }
    inBackground(() => deliver(clientId, receiver, claims).finally(() => receiver.undelivered--))
  }

  return {
    isUsed: receivers.size > 0,
    send,
    sendToAll(subject, recordId) {
      for (const clientId of receivers.keys()) {
        send(clientId, subject, recordId === undefined ? undefined : sessionNameFor(recordId, clientId))
      }
    },
    close: () => closing.abort(new Error('the front was closed')),
  }
}

/** What would be the same at the next attempt: a refusal, a redirect, an address that must not be called. */
function isFinal(outcome: unknown): boolean {
  return typeof outcome === 'number' ? outcome < 500 && outcome !== 429 : outcome instanceof ForbiddenAddressError
}

function describeOutcome(outcome: unknown): unknown {
  return typeof outcome === 'number' ? new Error(`the answer was ${outcome}`) : outcome
}

/** Where a service provider is told, and what is on the way there: one that does not answer delays no other. */
interface Receiver {
  readonly url: URL
  readonly limiter: Limiter
  undelivered: number
}

function createReceiver(url: URL): Receiver {
  const createOverloadError = (): Error => new Error('too many wait to be delivered')
  return {
    url,
    limiter: createLimiter({ maxRunning, maxWaiting: maxUndelivered, createOverloadError }),
    undelivered: 0,
  }
}

function signLogoutToken(
  { oauth, keySet, clock }: LogoutNoticesParts,
  audience: string,
  claims: object,
): Promise<string> {
  const seconds = Math.floor(clock() / 1000)
  const { kid, algorithm } = keySet.signing
  return new SignJWT({ ...claims, events: { [logoutEvent]: {} } })
    .setProtectedHeader({ alg: algorithm, kid, typ: 'logout+jwt' })
    .setIssuer(oauth.issuer)
    .setAudience(audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + logoutTokenSeconds)
    .setJti(randomUUID())
    .sign(keySet.privateKey)
}

function waitByTimer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    timer.unref()
    signal.addEventListener('abort', end, { once: true })
  })
}
