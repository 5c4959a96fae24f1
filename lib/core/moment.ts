/**
 * Moments by two clocks: the monotonic one stands still while the machine sleeps, and the other one can be set.
 *
 * @module
 */

/** When something was, by both clocks. */
export interface Moment {
  /** Milliseconds of `performance.now`. */
  readonly monotonic: number
  /** Milliseconds since the epoch. */
  readonly wall: number
}

/** Before everything. */
export const never: Moment = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY }

export function presentMoment(): Moment {
  return { monotonic: performance.now(), wall: Date.now() }
}

/** Milliseconds since a moment, by the clock that says more. */
export function msSince({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall)
}
