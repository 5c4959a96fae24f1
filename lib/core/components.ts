/**
 * The schemas that have a name in the OpenAPI document. They are kept apart from the global registry of zod, which an app may use for
 * schemas of its own.
 *
 * @module
 */

import * as z from 'zod'

/** Names of schemas: `#/components/schemas/{id}` in the document. */
export const components: z.core.$ZodRegistry<{ readonly id: string }> = z.registry<{ readonly id: string }>()

/** Gives a schema a name and says what it describes. */
export function component<Schema extends z.ZodType>(id: string, description: string, schema: Schema): Schema {
  const named = schema.describe(description)
  components.add(named, { id })
  return named
}

/** A moment, as a text of ISO 8601 in UTC with milliseconds. */
export function moment(description: string): z.ZodString {
  return z.string().meta({ description, format: 'date-time', examples: ['2026-11-29T15:00:00.000Z'] })
}

/** How many entries of a list there are. */
export function count(description: string): z.ZodInt {
  return z.int().nonnegative().describe(description)
}

/** The members of an object of a type that is written elsewhere, each of them and no other. */
export type Shape<T> = { readonly [Key in keyof Required<T>]: z.ZodType<T[Key]> }
