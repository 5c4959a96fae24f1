/**
 * How long stores take, measured where they are asked.
 *
 * @module
 */

/** Told of each query of a store: how long it took in milliseconds, and why it failed. It must not throw. */
export type ObserveQuery = (durationMs: number, failure?: unknown) => void

/** Sends a query, and tells how it went. `isFailure`: whether an error is the store's fault, and no answer of its own. */
export async function observed<T>(
  observe: ObserveQuery | undefined,
  query: () => Promise<T>,
  isFailure: (error: unknown) => boolean = () => true,
): Promise<T> {
  if (observe === undefined) return query()
  const startedAt = performance.now()
  try {
    const answer = await query()
    observe(performance.now() - startedAt)
    return answer
  } catch (error) {
    observe(performance.now() - startedAt, isFailure(error) ? error : undefined)
    throw error
  }
}
