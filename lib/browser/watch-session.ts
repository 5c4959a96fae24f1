/**
 * The browser's side of a portal session, for the pages of a portal: warns before the session ends, goes to the login
 * page when it is over, and to the portal's refusal when its user may not enter any more. It needs no bundler and no other
 * package; a page imports it as an ES module.
 *
 * The server decides. This module asks it before it warns and before it leaves the page, and keeps the page while the
 * server cannot be reached.
 *
 * @module
 */

import { type Deadline, deadlineOf, retryDelayMs, secondsUntil } from './countdown.js'
import { type SessionAnswer, sessionClient } from './session-client.js'
import { englishTexts, type SessionTexts } from './session-texts.js'
import { sessionWarning } from './session-warning.js'

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
  /** Texts of the warning in place of the English ones. */
  readonly texts?: Partial<SessionTexts>
}

/** A session that is watched. */
export interface SessionWatch {
  /** Ends the watch, and closes the warning. The session stays as it is. */
  stop(): void
}

/** What a tab knows, and tells the others: those who know otherwise ask the server. */
type View = 'quiet' | 'warning' | 'over'

/** A computer that slept is noticed after at most this time. */
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
  const client = sessionClient(base)
  const warning = sessionWarning({ ...englishTexts, ...texts }, { onStay: extend, onSignOut: signOut })
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

  /** One request at a time: an older answer never comes after a newer one. */
  function ask(tellsOthers = true): Promise<void> {
    exchange ??= take(client.ask(), tellsOthers)
    return exchange
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
    // There the server says why, with a way to sign in as somebody else.
    if (answer.kind === 'forbidden') return leave(`${base}/`)

    const now = performance.now()
    failures = 0
    deadline = deadlineOf(answer.times, now, warnBeforeMs)
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
    // Not every monotonic clock counts while a computer sleeps. The date may be wrong, but asking too early is no harm.
    askAtByDate = Date.now() + delay
    tick()
  }

  function tick(): void {
    clearTimeout(timer)
    const now = performance.now()
    if (now >= askAt || Date.now() >= askAtByDate) void ask()
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
    // The login page itself may watch: it is where everybody goes already.
    if (location.pathname !== `${base}/login`) location.replace(url)
  }

  function stop(): void {
    ended.abort()
    clearTimeout(timer)
    otherTabs.close()
    warning.hide()
  }

  otherTabs.addEventListener('message', ({ data }) => data !== view && void ask(false), { signal })
  // A tab that was suspended, a window that is looked at again, a network that is back.
  document.addEventListener('visibilitychange', () => document.hidden || void ask(), { signal })
  for (const name of ['focus', 'online']) addEventListener(name, () => void ask(), { signal })
  // Only a page that comes back out of the browser's cache: one that has just been loaded asks anyway.
  addEventListener('pageshow', ({ persisted }) => persisted && void ask(), { signal })
  void ask()

  return { stop }
}
