/**
 * The session protocol of a portal, as a page speaks it.
 *
 * @module
 */

import type { SessionTimes } from './countdown.js'

/** What the server said; `unknown` when it said nothing that tells whether the session lives. */
export type SessionAnswer =
  | { readonly kind: 'live'; readonly times: SessionTimes }
  | { readonly kind: 'over' }
  /** The session lives, but its user may not use this portal any more. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'unknown' }

/** Requests to the portal. None of them rejects. */
export interface SessionClient {
  /** Asks for the remaining time, which is no activity. */
  ask(): Promise<SessionAnswer>
  /** Asks for the whole idle time-out again. */
  extend(): Promise<SessionAnswer>
  /** Ends the session; false when that may have failed. */
  signOut(): Promise<boolean>
}

const requestTimeoutMs = 10_000

export function createSessionClient(portal: string): SessionClient {
  return {
    ask: () => answerTo('GET', `${portal}/session`),
    extend: () => answerTo('POST', `${portal}/session`),

    async signOut() {
      const response = await send('POST', `${portal}/logout`)
      // The redirect to the login page is opaque: its status is hidden.
      return response !== undefined && (response.ok || response.type === 'opaqueredirect' || response.status === 401)
    },
  }
}

async function answerTo(method: string, url: string): Promise<SessionAnswer> {
  const response = await send(method, url)
  if (response?.status === 401) return { kind: 'over' }
  if (!response?.ok && response?.status !== 403) return { kind: 'unknown' }
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok && isTimes(answer)) return { kind: 'live', times: answer }
  const { code } = Object(answer) as { readonly code?: unknown }
  return entryCodes.has(code) ? { kind: 'forbidden' } : { kind: 'unknown' }
}

/** Refusals of the user. Any other 403 may be temporary: that of a proxy, or of an address. */
const entryCodes: ReadonlySet<unknown> = new Set(['ERR_ADMIN_REQUIRED', 'ERR_ROLE_REQUIRED'])

/** Follows no redirect: a proxy's own page says nothing about the session. */
async function send(method: string, url: string): Promise<Response | undefined> {
  const signal = AbortSignal.timeout(requestTimeoutMs)
  const headers = { Accept: 'application/json' }
  try {
    return await fetch(url, { method, headers, signal, cache: 'no-store', redirect: 'manual' })
  } catch {
    return undefined
  }
}

function isTimes(value: unknown): value is SessionTimes {
  const { idleRemainingMs, absoluteRemainingMs, idleTimeoutMs } = Object(value) as Partial<SessionTimes>
  return [idleRemainingMs, absoluteRemainingMs, idleTimeoutMs].every((time) => Number.isFinite(time))
}
