/**
 * The JSON Schema of `deployment.toml`, for editors that complete and check TOML (`#:schema`). It is made from the schemas that
 * read the file, so that it has each key as soon as one of them does.
 *
 * It accepts every file that starts. What only the whole file can tell, such as a rule between two keys, stays with the start.
 *
 * @module
 */

import * as z from 'zod'
import { childNamed, type KnownKey, knownKeys } from './checks/known-keys.js'
import { isSharedTable } from './checks/our-tables.js'
import { deploymentTable } from './schema/deployment.js'

type Schema = z.core.JSONSchema.JSONSchema

/** Any value may be a placeholder, or a text with one in it. */
const placeholder: Schema = { type: 'string', pattern: '\\$(?:env|sys|ref|secret)\\{[^{}]+\\}' }

/** Draft 7, which the editors know. */
export function createDeploymentJsonSchema(): Schema {
  const read = z.toJSONSchema(deploymentTable, { target: 'draft-7', io: 'input', unrepresentable: 'any' })
  const schema = convert(read, knownKeys(), '', false)
  const { properties = {} } = schema
  // Identity Server has the ids as names of tables.
  const list = properties['datasource'] as Schema
  const description = 'The databases, as a list or by name.'
  const datasource = {
    description,
    anyOf: [list, { type: 'object', additionalProperties: list.items ?? true }],
  } as Schema
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'deployment.toml of Sallyport',
    ...schema,
    properties: { ...properties, datasource },
    // Tables of WSO2's products that are not read here; a key above the first header is a mistake.
    additionalProperties: { type: ['object', 'array'] },
  } as Schema
}

function convert(schema: Schema, known: KnownKey | undefined, path: string, isOpen: boolean): Schema {
  const isOpenBelow = isOpen || known?.isOpen === true
  if (schema.properties !== undefined || isTable(schema.additionalProperties)) {
    return convertTable(schema, known, path, isOpenBelow)
  }
  const entry = schema.items as Schema | undefined
  if (isTable(entry)) {
    const { default: _, ...rest } = describe(schema)
    return { ...rest, items: convert(entry, known, path, isOpenBelow) }
  }
  return acceptPlaceholder(describe(schema))
}

function isTable(schema: unknown): schema is Schema {
  return typeof schema === 'object' && schema !== null && 'properties' in schema
}

function convertTable(schema: Schema, known: KnownKey | undefined, path: string, isOpen: boolean): Schema {
  const { description } = schema
  const properties: Record<string, Schema> = {}
  const others = isTable(schema.additionalProperties)
    ? convert(schema.additionalProperties, known && childNamed(known, '*'), `${path}.*`, isOpen)
    : undefined
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    properties[name] = convert(inner as Schema, known?.children.get(name), join(path, name), isOpen)
  }
  const isClosed = path !== '' && !isOpen && !isSharedTable(path)
  if (isClosed) {
    for (const name of known?.children.keys() ?? []) {
      if (name !== '*') properties[name] ??= { description: 'No effect: a key of other products.' }
    }
  }
  return {
    ...(description !== undefined && { description }),
    type: 'object',
    properties,
    ...(schema.required !== undefined && { required: schema.required }),
    ...(others !== undefined ? { additionalProperties: others } : isClosed && { additionalProperties: false }),
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Unit and default become a part of the description, which is what editors show. */
function describe({ unit, absent, ...schema }: Schema): Schema {
  const { description, default: value } = schema
  const isNothing = value === undefined || (Array.isArray(value) && value.length === 0)
  const byDefault = absent ?? (isNothing ? undefined : `\`${JSON.stringify(value)}\``)
  const lines = [
    description === undefined ? undefined : `${description[0]?.toUpperCase()}${description.slice(1)}.`,
    typeof unit === 'string' ? `Value: ${unit}.` : undefined,
    typeof byDefault !== 'string'
      ? undefined
      : byDefault.startsWith('required')
        ? `${byDefault}.`
        : `Default: ${byDefault}.`,
  ]
  const text = lines.filter((line) => line !== undefined).join('\n\n')
  return { ...schema, ...(text !== '' && { description: text }) }
}

function acceptPlaceholder(schema: Schema): Schema {
  const { description, default: value, ...rest } = schema
  const outer = { ...(description !== undefined && { description }), ...(value !== undefined && { default: value }) }
  const { items } = rest
  const inner = (
    items === undefined ? rest : { ...rest, items: acceptPlaceholder(describe(items as Schema)) }
  ) as Schema
  if (acceptsEveryText(inner)) return { ...outer, ...inner } as Schema
  const { anyOf, ...bounds } = inner
  const choices = anyOf === undefined ? [inner] : anyOf.map((choice) => ignoreCase(choice as Schema))
  return { ...outer, ...(anyOf !== undefined && bounds), anyOf: [...choices, placeholder] } as Schema
}

/** Without a type, or with the type of texts among others. */
function acceptsEveryText({ type, pattern, enum: words, anyOf }: Schema): boolean {
  const types = type === undefined ? ['string'] : [type].flat()
  return anyOf === undefined && words === undefined && pattern === undefined && types.includes('string')
}

/** A flag in quotes may be written in capitals, which JSON Schema has no sign for. */
function ignoreCase({ unit: _, ...schema }: Schema): Schema {
  const { anyOf, pattern, items } = schema
  if (items !== undefined) return { ...schema, items: ignoreCase(items as Schema) } as Schema
  if (anyOf !== undefined) return { ...schema, anyOf: anyOf.map((choice) => ignoreCase(choice as Schema)) } as Schema
  if (pattern !== '^(?:true|false)$') return schema as Schema
  return { ...schema, pattern: '^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$' } as Schema
}
