/**
 * Reads entries by their distinguished names, many in one search.
 *
 * @module
 */

import { chunksOf } from './chunks.js'
import type { Directory } from './directory.js'
import type { DirectoryEntry } from './directory-entry.js'
import { isWithin, nameKey, parseName } from './distinguished-name.js'
import { escapeFilterValue } from './escape.js'
import { hasResultCode, LdapError, resultCode } from './ldap-error.js'

/** Which entries count, and what is read of them. */
export interface EntriesAtOptions {
  readonly directory: Directory
  readonly bases: readonly string[]
  readonly filter: string
  readonly attributes: readonly string[]
}

/** Names that one filter has: it stays a few kilobytes long. */
export const namesInFilter = 50

/** Other entries may have the same first part of a name. */
const maxEntries = 1000

/** The entries with these names; those that are gone, are not below a base or do not pass the filter are left out. */
export async function entriesAt(
  dns: readonly string[],
  { directory, bases, filter, attributes }: EntriesAtOptions,
  signal: AbortSignal | undefined,
): Promise<readonly DirectoryEntry[]> {
  const wanted = [...new Set(dns)].filter((dn) => bases.some((base) => isWithin(dn, base)))
  const found = new Map<string, DirectoryEntry>()
  for (const chunk of chunksOf(wanted, namesInFilter)) {
    // The first part of a name is an attribute of its entry (RFC 4512 section 2.3.2).
    const [first, ...others] = new Set(chunk.map((dn) => comparisonOf(dn)))
    const names = others.length === 0 ? first : `(|${[first, ...others].join('')})`
    for (const base of bases) {
      const search = { base, scope: 'sub', filter: `(&${filter}${names})`, attributes, maxEntries } as const
      const { entries, isCut } = await directory.searchPaged(search, signal).catch(noneAt)
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

function comparisonOf(dn: string): string {
  const { type, value } = parseName(dn)![0]!
  return `(${type}=${escapeFilterValue(value)})`
}

function noneAt(error: unknown): { readonly entries: readonly DirectoryEntry[]; readonly isCut: boolean } {
  if (hasResultCode(error, resultCode.noSuchObject)) return { entries: [], isCut: false }
  throw error
}
