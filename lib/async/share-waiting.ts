/**
 * Shares work that many ask for.
 *
 * @module
 */

/**
 * Runs work one at a time. Calls that come while it runs share the next run: however many come, at most one waits, and none gets what was
 * begun before it came.
 */
export function shareWaiting<Argument, Result>(
  work: (argument: Argument) => Promise<Result>,
): (argument: Argument) => Promise<Result> {
  let isRunning = false
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<Result> | undefined

  function start(argument: Argument): Promise<Result> {
    isRunning = true
    const run = work(argument).finally(() => {
      isRunning = false
    })
    last = run.catch(() => {})
    return run
  }

  return (argument) => {
    if (!isRunning) return start(argument)
    waiting ??= last.then(() => {
      waiting = undefined
      return start(argument)
    })
    return waiting
  }
}
