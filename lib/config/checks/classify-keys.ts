/**
 * What becomes of each key of a file.
 *
 * @module
 */

import type { Interpretation } from '../interpret.js'
import { isCarbonFile, usesUserStore } from '../schema/user-store/carbon-database.js'
import { namedDatasources } from '../schema/user-store/datasource.js'
import { isWithin, type KeyPath } from '../values/key-path.js'
import { PathSet } from '../values/path-set.js'
import { isTree, type Tree, type TreeValue, valueAt } from '../values/tree.js'
import type { Finding } from './findings.js'
import { childNamed, defaultValues, type KnownKey, knownKeys } from './known-keys.js'
import { securityNote } from './security-keys.js'

/**
 * - `used`: it has an effect here.
 * - `other`: it is for another product, or another part of one.
 * - `without-effect`: it is about security, and has no effect here.
 * - `risky`: it takes effect, and weakens something.
 * - `unknown`: nobody knows it.
 * - `mistake`: it stops the start.
 */
export type KeyClass = 'used' | 'other' | 'without-effect' | 'risky' | 'unknown' | 'mistake'

/** One key of a file: a value, a list of values, or an empty table. */
export interface ClassifiedKey {
  readonly path: KeyPath
  readonly class: KeyClass
  /** Why it has no effect, and what to do instead, where no finding says so. */
  readonly note?: string | undefined
}

/** Classifies every key, in the order of the file. `risks`: what was found besides. */
export function classifyKeys(
  { source, values, mistakes, warnings, unknown }: Interpretation,
  risks: readonly Finding[],
): readonly ClassifiedKey[] {
  const found = [...warnings, ...risks]
  const pathsOf = (list: readonly Finding[]): PathSet => new PathSet(list.map(({ path }) => path))
  const unknownTables = new PathSet(unknown)
  const wrong = pathsOf(mistakes)
  // The one warning that counts what nobody knows is about no risk.
  const isCount = ({ path, rule }: Finding): boolean => path === unknown[0] && rule.includes('not known here')
  const risky = pathsOf(found.filter((finding) => !finding.isIdle && !isCount(finding)))
  const idle = pathsOf(found.filter(({ isIdle }) => isIdle === true))
  const idleNote = createIdleNote(source, values)

  function classify(path: KeyPath): Omit<ClassifiedKey, 'path'> {
    const known = keyAt(path, source)
    // A finding is about a key itself, or a part of it; of some kinds also about a table around it.
    if (wrong.hasWithin(path) || (known === undefined && wrong.hasAround(path))) return { class: 'mistake' }
    if (risky.hasWithin(path)) return { class: 'risky' }
    if (idle.hasWithin(path) || idle.hasAround(path)) return { class: 'without-effect' }
    if (unknownTables.hasAround(path)) return { class: 'unknown' }
    const isIdle = idleNote(path)
    if (isIdle !== undefined) return isIdle
    if (isUsed(path, known, source)) return { class: 'used' }
    const note = securityNote(path)
    return note === undefined ? { class: 'other' } : { class: 'without-effect', note }
  }

  return listKeys(source).map((path) => ({ path, ...classify(path) }))
}

function listKeys(source: Tree): KeyPath[] {
  const paths: KeyPath[] = []
  const visit = (value: TreeValue, path: KeyPath): void => {
    const entries = isTree(value)
      ? Object.entries(value)
      : Array.isArray(value) && value.some(isTree)
        ? [...value.entries()]
        : []
    if (entries.length === 0 && path.length > 0) paths.push(path)
    for (const [step, inner] of entries) visit(inner, [...path, step])
  }
  visit(source, [])
  return paths
}

interface FoundKey {
  readonly key: KnownKey
  /** Everything below a key that it is in is known. */
  readonly isOpen: boolean
}

/** `undefined` for a key that the catalogue does not have. */
function keyAt(path: KeyPath, source: Tree): FoundKey | undefined {
  const names = path.filter((step) => typeof step === 'string')
  // Identity Server's ids are names of tables.
  if (names[0] === 'datasource' && isTree(source['datasource'])) names.splice(1, 1)
  let key = knownKeys()
  let isOpen = false
  for (const name of names) {
    const child = childNamed(key, name)
    if (child === undefined) return isOpen ? { key, isOpen } : undefined
    key = child
    isOpen ||= key.isOpen
  }
  return { key, isOpen }
}

function isUsed(path: KeyPath, found: FoundKey | undefined, source: Tree): boolean {
  if (isReadElsewhere(path, source)) return true
  if (found === undefined || !found.key.isRead) return false
  return found.key.children.size === 0 ? found.key.description?.startsWith('no effect') !== true : !found.isOpen
}

/** What is said of keys of tables that this file does not use. */
function createIdleNote(source: Tree, values: Tree): (path: KeyPath) => Omit<ClassifiedKey, 'path'> | undefined {
  const usesStore = usesUserStore(values)
  const named = namedDatasources(values, usesStore, defaultValues().get('realm_manager.data_source'))
  return (path) => {
    const [table, step] = path
    if (table === 'datasource' && step !== undefined) {
      const id = typeof step === 'string' ? step : valueAt(source, ['datasource', step, 'id'])
      return named.has(String(id)) ? undefined : { class: 'other' }
    }
    if (usesStore) {
      const note = 'the users come from a directory or a database'
      return isWithin(path, ['internal_apis', 'users']) ? { class: 'without-effect', note } : undefined
    }
    if (!storeTables.includes(String(table)) || /^recheck_/.test(String(step))) return undefined
    return { class: 'without-effect', note: 'the users come from [[internal_apis.users]]' }
  }
}

const storeTables = ['user_store', 'realm_manager', 'super_admin']

/** What is read without a schema: secrets, and the users' database of API Manager and Identity Server. */
function isReadElsewhere(path: KeyPath, source: Tree): boolean {
  if (path[0] === 'secrets' || isWithin(path, ['encryption', 'key'])) return true
  if (!isCarbonFile(source)) return false
  const name = ['user', 'shared_db'].find((table) => isTree(valueAt(source, ['database', table])))
  return name !== undefined && isWithin(path, ['database', name])
}
