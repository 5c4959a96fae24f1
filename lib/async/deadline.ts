/**
 * Limits for how long is waited.
 *
 * The mechanisms in this folder are our own because cockatiel 4 needs Node 22, and p-limit has neither a bound for its queue nor
 * a signal.
 *
 * @module
 */

/** A time limit that the caller's signal can shorten. */
export interface Deadline {
  /** Aborted with the error of the deadline when the time is up, or with the caller's reason. */
  readonly signal: AbortSignal
  /** Clears the timer; from then on `signal` does not change. To be called when the work is done. */
  end(): void
}

/** The longest time of a timer, about 25 days. Node turns a longer one into a millisecond. */
export const maxTimerMs = 2_147_483_647

/** Starts a deadline. Its timer does not keep the process running: the work does. */
export function startDeadline(timeoutMs: number, createError: () => Error, caller?: AbortSignal): Deadline {
  const controller = new AbortController()
  const callerGone = (): void => controller.abort(caller?.reason)
  const timer = setTimeout(() => controller.abort(createError()), Math.min(timeoutMs, maxTimerMs))
  timer.unref()
  if (caller?.aborted) callerGone()
  caller?.addEventListener('abort', callerGone, { once: true })

  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', callerGone)
    },
  }
}

/**
 * The outcome of `work`, or a rejection with the reason of `signal` when that is aborted first. The work itself continues, and
 * its outcome is dropped.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const settled = (): void => signal.removeEventListener('abort', abort)
    work.finally(settled).then(resolve, reject)
  })
}

/** As {@link untilAborted}, with a time limit in place of the signal. */
export function within<T>(work: Promise<T>, timeoutMs: number, createError: () => Error): Promise<T> {
  const deadline = startDeadline(timeoutMs, createError)
  return untilAborted(work, deadline.signal).finally(deadline.end)
}
