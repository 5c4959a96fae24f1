/**
 * Which tables of two configurations differ, for the audit trail: their names, never their values.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Config } from '../config.js'
import { formatKey, type KeyPath } from '../values/key-path.js'
import { isTree, type Tree, type TreeValue } from '../values/tree.js'

/** Digests of the tables of each configuration, by name: nothing of a secret is kept for this. */
const listTables = new WeakMap<Config, ReadonlyMap<string, string>>()

export function noteTables(config: Config, values: Tree): void {
  const digests = new Map<string, string>()
  addTable([], values, digests)
  listTables.set(config, digests)
}

/** The names of tables that only one of the configurations has, or that hold other values, in alphabetical order. */
export function changedTables(before: Config, after: Config): readonly string[] {
  const [old, present] = [listTables.get(before), listTables.get(after)]
  const names = new Set([...(old?.keys() ?? []), ...(present?.keys() ?? [])])
  return [...names].filter((name) => old?.get(name) !== present?.get(name)).sort()
}

/** A list of tables counts as one table. */
function addTable(path: KeyPath, table: Tree, digests: Map<string, string>): void {
  const own: [string, TreeValue][] = []
  for (const [name, value] of Object.entries(table)) {
    const at = [...path, name]
    if (isTree(value)) addTable(at, value, digests)
    else if (Array.isArray(value) && value.some(isTree)) digests.set(formatKey(at), digest(value))
    else own.push([name, value])
  }
  if (own.length > 0) digests.set(formatKey(path), digest(own.sort(([a], [b]) => (a < b ? -1 : 1))))
}

function digest(value: unknown): string {
  return hash('sha256', JSON.stringify(value, withoutBigInt))
}

function withoutBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
