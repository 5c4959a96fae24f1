/**
 * Writes the tables of docs/configuration.md: every key of `deployment.toml` that is read, from the schemas that read them; and
 * the anchors of the codes in docs/errors.md, which the log names.
 *
 * `npm run config-reference` writes them; a test compares them.
 *
 * @module
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import { deploymentSchema } from '../lib/config/checks/known-keys.js'
import { effectiveValues } from '../lib/config/schema/user-store/inferred-values.js'
import type { UserStoreKey } from '../lib/config/schema/user-store/user-store-keys.js'

type Schema = z.core.JSONSchema.BaseSchema

const page = fileURLToPath(new URL('../docs/configuration.md', import.meta.url))
const begin = '<!-- config-reference: npm run config-reference -->'
const end = '<!-- /config-reference -->'

/** Has the keys of `[user_store]` once more, or the same by other names. */
const leftOut = new Set(['user_store.properties', 'user_store.secondary'])

/** The page with the tables as they should be, and as it is. */
export function readReference(): { readonly expected: string; readonly actual: string } {
  const actual = readFileSync(page, 'utf8')
  const [before, rest = ''] = actual.split(begin)
  return { actual, expected: `${before}${begin}\n\n${createTables()}\n${end}${rest.split(end)[1]}` }
}

const errorsPage = fileURLToPath(new URL('../docs/errors.md', import.meta.url))

/** The page of the errors with an anchor for each code in the first column, and as it is. */
export function readErrors(): { readonly expected: string; readonly actual: string } {
  const actual = readFileSync(errorsPage, 'utf8')
  const expected = actual.replace(/^\| (?:<a id="[^"]*"><\/a>)?`ERR_[^|]*/gm, (cell) =>
    cell.replace(
      /(?:<a id="[^"]*"><\/a>)?`(ERR_\w+)`/g,
      (_, code: string) => `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    ),
  )
  return { actual, expected }
}

/** One section for each table of the file; tables with the same keys share one. */
function createTables(): string {
  const sections = new Map<string, string[]>()
  visitTable(deploymentSchema(), '', false, (heading, rows) => {
    if (rows.length === 0) return
    const body = ['| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
    sections.set(body, [...(sections.get(body) ?? []), heading])
  })
  return [...sections].map(([body, headings]) => `### ${headings.join(', ')}\n\n${body}\n`).join('\n')
}

function visitTable(
  schema: Schema,
  path: string,
  isArray: boolean,
  emit: (heading: string, rows: readonly string[]) => void,
): void {
  const tables: (() => void)[] = []
  const rows: string[] = []
  const visitKeys = ({ properties = {} }: Schema, prefix: string): void => {
    for (const [name, value] of Object.entries(properties)) {
      const inner = value as Schema
      const at = path === '' ? name : `${path}.${name}`
      const entry = inner.items as Schema | undefined
      if (leftOut.has(at)) continue
      if (entry?.properties !== undefined) {
        if (inner.description !== undefined) rows.push(createRow(`[[${name}]]`, { ...inner, unit: 'tables' }))
        tables.push(() => visitTable(entry, at, true, emit))
      } else if (!isTable(inner)) {
        const absent = inner['absent'] ?? (path === 'user_store' ? describeInferred(name as UserStoreKey) : undefined)
        rows.push(createRow(`${prefix}${name}`, { ...inner, absent }))
      } else if (isArray) visitKeys(inner, `${prefix}${name}.`)
      else tables.push(() => visitTable(inner, at, false, emit))
    }
  }
  visitKeys(schema, '')
  emit(isArray ? `\`[[${path}]]\`` : `\`[${path}]\``, rows)
  for (const visit of tables) visit()
  const others = schema.additionalProperties
  if (typeof others === 'object' && isTable(others)) visitTable(others, `${path}.<name>`, false, emit)
}

function isTable({ properties, additionalProperties: others }: Schema): boolean {
  return properties !== undefined || (typeof others === 'object' && others.properties !== undefined)
}

function createRow(key: string, schema: Schema): string {
  const { description = '', absent = describeDefault(schema.default) } = schema
  return `| ${[`\`${key}\``, describeValue(schema), absent, description].join(' | ')} |`
}

function describeDefault(value: unknown): string {
  const isNothing = value === undefined || (Array.isArray(value) && value.length === 0)
  return isNothing ? 'none' : `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``
}

/** What WSO2 infers for a key of a user store, where types differ with the type before each value but the first. */
function describeInferred(key: UserStoreKey): string | undefined {
  const types = new Map<string, string>()
  for (const type of ['read_only_ldap', 'read_write_ldap', 'active_directory', 'database'] as const) {
    const value = effectiveValues(type, {})[key]
    const text = describeDefault(value)
    if (value !== undefined && !types.has(text)) types.set(text, types.size === 0 ? text : `\`${type}\`: ${text}`)
  }
  return types.size === 0 ? undefined : [...types.values()].join('; ')
}

function describeValue({ unit, items, enum: words }: Schema): string {
  if (typeof unit === 'string') return unit
  if (words !== undefined) return words.map((word) => `\`"${word}"\``).join(', ')
  return items === undefined ? 'text' : `list: ${describeValue(items as Schema)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(page, readReference().expected)
  writeFileSync(errorsPage, readErrors().expected)
}
