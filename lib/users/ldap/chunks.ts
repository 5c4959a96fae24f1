/**
 * Long lists in parts, so that one request neither takes every connection nor waits in hundreds of places at a time.
 *
 * @module
 */

/** The items in parts of at most `size`. */
export function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size))
}

/** Look-ups that run at a time. */
const atATime = 5

/** What `work` gives for each item, in their order, a few at a time. */
export async function mapInChunks<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const chunk of chunksOf(items, atATime)) results.push(...(await Promise.all(chunk.map(work))))
  return results
}
