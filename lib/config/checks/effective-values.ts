/**
 * What holds: the value of each key that is read, written or not, and where it comes from. Secrets are masked.
 *
 * @module
 */

import type * as z from 'zod'
import type { Position } from '../../core/errors.js'
import type { Interpretation } from '../interpret.js'
import { usesUserStore } from '../schema/user-store/carbon-database.js'
import { effectiveValues } from '../schema/user-store/inferred-values.js'
import { formatKey, isSecretKey, type KeyPath } from '../values/key-path.js'
import { hasPlaceholder, listPlaceholders } from '../values/placeholders.js'
import { isTree, type Tree, type TreeValue, valueAt } from '../values/tree.js'
import { hasCredentials, type Locate } from './findings.js'
import { deploymentSchema } from './known-keys.js'

type Schema = z.core.JSONSchema.BaseSchema

/**
 * Where a value comes from. `inferred`: from other keys, or from what WSO2 assumes. `environment` and the like: from what a
 * placeholder names, which is written at `position`.
 */
export interface ValueOrigin {
  readonly kind: 'file' | 'default' | 'inferred' | 'environment' | 'system-property' | 'reference' | 'secret'
  /** What the placeholders name. */
  readonly names?: readonly string[]
  readonly position?: Position | undefined
}

export interface EffectiveValue {
  readonly key: string
  /** A text in JSON's form; of a value that is inferred, what the documentation says of it. */
  readonly value: string
  readonly origin: ValueOrigin
}

export const mask = '(a secret)'

/** In the order of the schemas. Tables of a list, and those with a free name, are those of the file. */
export function listEffectiveValues(interpretation: Interpretation, locate: Locate): readonly EffectiveValue[] {
  const { values, listed } = interpretation
  const found: EffectiveValue[] = []
  const usesStore = usesUserStore(values)

  function visit(schema: Schema, path: KeyPath): void {
    const { properties = {}, additionalProperties: others } = schema
    const written = valueAt(listed, path)
    for (const [name, inner] of Object.entries(properties)) visitKey(inner as Schema, [...path, name])
    if (typeof others !== 'object' || others.properties === undefined || !isTree(written)) return
    for (const name of Object.keys(written).filter((name) => !(name in properties))) {
      if (isTree(written[name])) visit(others, [...path, name])
    }
  }

  function visitKey(schema: Schema, path: KeyPath): void {
    if (path.length === 1 && isUnused(String(path[0]))) return
    const entry = schema.items as Schema | undefined
    const written = valueAt(listed, path)
    if (entry?.properties !== undefined) {
      if (Array.isArray(written)) for (const index of written.keys()) visit(entry, [...path, index])
      else addDefault(schema, path)
    } else if (isTableSchema(schema)) {
      // What is optional and not written is not there.
      if (written !== undefined || 'default' in schema) visit(schema, path)
    } else if (written === undefined) addDefault(schema, path)
    else found.push(describeWritten(schema, path, written))
  }

  function isUnused(table: string): boolean {
    return !usesStore && ['datasource', 'realm_manager', 'super_admin'].includes(table)
  }

  function describeWritten(schema: Schema, path: KeyPath, written: TreeValue): EffectiveValue {
    const names = listPlaceholders(written)
    const position = locate(interpretation.asWritten(path))
    const kind = names[0]?.kind
    const origin: ValueOrigin =
      kind === undefined
        ? { kind: 'file', position }
        : { kind: originKinds[kind], names: names.map(({ name }) => name), position }
    return {
      key: formatKey(interpretation.asWritten(path)),
      value: showWritten(schema, path, written, valueAt(values, path)),
      origin,
    }
  }

  function addDefault(schema: Schema, path: KeyPath): void {
    if (path[0] === 'user_store' && !usesStore && !/^recheck_/.test(String(path[1]))) return
    const key = formatKey(interpretation.asWritten(path))
    const add = (value: string, kind: 'default' | 'inferred'): void => {
      // The others with names of secrets are numbers and times, which the documentation has.
      found.push({ key, value: /pass|secret/i.test(String(path.at(-1))) ? mask : value, origin: { kind } })
    }
    const { default: value, absent } = schema
    const inferred = inferredFor(path, listed)
    if (inferred !== undefined) add(JSON.stringify(inferred), 'inferred')
    else if (key === 'internal_apis.file_user_store.enable' && usesStore) add('false', 'inferred')
    else if (value !== undefined) add(JSON.stringify(value), 'default')
    else if (typeof absent === 'string' && absent !== 'none' && !absent.startsWith('required')) {
      const [, code] = /^`([^`]+)`$/.exec(absent) ?? []
      // Where another key is meant, that one is listed.
      if (!/^`[a-z_]+`$/.test(absent) || code === 'true' || code === 'false') {
        add(code ?? absent.replaceAll('`', ''), code === undefined ? 'inferred' : 'default')
      }
    }
  }

  visit(deploymentSchema(), [])
  return found
}

