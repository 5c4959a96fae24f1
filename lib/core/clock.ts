/**
 * The default clock.
 *
 * @module
 */

/** Milliseconds since the epoch. It asks `Date.now` each time: a test that exchanges the clock of its process moves this one too. */
export const systemClock = (): number => Date.now()
