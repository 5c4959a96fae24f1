/**
 * Bounds how long a login waits for a store: one that never answers must not keep the login's place for ever.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'

/** The end of waiting, whichever comes first: the time is up, or the caller has gone. */
export interface Deadline {
  /** Aborted with a {@link StoreError} when the time is up, and with the caller's reason when the caller has gone. */
  readonly signal: AbortSignal
  /** Takes the timer back. To be called when the work is done. */
  end(): void
}

/** Starts a deadline of `timeoutMs`, ended earlier by `caller`. */
export function startDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const timeOut = (): void => controller.abort(new StoreError(`no answer within ${timeoutMs} ms`))
  const callerGone = (): void => controller.abort(caller?.reason)
  const timer = setTimeout(timeOut, timeoutMs)
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

/** What `work` comes to, or a rejection with the reason of `signal` if that is aborted before. The work itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    const settled = (): void => signal.removeEventListener('abort', stop)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.finally(settled).then(resolve, reject)
  })
}
