/**
 * Watches a portal session in the browser: warns before it ends, then goes to the login page. A page imports it as an ES
 * module, without a bundler. The server decides: it is asked before the warning and before the page is left.
 *
 * @module
 */

import { createDeadline, type Deadline, retryDelayMs, secondsUntil } from './countdown.js'
import { createSessionClient, type SessionAnswer } from './session-client.js'
import { type SessionTexts, sessionTextsFor } from './session-texts.js'
import { createSessionWarning } from './session-warning.js'

export type { SessionTexts }

/** Options of {@link watchSession}. */
export interface WatchSessionOptions {
  /**
   * Path at which the portal is mounted.
   *
   * @example '/carbon'
   */
  readonly portal: string
  /**
   * How long before the end the warning opens, in milliseconds; at most half of the portal's idle time-out. Less than
   * 20 seconds are too few for many people.
   *
   * @defaultValue `60_000`
   */
  readonly warnBeforeMs?: number
  /** Texts of the warning. @defaultValue German where the language of the page (`<html lang>`) is German, else English */
  readonly texts?: Partial<SessionTexts>
}

/** A session that is watched. */
export interface SessionWatch {
  /** Ends the watch, and closes the warning. The session stays as it is. */
  stop(): void
}

/** What a tab knows and tells the others. A tab that knows otherwise asks the server. */
type View = 'quiet' | 'warning' | 'over'

/** Sleep of the computer is noticed after at most this time. */
const longestWaitMs = 30_000
const shortestWaitMs = 1000

/**
 * Watches the session of the page's user, in this tab and together with the portal's other tabs.
 *
 * @example
 * ```ts
 * watchSession({ portal: '/carbon' })
 * ```
 *
 * @throws TypeError for an option that cannot be right.
 */
export function watchSession({ portal, warnBeforeMs = 60_000, texts }: WatchSessionOptions): SessionWatch {
  if (typeof portal !== 'string' || !/^\/(?!\/)/.test(portal)) {
    throw new TypeError('the option "portal" must be a path, such as "/carbon"')
  }
  if (!Number.isFinite(warnBeforeMs) || warnBeforeMs <= 0) {
    throw new TypeError('the option "warnBeforeMs" must be a number of milliseconds above 0')
  }
  const base = portal.replace(/\/+$/, '')
  const client = createSessionClient(base)
  const page = sessionTextsFor(document.documentElement.lang)
  // Texts of the app are in the language of its page.
  const language = texts === undefined ? page.language : ''
  const warning = createSessionWarning({ ...page.texts, ...texts }, language, { onStay: extend, onSignOut: signOut })
  const otherTabs = new BroadcastChannel(`sallyport:${base}`)
  const ended = new AbortController()
  const { signal } = ended

  let view: View = 'quiet'
  let deadline: Deadline | undefined
  let failures = 0
  let askAt = 0
  let askAtByDate = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let exchange: Promise<void> | undefined

  /** One request at a time, so that no older answer comes after a newer one. */
  function ask(tellsOthers = true): void {
    exchange ??= take(client.ask(), tellsOthers)
  }

  async function extend(): Promise<void> {
    while (exchange !== undefined) await exchange
    exchange = take(client.extend(), true)
    await exchange
  }

  async function signOut(): Promise<void> {
    if (await client.signOut()) leave(`${base}/login`)
    else failed()
  }

  async function take(answering: Promise<SessionAnswer>, tellsOthers: boolean): Promise<void> {
    const answer = await answering
    exchange = undefined
    if (signal.aborted) return
    if (answer.kind === 'unknown') return failed()
    if (answer.kind === 'over') return leave(loginUrl())
    // The server's page says why, and offers another login.
    if (answer.kind === 'forbidden') return leave(`${base}/`)

    const now = performance.now()
    failures = 0
    deadline = createDeadline(answer.times, now, warnBeforeMs)
    view = now < deadline.warnsAt ? 'quiet' : 'warning'
    if (tellsOthers) otherTabs.postMessage(view)
    if (view === 'quiet') warning.hide()
    askIn((view === 'quiet' ? deadline.warnsAt : deadline.endsAt) - now)
  }

  function failed(): void {
    failures += 1
    askIn(retryDelayMs(failures))
  }

  function askIn(delayMs: number): void {
    const delay = Math.max(delayMs, shortestWaitMs)
    askAt = performance.now() + delay
    // Not every monotonic clock counts while a computer sleeps. Asking too early, by a wrong date, is harmless.
    askAtByDate = Date.now() + delay
    tick()
  }

  function tick(): void {
    clearTimeout(timer)
    const now = performance.now()
    if (now >= askAt || Date.now() >= askAtByDate) ask()
    if (view === 'warning' && deadline !== undefined) {
      const { endsAt, canExtend } = deadline
      warning.show({ secondsLeft: secondsUntil(endsAt, now), canExtend, isReachable: failures === 0 })
    }
    const untilAsked = exchange === undefined ? askAt - now : longestWaitMs
    timer = setTimeout(tick, Math.min(untilAsked, view === 'warning' ? shortestWaitMs : longestWaitMs))
  }

  function loginUrl(): string {
    const { pathname, search, hash } = location
    return `${base}/login?return_to=${encodeURIComponent(pathname + search + hash)}`
  }

  function leave(url: string): void {
    otherTabs.postMessage('over' satisfies View)
    stop()
    // The login page itself may watch.
    if (location.pathname !== `${base}/login`) location.replace(url)
  }

  function stop(): void {
    ended.abort()
    clearTimeout(timer)
    otherTabs.close()
    warning.hide()
  }

  otherTabs.addEventListener('message', ({ data }) => data !== view && ask(false), { signal })
  document.addEventListener('visibilitychange', () => document.hidden || ask(), { signal })
  for (const name of ['focus', 'online']) addEventListener(name, () => ask(), { signal })
  // Only a page out of the browser's cache: a new one asks anyway.
  addEventListener('pageshow', ({ persisted }) => persisted && ask(), { signal })
  ask()

  return { stop }
}
