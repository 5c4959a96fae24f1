/**
 * An entry of a directory.
 *
 * @module
 */

import type { SearchEntry } from 'ldapts'

/** One entry; names of attributes are blind to letter case (RFC 4512 section 2.5). */
export interface DirectoryEntry {
  readonly dn: string
  /** Values that are text; none when the entry does not show the attribute. */
  values(attribute: string): readonly string[]
  /** Where a server gives a part of many values: the number of the next one, `undefined` when there is no more. */
  nextValue(attribute: string): number | undefined
}

/** A part of the values, as `member;range=0-1499` ([MS-ADTS] section 3.1.1.3.1.3.3); the last part ends in `*`. */
const range = /^(.+);range=\d+-(\d+|\*)$/

/** Reads what came from the server. Values that are no UTF-8 are given in hex, so that they differ and name nobody. */
export function readEntry({ name, attributes }: SearchEntry): DirectoryEntry {
  const values = new Map<string, readonly string[]>()
  const nextValues = new Map<string, number>()
  for (const { type, values: received } of attributes) {
    const [, ranged, last] = range.exec(type.toLowerCase()) ?? []
    const key = ranged ?? type.toLowerCase()
    const texts = received.map((value) => (typeof value === 'string' ? value : value.toString('hex')))
    // Beside a part, Active Directory lists the attribute without values.
    if (texts.length > 0 || !values.has(key)) values.set(key, texts)
    if (last !== undefined && last !== '*') nextValues.set(key, Number(last) + 1)
  }
  return {
    dn: name,
    values: (attribute) => values.get(attribute.toLowerCase()) ?? [],
    nextValue: (attribute) => nextValues.get(attribute.toLowerCase()),
  }
}
