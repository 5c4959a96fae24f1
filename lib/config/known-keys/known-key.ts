/**
 * The catalogue of known keys as a tree of names.
 *
 * @module
 */

import type { z } from 'zod'
import { riskyKeys, unreadKeys } from './our-tables.js'

/** A name in the catalogue. */
export interface KnownKey {
  /** What may stand below it; `*` stands for any name. */
  readonly children: Map<string, KnownKey>
  /** Everything below it is known. */
  isOpen: boolean
  /** A reader in `tables/` takes its value, or values below it. */
  isRead: boolean
  /** What is read where the file has nothing. */
  defaultValue: unknown
  /** Why it is better not there. */
  advice: string | undefined
}

/** Builds the catalogue of what a reader takes and what is known beside that. */
export function catalogueOf(reader: z.ZodType): KnownKey {
  const root = newKey()
  addReader(root, reader)
  for (const [table, keys] of Object.entries(unreadKeys)) {
    childOf(root, table)
    for (const key of keys) addNames(root, [table, ...key.split('.')])
  }
  for (const [key, advice] of Object.entries(riskyKeys)) addNames(root, key.split('.')).advice = advice
  return root
}

/** The key of a name below another; `undefined` when it is not known. */
export function childNamed(key: KnownKey, name: string): KnownKey | undefined {
  return key.children.get(name) ?? key.children.get('*')
}

/** Every default, by dotted key. */
export function defaultsOf(root: KnownKey): Map<string, unknown> {
  const defaults = new Map<string, unknown>()
  const visit = (key: KnownKey, path: string): void => {
    if (key.children.size === 0 && key.defaultValue !== undefined) defaults.set(path, key.defaultValue)
    for (const [name, child] of key.children) visit(child, path === '' ? name : `${path}.${name}`)
  }
  visit(root, '')
  return defaults
}

function newKey(): KnownKey {
  return { children: new Map(), isOpen: false, isRead: false, defaultValue: undefined, advice: undefined }
}

function childOf(key: KnownKey, name: string): KnownKey {
  const known = key.children.get(name) ?? newKey()
  key.children.set(name, known)
  return known
}

function addNames(root: KnownKey, names: readonly string[]): KnownKey {
  let key = root
  for (const name of names) {
    if (name === '**') key.isOpen = true
    else key = childOf(key, name)
  }
  return key
}

/** Adds what a reader takes: the readers themselves say which keys they know, so that no second list goes stale. */
function addReader(key: KnownKey, reader: z.core.$ZodType): void {
  key.isRead = true
  const { def } = reader._zod as unknown as { def: ReaderDefinition }
  if (def.type === 'prefault') key.defaultValue = def.defaultValue
  if (def.shape !== undefined) {
    for (const [name, inner] of Object.entries(def.shape)) addReader(childOf(key, name), inner)
  }
  const others = def.valueType ?? def.catchall
  // A table that passes other keys on does not know them for that.
  if (others !== undefined && others._zod.def.type !== 'unknown') addReader(childOf(key, '*'), others)
  const inner = def.innerType ?? def.in ?? def.element
  if (inner !== undefined) addReader(key, inner)
}

/** The parts of a Zod schema's definition that lead to the schemas in it. */
interface ReaderDefinition {
  readonly type: string
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly valueType?: z.core.$ZodType
  readonly catchall?: z.core.$ZodType
  readonly element?: z.core.$ZodType
  readonly defaultValue?: unknown
}
