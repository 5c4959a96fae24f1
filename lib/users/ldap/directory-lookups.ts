/**
 * Look-ups that take several searches, or need not be repeated.
 *
 * @module
 */

import type { Directory } from './directory.js'
import { isWithin, nameKey, parseName } from './distinguished-name.js'
import type { DirectoryEntry } from './ldap-connection.js'
import { hasResultCode, LdapError, resultCode } from './ldap-error.js'
import { anyEntry, anyOf, both, equals } from './ldap-filter.js'

/** The items in parts of at most `size`. */
export function splitChunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size))
}

/** Look-ups that run at a time, so that one request does not take every connection. */
const maxParallel = 5

/** What `work` gives for each item, in their order, a few at a time. */
export async function mapInChunks<T, Result>(
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const chunk of splitChunks(items, maxParallel)) results.push(...(await Promise.all(chunk.map(work))))
  return results
}

/**
 * Makes a function that tells whether the server's root entry (RFC 4512 section 5.1) has a value. The server is asked once, and
 * again after a failure.
 */
export function rootEntryHas(directory: Directory, attribute: string, value: string): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined

  async function ask(): Promise<boolean> {
    const wanted = { base: '', scope: 'base', filter: anyEntry, attributes: [attribute], maxEntries: 1 } as const
    const [root] = (await directory.search(wanted)).entries
    return root?.values(attribute).includes(value) ?? false
  }

  return async () => {
    answer ??= ask()
    try {
      return await answer
    } catch (error) {
      answer = undefined
      throw error
    }
  }
}

/** Names that one filter has: it stays a few kilobytes long. */
export const namesInFilter = 50

/** Other entries may have the same first part of a name. */
const maxEntries = 1000

/** The entries with these names; those that are gone, are not below a base or do not pass the filter are left out. */
export async function entriesAt(
  directory: Directory,
  dns: readonly string[],
  { bases, filter, attributes }: Readonly<Record<'bases' | 'attributes', readonly string[]> & { filter: string }>,
  signal: AbortSignal | undefined,
): Promise<readonly DirectoryEntry[]> {
  const wanted = [...new Set(dns)].filter((dn) => bases.some((base) => isWithin(dn, base)))
  const found = new Map<string, DirectoryEntry>()
  for (const chunk of splitChunks(wanted, namesInFilter)) {
    const names = both(filter, anyOf([...new Set(chunk.map(filterForName))]))
    for (const base of bases) {
      const search = { base, scope: 'sub', filter: names, attributes, maxEntries } as const
      const { entries, isCut } = await directory.searchPaged(search, signal).catch(noneWithoutBase)
      if (isCut) throw new LdapError('result', 'The directory gives only a part of the entries.')
      for (const entry of entries) found.set(entry.dn, entry)
    }
  }

  const byKey = new Map<string, DirectoryEntry[]>()
  for (const entry of found.values()) byKey.set(nameKey(entry.dn), [...(byKey.get(nameKey(entry.dn)) ?? []), entry])
  // Two that differ in letter case alone are told apart by their spelling.
  const entryAt = (dn: string): DirectoryEntry | undefined => {
    const same = byKey.get(nameKey(dn)) ?? []
    return found.get(dn) ?? (same.length === 1 ? same[0] : undefined)
  }
  return [...new Set(wanted.map(entryAt))].filter((entry) => entry !== undefined)
}

/** The first part of a name is an attribute of its entry (RFC 4512 section 2.3.2). */
function filterForName(dn: string): string {
  const { type, value } = parseName(dn)![0]!
  return equals(type, value)
}

function noneWithoutBase(error: unknown): { readonly entries: readonly DirectoryEntry[]; readonly isCut: boolean } {
  if (hasResultCode(error, resultCode.noSuchObject)) return { entries: [], isCut: false }
  throw error
}
