/**
 * Keeps the time of a failed login from telling why it failed.
 *
 * @module
 */

/**
 * Waits until a failed login has taken `floorMs` since `begunAt` (`performance.now()`), or the next multiple of it where the
 * work took longer: under load, too, the answer comes at a step that many reasons share.
 *
 * It ends early when `signal` is aborted: then nobody is there to see it.
 */
export function failureFloor(begunAt: number, floorMs: number, signal?: AbortSignal): Promise<void> {
  if (floorMs <= 0 || signal?.aborted) return Promise.resolve()
  const elapsed = performance.now() - begunAt
  const steps = Math.max(1, Math.ceil(elapsed / floorMs))

  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, steps * floorMs - elapsed)
    signal?.addEventListener('abort', end, { once: true })
  })
}
