/**
 * Durations as operators write them: `"90s"`, `"1.5 h"`.
 *
 * @module
 */

const toMilliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export type DurationUnit = keyof typeof toMilliseconds

const durationPattern = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/

export const durationRule = 'must be a duration above zero with a unit (ms, s, m, h or d), such as "90s"'

/**
 * Reads a duration as milliseconds, without rounding: `"0.5s"` is 500. The whole text has to be a duration: WSO2 looks for a
 * number anywhere in it and cuts decimals off, so that `"-5m"` is five minutes there.
 *
 * @param unitWhenMissing Unit of a bare number; without it a bare number is no duration.
 * @returns `undefined` when the text is not a duration, or the duration is zero or beyond what a number can count.
 */
export function parseDuration(text: string, unitWhenMissing?: DurationUnit): number | undefined {
  const match = durationPattern.exec(text)
  if (match === null) return undefined
  const unit = (match[2] as DurationUnit | undefined) ?? unitWhenMissing
  if (unit === undefined) return undefined
  const milliseconds = Number(match[1]) * toMilliseconds[unit]
  return milliseconds > 0 && milliseconds <= Number.MAX_SAFE_INTEGER ? milliseconds : undefined
}
