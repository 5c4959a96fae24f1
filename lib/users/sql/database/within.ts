/**
 * Time limits for work that knows none.
 *
 * @module
 */

import { SqlError } from './sql-database.js'

/**
 * The result of `work`, or a rejection with a `timeout` when it takes longer. The work itself goes on: whoever calls this
 * destroys the connection.
 */
export function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new SqlError('timeout', 'The database did not answer in time.')),
      Math.max(0, timeoutMs),
    )
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
