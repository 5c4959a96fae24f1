/**
 * The kinds of values that keys take. Each message is the rule of its key; what was written instead is added later.
 *
 * @module
 */

import * as z from 'zod'
import { type DurationUnit, durationRule, parseDuration } from './durations.js'

/** Reads one value, or one table, of the configuration. */
export type Field<T> = z.ZodType<T>

/**
 * Refuses a value. The rule shows nothing of it; a hint may, and is left out where the value is not the one that is
 * written in the file. It returns what Zod asks a failing reader to return.
 */
export type Refuse = (rule: string, hint?: string) => never

/** Where readers of a whole table report mistakes between its keys. */
export type TableContext = z.core.$RefinementCtx

/** Reports a mistake between keys, at one below the table that is being read. `related` is a path from the root. */
export function refuseAt(
  context: TableContext,
  path: (string | number)[],
  rule: string,
  related?: (string | number)[],
): void {
  context.issues.push({
    code: 'custom',
    path,
    message: rule,
    input: undefined,
    params: { related, depth: path.length },
  })
}

/** A value with a reader of its own. */
export function field<T>(read: (value: unknown, refuse: Refuse) => T): Field<T> {
  return z.unknown().transform((value, context) =>
    read(value, (rule, hint) => {
      context.issues.push({ code: 'custom', message: rule, input: value, params: { hint } })
      return z.NEVER
    }),
  )
}

/** A table. Keys that are not in the shape are left to the catalogue of known keys. */
export function table<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape> {
  return z.object(shape, { error: 'must be a table' })
}

/** An array of tables. An entry that was refused is `undefined` when the table around it is read. */
export function tables<T>(entry: Field<T>): Field<(T | undefined)[]> {
  return z.array(entry.optional(), { error: 'must be an array of tables, written with [[ ]]' })
}

/** `true` or `false`, in quotes or not. WSO2 takes every other quoted text for `false`; here it is a mistake. */
export const flag: Field<boolean> = z.union(
  [
    z.boolean(),
    z
      .string()
      .regex(/^(?:true|false)$/i)
      .transform((text) => text.toLowerCase() === 'true'),
  ],
  { error: 'must be true or false' },
)

/** A whole number, in quotes or not. */
export function integer(min: number, max: number, remark = ''): Field<number> {
  const error = `must be a whole number from ${min} to ${max}${remark}`
  const quoted = z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number)
  return z.union([z.number(), quoted], { error }).pipe(z.int({ error }).min(min, { error }).max(max, { error }))
}

/** A text, empty or not. */
export const text: Field<string> = z.string({ error: 'must be a text in quotes' })

/** A text that is not empty and has no control characters. */
export const filledText: Field<string> = z
  .string({ error: 'must be a text in quotes' })
  .regex(/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u, {
    error: 'must be a text that is not blank and has no control characters',
  })

/** A text as {@link filledText}, or an empty one, which files that are made from a template have for what was not given. */
export const textOrNone: Field<string | undefined> = z.union([z.literal('').transform(() => undefined), filledText], {
  error: 'must be a text that is not blank and has no control characters',
})

/** A list of texts that are not blank. */
export const textList: Field<string[]> = z.array(filledText, { error: 'must be a list of texts' })

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]]): Field<Word> {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` })
}

/**
 * A duration, in seconds. Below a second it keeps its decimals. A bare number is only taken where a unit is given for it.
 */
export function duration(unitWhenMissing?: DurationUnit): Field<number> {
  return field((value, refuse) => {
    const written = typeof value === 'number' && unitWhenMissing !== undefined ? String(value) : value
    const milliseconds = typeof written === 'string' ? parseDuration(written, unitWhenMissing) : undefined
    return milliseconds === undefined ? refuse(durationRule) : milliseconds / 1000
  })
}

/** Splits a text at commas and trims its parts, or takes the parts of a list; `undefined` when it is neither. */
export function partsOf(value: unknown): string[] | undefined {
  const parts: unknown = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return undefined
  return parts.map((part) => part.trim())
}
