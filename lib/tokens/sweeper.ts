/**
 * Calls for cleaning up now and then, in slices that leave the event loop free in between.
 *
 * @module
 */

/** Runs `sweepSlice` every interval, and again right away for as long as it says that there is more to do. */
export class Sweeper {
  readonly #intervalMs: number
  readonly #sweepSlice: () => boolean
  #timer: NodeJS.Timeout | undefined
  #nextSlice: NodeJS.Immediate | undefined

  constructor(intervalSeconds: number, sweepSlice: () => boolean) {
    this.#intervalMs = intervalSeconds * 1000
    this.#sweepSlice = sweepSlice
  }

  /** Starts the timer unless it runs. It does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#sweep(), this.#intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#nextSlice)
    this.#timer = undefined
    this.#nextSlice = undefined
  }

  #sweep(): void {
    clearImmediate(this.#nextSlice)
    this.#nextSlice = this.#sweepSlice() ? setImmediate(() => this.#sweep()) : undefined
  }
}
