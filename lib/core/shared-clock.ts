/**
 * The clock of a shared store, which all processes follow, as this process knows it.
 *
 * @module
 */

/** How much faster than another a clock may be. */
const maxDrift = 1e-3

/** Of the clocks, in milliseconds. */
const resolution = 1

/** Milliseconds by which the clock never goes back: less is waited for. */
const maxStepBack = 1000

export class SharedClock {
  /** From the monotonic clock to that of the store. */
  #offset: number = performance.timeOrigin
  /** Milliseconds by which the offset may be wrong, at the monotonic time `#readAt`. */
  #error = Number.POSITIVE_INFINITY
  #readAt = 0
  #last = 0

  /** Milliseconds since the epoch. */
  readonly now = (): number => {
    const now = Math.floor(this.#offset + performance.now())
    const isJitter = now < this.#last && this.#last - now < maxStepBack
    if (!isJitter) this.#last = now
    return this.#last
  }

  /** Milliseconds by which `now` may be wrong. */
  get errorMs(): number {
    return this.#error + (performance.now() - this.#readAt) * maxDrift + resolution
  }

  /**
   * Takes the time that the store has answered, in milliseconds. An answer that was under way for long, as that to a process which stood
   * still, says little: it counts only where it cannot agree with what is known.
   */
  set(time: number, sentAt: number): void {
    const receivedAt = performance.now()
    const error = (receivedAt - sentAt) / 2
    const offset = time - (sentAt + receivedAt) / 2
    const isContradiction = Math.abs(offset - this.#offset) > error + this.errorMs
    if (error > this.errorMs - resolution && !isContradiction) return
    this.#offset = offset
    this.#error = error
    this.#readAt = receivedAt
  }
}
