/**
 * The kinds of values that keys take. Each message is the rule of its key; what was written instead is added later.
 *
 * @module
 */

import * as z from 'zod'
import { durationRule, parseDuration } from '../values/durations.js'

export type Field<T> = z.ZodType<T>

/**
 * Refuses a value. The rule shows nothing of it; a hint may, and is left out where the value is not the one that is
 * written in the file. It returns what Zod asks a failing reader to return.
 */
export type Refuse = (rule: string, hint?: string) => never

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

export function field<T>(read: (value: unknown, refuse: Refuse) => T): Field<T> {
  return z.unknown().transform((value, context) =>
    read(value, (rule, hint) => {
      context.issues.push({ code: 'custom', message: rule, input: value, params: { hint } })
      return z.NEVER
    }),
  )
}

/** A table. Keys that are not in the shape are left to the catalogue of known keys. */
export function table<Shape extends z.ZodRawShape>(shape: Shape): Field<z.output<z.ZodObject<Shape>>> {
  return z.object(shape, { error: 'must be a table' })
}

/** An array of tables. An entry that was refused is `undefined` when the table around it is read. */
export function tables<T>(entry: Field<T>): Field<(T | undefined)[]> {
  return z.array(entry.optional(), { error: 'must be an array of tables, written with [[ ]]' })
}

/**
 * Reports every name that an earlier entry has, at the `pathTo` it. With `root`, the path of the table that is being read, the
 * message says where the earlier one is.
 */
export function refuseRepeated(
  context: TableContext,
  names: readonly (string | undefined)[],
  pathTo: (index: number) => (string | number)[],
  rule: string,
  root?: readonly string[],
): void {
  const seen = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue
    const first = seen.get(name)
    if (first === undefined) seen.set(name, index)
    else refuseAt(context, pathTo(index), rule, root && [...root, ...pathTo(first)])
  }
}

/** `true` or `false`, in quotes or not. WSO2 takes every other quoted text for `false`; here it is a mistake. */
export const flag: Field<boolean> = z
  .union(
    [
      z.boolean(),
      z
        .string()
        .regex(/^(?:true|false)$/i)
        .transform((text) => /^t/i.test(text)),
    ],
    {
      error: 'must be true or false',
    },
  )
  .meta({ unit: 'boolean' })

/** A whole number, in quotes or not. The unit is part of the message. */
export function integer(min: number, max: number, unit?: string): Field<number> {
  const range = `from ${min} to ${max}${unit === undefined ? '' : ` (${unit})`}`
  const error = `must be a whole number ${range}`
  const quoted = z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number)
  const whole = z.int({ error }).min(min, { error }).max(max, { error })
  return z
    .union([z.number(), quoted], { error })
    .pipe(whole)
    .meta({ unit: `number ${range}`, minimum: min, maximum: max })
}

export const text: Field<string> = z.string({ error: 'must be a text in quotes' })

const filledRule = 'must be a text that is not blank and has no control characters'

export const filledText: Field<string> = z
  .string({ error: 'must be a text in quotes' })
  .regex(/^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$/u, { error: filledRule })

/** A text as {@link filledText}, or an empty one, which files that are made from a template have for what was not given. */
export const textOrNone: Field<string | undefined> = z
  .union([z.literal('').transform(() => undefined), filledText], { error: filledRule })
  .meta({ unit: 'text' })

export const textList: Field<string[]> = z.array(filledText, { error: 'must be a list of texts' })

/** A hash that can be verified: argon2id, scrypt or bcrypt. `rest` ends the message. */
export function passwordHash(rest: string): Field<string> {
  const error = `must be a hash from "npx sallyport hash-password"${rest}`
  return z
    .string({ error })
    .regex(/^\$(?:argon2id|scrypt|2[aby])\$/, { error })
    .meta({ unit: 'hash' })
}

export function oneOf<const Word extends string>(words: readonly [Word, ...Word[]]): Field<Word> {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` })
}

/** In milliseconds, at least one. A bare number is only taken where a unit is given for it. */
export function duration(unitWhenMissing?: 'm'): Field<number> {
  return field((value, refuse) => {
    const written = typeof value === 'number' && unitWhenMissing !== undefined ? String(value) : value
    const milliseconds = typeof written === 'string' ? parseDuration(written, unitWhenMissing) : undefined
    return milliseconds === undefined ? refuse(durationRule) : Math.max(1, milliseconds)
  }).meta(
    unitWhenMissing === undefined
      ? { unit: 'duration', type: 'string' }
      : { unit: 'duration; a bare number counts minutes', type: ['string', 'number'] },
  )
}

/** Rounds milliseconds up, for what a token can say in seconds only. */
export function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000) * 1000
}

/** Splits a text at commas and trims its parts, or takes the parts of a list; `undefined` when it is neither. */
export function readParts(value: unknown): string[] | undefined {
  const parts: unknown = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return undefined
  return parts.map((part) => part.trim())
}
