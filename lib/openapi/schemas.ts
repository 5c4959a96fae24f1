/**
 * Schemas of zod as those of OpenAPI 3.1, which are JSON Schema 2020-12. A schema that has a name is referred to.
 *
 * @module
 */

import * as z from 'zod'
import { components } from '../core/components.js'

export type JsonSchema = z.core.JSONSchema.JSONSchema

/** Collects the named schemas that a document refers to. */
export class SchemaCollector {
  readonly #found = new Map<string, JsonSchema>()

  /** The schema, or a reference to it where it has a name. */
  convert(schema: z.core.$ZodType): JsonSchema {
    const id = components.get(schema)?.id
    if (id === undefined) return this.#inline(schema)
    if (!this.#found.has(id)) {
      // It may be found once more on the way.
      this.#found.set(id, {})
      this.#found.set(id, this.#inline(schema))
    }
    return reference(id)
  }

  /** By name, in alphabetical order. */
  get schemas(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#found].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  /** What a client sends. An answer has no transformation in it, and may get further members in a later version. */
  #inline(root: z.core.$ZodType): JsonSchema {
    const { $schema: _, ...schema } = z.toJSONSchema(root, {
      target: 'draft-2020-12',
      io: 'input',
      override: ({ zodSchema, jsonSchema }) => {
        const id = zodSchema === root ? undefined : components.get(zodSchema)?.id
        if (id === undefined) {
          dropNeedless(jsonSchema)
          return
        }
        this.convert(zodSchema)
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key]
        Object.assign(jsonSchema, reference(id))
      },
    })
    return schema
  }
}

function reference(id: string): JsonSchema {
  return { $ref: `#/components/schemas/${id}` }
}

/** `readonly` is of TypeScript alone, and the bounds of what a number can hold exactly say nothing. */
function dropNeedless(schema: JsonSchema): void {
  delete schema.readOnly
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
}