const originKinds = { env: 'environment', sys: 'system-property', ref: 'reference', secret: 'secret' } as const

function isTableSchema({ properties, additionalProperties: others }: Schema): boolean {
  return properties !== undefined || (typeof others === 'object' && others.properties !== undefined)
}

/** What WSO2 infers for a user store of the kind that is written. Properties stand for keys, which are told. */
function inferredFor(path: KeyPath, listed: Tree): TreeValue {
  if (path[0] !== 'user_store' || path.length !== 2) return undefined
  const store = valueAt(listed, ['user_store'])
  const type = isTree(store) ? String(store['type'] ?? '').replace(/_unique_id$/, '') : ''
  if (!isTree(store) || !isStoreKind(type)) return undefined
  const values = effectiveValues(type, { base_dn: typeof store['base_dn'] === 'string' ? store['base_dn'] : undefined })
  const value = values[String(path[1]) as keyof typeof values]
  return path[1] === 'base_dn' ? undefined : value
}

function isStoreKind(type: string): type is 'read_only_ldap' | 'read_write_ldap' | 'active_directory' | 'database' {
  return ['read_only_ldap', 'read_write_ldap', 'active_directory', 'database'].includes(type)
}

/** Names with the ends of {@link isSecretKey} whose values are no secrets. */
const harmlessName = /(?:regex|_msg|digest|method|expiry|_age|_file|_interval|_endpoint|_url|_uris?)$/i

/** Further names of secrets: those of keys and hashes. */
const keyName = /(?:^|_)(?:key|hash|pem|jwk)$|private/i

function showWritten(schema: Schema, path: KeyPath, written: TreeValue, value: TreeValue): string {
  const name = String(path.findLast((step) => typeof step === 'string'))
  if (isHarmless(schema, value)) return JSON.stringify(value)
  if (keyName.test(name) || (isSecretKey(path) && !harmlessName.test(name))) return mask
  // What a placeholder stands for may be a secret, whatever its key.
  return showText(written)
}

function showText(value: TreeValue): string {
  if (Array.isArray(value)) return `[${value.map(showText).join(', ')}]`
  if (typeof value !== 'string') return isTree(value) ? 'a table' : JSON.stringify(value)
  return hasCredentials.test(value) || (!hasPlaceholder(value) && /:.*@/.test(value)) ? mask : JSON.stringify(value)
}

const harmlessValue = /^(?:-?\d+|\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)|true|false)$/i

/** A number, a flag, a duration and one of some words keep no secret, where the key is for one. */
function isHarmless({ unit, enum: words }: Schema, value: TreeValue): boolean {
  if (words !== undefined) return words.includes(value as string)
  const isCounted = typeof unit === 'string' && /^(?:boolean|number|duration)/.test(unit)
  return isCounted && typeof value !== 'object' && harmlessValue.test(String(value))
}
