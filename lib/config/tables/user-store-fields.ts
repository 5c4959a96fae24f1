/**
 * Values of `[user_store]`: as keys, and as properties of the Carbon user store.
 *
 * @module
 */

import * as z from 'zod'
import { javaRegex } from '../../internal/java-regex.js'
import { parseDuration } from '../durations.js'
import { type Field, field, flag, integer, refuseAt, type TableContext, text } from '../fields.js'
import {
  type UserStoreKeyType,
  type UserStoreValues,
  type UserStoreValueTypes,
  userStoreKeys,
} from '../known-keys/user-store-keys.js'

const unset = z.literal('').transform(() => undefined)

const pattern: Field<string | undefined> = field((value, refuse) => {
  if (typeof value !== 'string') return refuse('must be a text in quotes')
  try {
    javaRegex(value)
    return value === '' ? undefined : value
  } catch {
    return refuse('must be a regular expression that JavaScript can read')
  }
})

/** Zero and less mean the default, as they do with WSO2. */
const delay: Field<number | undefined> = field((value, refuse) => {
  const written = typeof value === 'number' ? String(value) : value
  if (typeof written !== 'string') return refuse('must be a number of milliseconds')
  if (written === '' || /^(?:0+|-\d+)$/.test(written)) return undefined
  return parseDuration(written, 'ms') ?? refuse('must be a number of milliseconds, or a duration such as "30s"')
})

const fieldOf: { readonly [Type in UserStoreKeyType]: Field<UserStoreValueTypes[Type] | undefined> } = {
  text,
  markup: text.transform((value) => value.replaceAll('&amp;', '&')),
  pattern,
  flag: z.union([flag, unset], { error: 'must be true or false' }),
  number: z.union([integer(-1, Number.MAX_SAFE_INTEGER), unset], { error: 'must be a whole number' }),
  delay,
}

const keys = Object.entries(userStoreKeys) as [string, readonly [type: UserStoreKeyType, property?: string]][]

function fieldsBy(nameOf: (key: string, property: string | undefined) => string | undefined) {
  const named = keys.map(([key, [type, property]]) => [nameOf(key, property), fieldOf[type].optional()] as const)
  return Object.fromEntries(named.filter(([name]) => name !== undefined)) as Record<string, z.ZodType>
}

const otherProperty = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a text, a number, true or false',
})

/** The keys of `[user_store]`, and `[user_store.properties]` with the properties that have a key and any others. */
export const storeFields: Record<string, z.ZodType> = {
  ...fieldsBy((key) => key),
  properties: z
    .object(
      fieldsBy((_key, property) => property),
      { error: 'must be a table' },
    )
    .catchall(otherProperty)
    .optional(),
}

/** What a table says, each value once: a property stands for its key, and must not contradict it. */
export function storeValues(table: Readonly<Record<string, unknown>>, context: TableContext): UserStoreValues {
  const properties = (table['properties'] ?? {}) as Readonly<Record<string, unknown>>
  const values = keys.map(([key, [, property]]) => {
    const written = table[key]
    const other = property === undefined ? undefined : properties[property]
    if (written !== undefined && other !== undefined && written !== other) {
      refuseAt(context, ['properties', property!], `must not contradict user_store.${key}; write only one of them`)
    }
    return [key, written ?? other] as const
  })
  return Object.fromEntries(values)
}
