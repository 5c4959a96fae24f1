/**
 * Checks of numbers that an app hands over: with `NaN`, every comparison with a limit is false.
 *
 * @module
 */

/** @throws TypeError for the first option, by its name, that is no number from `min` to `max`. */
export function assertNumbers(
  options: Readonly<Record<string, number>>,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  for (const [name, value] of Object.entries(options)) {
    const isInRange = typeof value === 'number' && value >= min && value <= max
    if (!isInRange) throw new TypeError(`"${name}" option must be a number from ${min} to ${max}`)
  }
}

/** As {@link assertNumbers}, for whole numbers. */
export function assertIntegers(
  options: Readonly<Record<string, number>>,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  for (const [name, value] of Object.entries(options)) {
    const isInRange = Number.isInteger(value) && value >= min && value <= max
    if (!isInRange) throw new TypeError(`"${name}" option must be an integer from ${min} to ${max}`)
  }
}
