/**
 * Records that wait to be written: in order, so many a turn of the event loop, and never more than the memory is good for.
 *
 * @module
 */

import { within } from '../async/deadline.js'

/** Options of {@link RecordQueue}. */
export interface RecordQueueOptions<Item> {
  /** Writes items, all or none of them: what it rejects with makes the same items come again. */
  readonly write: (items: readonly Item[]) => Promise<void>
  /** A write that takes longer counts as failed until it ends: a disk that hangs may never answer. `undefined`: `write` has a bound itself. */
  readonly overdueMs?: number | undefined
  /** Told once when writing begins to fail, or the queue is full. */
  readonly onFailure: (reason: unknown) => void
  /** Told when writing works again. `lost`: items that found no place in the meantime. */
  readonly onRecovery: (lost: number) => void
}

/** Items that may wait: some 40 MB. */
export const maxQueued = 20_000

/** Items of one write: their hashes take about two milliseconds. */
const maxBatch = 500

const retryMs = 1000

/** How long a write may take before it counts as failed for who closes. */
const closeMs = 5000

/** Writes what it is given in batches, one after the other. */
export class RecordQueue<Item> {
  readonly #options: RecordQueueOptions<Item>
  readonly #items: { readonly item: Item; readonly since: number }[] = []
  #run: Promise<void> | undefined
  #failure: unknown
  #lost = 0
  /** Items that were added, and those of them that are written. */
  #added = 0
  #written = 0
  #isClosing = false
  #isClosed = false
  #endPause: (() => void) | undefined

  constructor(options: RecordQueueOptions<Item>) {
    this.#options = options
  }

  get size(): number {
    return this.#items.length
  }

  /** Age of the oldest item, in milliseconds; 0 when none waits. */
  get lagMs(): number {
    const oldest = this.#items[0]
    return oldest === undefined ? 0 : Math.max(0, Math.round(performance.now() - oldest.since))
  }

  /** Why writing fails; `undefined` while it works. */
  get failure(): unknown {
    return this.#failure
  }

  /** Adds an item. Where the queue is full, it is lost, and counted. After the end nothing is taken. */
  push(item: Item): void {
    if (this.#isClosed) return
    if (this.#items.length >= maxQueued) {
      this.#lost++
      this.#fail(new Error(`${maxQueued} records wait to be written, which is all there is place for`))
      return
    }
    this.#items.push({ item, since: performance.now() })
    this.#added++
    this.#run ??= this.#writeAll()
  }

  /** Resolves when all that waits at the call is written, or cannot be written now. To wait for what comes later could take for ever. */
  async settle(): Promise<void> {
    const last = this.#added
    while (this.#written < last && this.#run !== undefined && this.#failure === undefined) {
      await Promise.race([this.#run, new Promise((resolve) => setTimeout(resolve, 20).unref())])
    }
  }

  /** Writes what waits, with one more try where that fails. Resolves with the number of items that were not written. */
  async close(): Promise<number> {
    this.#isClosing = true
    this.#endPause?.()
    await within(Promise.resolve(this.#run), closeMs, () => new Error('timed out')).catch(() => undefined)
    this.#isClosed = true
    return this.#items.length + this.#lost
  }

  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#items.length > 0) {
      const batch = this.#items.slice(0, maxBatch)
      const wasClosing = this.#isClosing
      const endWatch = this.#watchWrite()
      try {
        await this.#options.write(batch.map(({ item }) => item))
      } catch (error) {
        this.#fail(error)
        if (wasClosing) break
        await this.#pause()
        continue
      } finally {
        endWatch()
      }
      this.#items.splice(0, batch.length)
      this.#written += batch.length
      this.#recover()
    }
    this.#run = undefined
  }

  #watchWrite(): () => void {
    const { overdueMs } = this.#options
    if (overdueMs === undefined) return () => {}
    const late = (): void => this.#fail(new Error(`a write has not ended within ${overdueMs} ms`))
    const timer = setTimeout(late, overdueMs).unref()
    return () => clearTimeout(timer)
  }

  #fail(error: unknown): void {
    const isFirst = this.#failure === undefined
    this.#failure = error
    if (isFirst) this.#options.onFailure(error)
  }

  #recover(): void {
    if (this.#failure === undefined) return
    const lost = this.#lost
    this.#failure = undefined
    this.#lost = 0
    this.#options.onRecovery(lost)
  }

  /** Whoever closes does not wait for the end of it. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#isClosing ? 0 : retryMs).unref()
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
