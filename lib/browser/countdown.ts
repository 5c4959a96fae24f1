/**
 * When a session ends, in milliseconds of a clock that is given.
 *
 * @module
 */

/** What is left of a session, as `GET <portal>/session` says. */
export interface SessionTimes {
  /** Until the session ends for lack of activity. */
  readonly idleRemainingMs: number
  /** Until it ends whatever is done. */
  readonly absoluteRemainingMs: number
  /** How long it lasts without activity. */
  readonly idleTimeoutMs: number
}

/** The end of a session, on a monotonic clock. */
export interface Deadline {
  readonly warnsAt: number
  readonly endsAt: number
  /** Whether activity postpones the end. */
  readonly canExtend: boolean
}

const firstRetryMs = 1000
const longestRetryMs = 30_000
/** Seconds before the end that a screen reader says. More would interrupt the user. */
const announcedSeconds = [30, 10]

/**
 * The end of a session whose times arrived at `now`. With a short idle time-out the warning begins half-way, so that it can
 * go away.
 */
export function createDeadline(times: SessionTimes, now: number, warnBeforeMs: number): Deadline {
  const { idleRemainingMs, absoluteRemainingMs, idleTimeoutMs } = times
  const endsAt = now + Math.max(0, Math.min(idleRemainingMs, absoluteRemainingMs))
  return {
    endsAt,
    warnsAt: endsAt - Math.min(warnBeforeMs, idleTimeoutMs / 2),
    canExtend: absoluteRemainingMs > idleRemainingMs,
  }
}

/** Whole seconds until `endsAt`, the one under way included. */
export function secondsUntil(endsAt: number, now: number): number {
  return Math.max(0, Math.ceil((endsAt - now) / 1000))
}

/** Minutes and seconds: `1:05`. */
export function minutesAndSeconds(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Whether a screen reader says the seconds, where `before` of them were left the last time. A tab may skip some. */
export function isAnnounced(seconds: number, before: number): boolean {
  return announcedSeconds.some((announced) => seconds <= announced && announced < before)
}

/** How long to wait before the server is asked again, after as many failures in a row. */
export function retryDelayMs(failures: number): number {
  return Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs)
}
