/**
 * Which part of a list a request asks for.
 *
 * @module
 */

import { invalidRequest } from './json-body.js'

/** Entries of a page, unless the request says otherwise. */
const defaultLimit = 100
const maxLimit = 1000

export interface Page {
  readonly offset: number
  readonly limit: number
}

/** Reads `offset` and `limit` of a query. @throws `BadRequestError` for what is no number, or too large. */
export function readPage(query: (name: string) => string): Page {
  return {
    offset: readNumber(query, 'offset', { fallback: 0, least: 0, most: Number.MAX_SAFE_INTEGER }),
    limit: readNumber(query, 'limit', { fallback: defaultLimit, least: 1, most: maxLimit }),
  }
}

function readNumber(
  query: (name: string) => string,
  name: string,
  { fallback, least, most }: { readonly fallback: number; readonly least: number; readonly most: number },
): number {
  const text = query(name)
  if (text === '') return fallback
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw invalidRequest(
    most === maxLimit ? `'${name}' must be a number from ${least} to ${most}.` : `'${name}' must be a number.`,
  )
}

/** The answer with one page of a list. */
export interface PageOf<Entry> {
  /** Entries of this page. */
  readonly count: number
  /** Entries of all pages. */
  readonly total: number
  readonly list: readonly Entry[]
}

/** Cuts a page out of a list; `entryFrom` makes the entries of that page alone. */
export function pageOf<Item, Entry>(
  items: readonly Item[],
  { offset, limit }: Page,
  entryFrom: (item: Item) => Entry,
): PageOf<Entry> {
  const list = items.slice(offset, offset + limit).map(entryFrom)
  return { count: list.length, total: items.length, list }
}
