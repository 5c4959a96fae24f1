/**
 * Work that is not waited for, and whose failure does not end the process.
 *
 * @module
 */

/**
 * Starts work at once and waits for nothing. Where it throws or rejects, `onFailure` is called with the reason, later; a
 * failure of `onFailure` itself is dropped.
 */
export function inBackground(work: () => unknown, onFailure: (reason: unknown) => unknown = () => undefined): void {
  let result: unknown
  try {
    result = work()
  } catch (reason) {
    result = Promise.reject(reason)
  }
  Promise.resolve(result)
    .catch(onFailure)
    .catch(() => undefined)
}
