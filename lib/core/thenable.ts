/**
 * What other code answers with at once or later: a promise, of this realm or another, or anything that can be awaited.
 *
 * @module
 */

/** Whether `await` would wait for this. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** Goes on with a value, at once if it is there already. */
export function andThen<Value, Result>(
  value: Value | PromiseLike<Value>,
  next: (value: Value) => Result | PromiseLike<Result>,
): Result | Promise<Result> {
  return isThenable(value) ? Promise.resolve(value).then(next) : (next(value) as Result | Promise<Result>)
}
