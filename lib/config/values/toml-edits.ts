/**
 * Changes to the text of a TOML file that leave everything else as it is: comments, order, spelling and line ends. No library
 * for TOML that is kept up writes a document back as it was.
 *
 * @module
 */

import { type AST, parseTOML } from 'toml-eslint-parser'
import { formatKey, isWithin, type KeyPath } from './key-path.js'

/** What an edit can write. */
export type EditValue = string | boolean | readonly string[]

export type TomlEdit =
  /** Writes another value; a key that is not there is written beside those of its table. */
  | { readonly kind: 'set'; readonly path: KeyPath; readonly value: EditValue }
  /** Gives a key or a table another name, wherever it is written. */
  | { readonly kind: 'rename'; readonly path: KeyPath; readonly name: string }
  /** Adds an entry after the last one of an array of tables. */
  | { readonly kind: 'append'; readonly path: KeyPath; readonly entry: Readonly<Record<string, string>> }

type Range = readonly [start: number, end: number]

/** One name of a key. */
interface Place {
  readonly path: KeyPath
  readonly range: Range
}

interface Pair {
  readonly path: KeyPath
  readonly node: AST.TOMLKeyValue
  readonly isInline: boolean
}

interface Places {
  readonly names: readonly Place[]
  readonly pairs: readonly Pair[]
  /** Headers with the ends of what stands below them. */
  readonly tables: readonly { readonly path: KeyPath; readonly header: Range; readonly end: number }[]
}

/** The changed text; `undefined` where the text has no place for the edit. */
export function editToml(text: string, edit: TomlEdit): string | undefined {
  const places = readPlaces(text)
  if (edit.kind === 'rename') return rename(text, edit, places)
  return edit.kind === 'set' ? set(text, edit, places) : append(text, edit, places)
}

function readPlaces(text: string): Places {
  const names: Place[] = []
  const pairs: Pair[] = []
  const tables: { path: KeyPath; header: Range; end: number }[] = []

  /** Notes the names of a key. The path of a header has the numbers of entries between its names. */
  function note({ keys }: AST.TOMLKey, path: KeyPath): void {
    let left = keys.length
    for (let length = path.length; length > 0 && left > 0; length--) {
      if (typeof path[length - 1] === 'string') names.push({ path: path.slice(0, length), range: keys[--left]!.range })
    }
  }

  function visitValue(node: AST.TOMLContentNode, path: KeyPath): void {
    if (node.type === 'TOMLInlineTable') for (const inner of node.body) visitPair(inner, path, true)
    if (node.type !== 'TOMLArray') return
    for (const [index, element] of node.elements.entries()) visitValue(element, [...path, index])
  }

  function visitPair(node: AST.TOMLKeyValue, above: KeyPath, isInline: boolean): void {
    const path = [...above, ...node.key.keys.map(nameOf)]
    note(node.key, path)
    pairs.push({ path, node, isInline })
    visitValue(node.value, path)
  }

  for (const node of parseTOML(text, { tomlVersion: '1.1' }).body[0].body) {
    if (node.type === 'TOMLKeyValue') visitPair(node, [], false)
    else {
      note(node.key, node.resolvedKey)
      tables.push({ path: node.resolvedKey, header: node.key.range, end: node.range[1] })
      for (const inner of node.body) visitPair(inner, node.resolvedKey, false)
    }
  }
  return { names, pairs, tables }
}

function nameOf(part: AST.TOMLBare | AST.TOMLQuoted): string {
  return part.type === 'TOMLBare' ? part.name : part.value
}

function isSame(a: KeyPath, b: KeyPath): boolean {
  return a.length === b.length && isWithin(a, b)
}

function replace(text: string, [start, end]: Range, by: string): string {
  return `${text.slice(0, start)}${by}${text.slice(end)}`
}

function rename(
  text: string,
  { path, name }: Extract<TomlEdit, { kind: 'rename' }>,
  { names }: Places,
): string | undefined {
  const written = names.filter((place) => isSame(place.path, path)).map(({ range }) => range)
  if (written.length === 0) return undefined
  return written.sort(([a], [b]) => b - a).reduce((changed, range) => replace(changed, range, formatKey([name])), text)
}

function set(
  text: string,
  { path, value }: Extract<TomlEdit, { kind: 'set' }>,
  { pairs, tables }: Places,
): string | undefined {
  const own = pairs.find((pair) => isSame(pair.path, path))
  if (own !== undefined) return replace(text, own.node.value.range, formatValue(value))
  const above = path.slice(0, -1)
  const name = formatKey([path.at(-1)!])
  const neighbour = pairs.find((pair) => isSame(pair.path.slice(0, -1), above))
  if (neighbour !== undefined) {
    const { node, isInline } = neighbour
    const [start] = node.key.range
    const prefix = text.slice(start, node.key.keys.at(-1)!.range[0])
    const line = `${prefix}${name} = ${formatValue(value)}`
    if (isInline) return replace(text, [start, start], `${line}, `)
    const end = endOfLine(text, node.range[1])
    return replace(text, [end, end], `${lineEnd(text)}${indentAt(text, start)}${line}`)
  }
  const table = tables.find((candidate) => isSame(candidate.path, above))
  if (table === undefined) return undefined
  const end = endOfLine(text, table.header[1])
  return replace(text, [end, end], `${lineEnd(text)}${indentAt(text, table.header[0])}${name} = ${formatValue(value)}`)
}

function append(
  text: string,
  { path, entry }: Extract<TomlEdit, { kind: 'append' }>,
  { tables, pairs }: Places,
): string | undefined {
  const entries = tables.filter(
    (table) => isSame(table.path.slice(0, -1), path) && typeof table.path.at(-1) === 'number',
  )
  const last = entries.at(-1)
  if (last === undefined) return undefined
  // Tables below an entry belong to it.
  const below = [...tables, ...pairs.map(({ path: at, node }) => ({ path: at, end: node.range[1] }))]
  const end = endOfLine(
    text,
    Math.max(...below.filter((part) => isWithin(part.path, last.path)).map((part) => part.end)),
  )
  const newline = lineEnd(text)
  const start = text.lastIndexOf('[[', last.header[0])
  const header = text.slice(start, endOfHeader(text, last.header[1]))
  const lines = [
    header,
    ...Object.entries(entry).map(([name, value]) => `${formatKey([name])} = ${formatValue(value)}`),
  ]
  return replace(
    text,
    [end, end],
    `${newline}${newline}${lines.map((line) => indentAt(text, start) + line).join(newline)}`,
  )
}

function endOfHeader(text: string, from: number): number {
  return text.indexOf(']]', from) + 2
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  if (end === -1) return text.length
  return text[end - 1] === '\r' ? end - 1 : end
}

/** The blanks before a place, where there are only blanks before it. */
function indentAt(text: string, from: number): string {
  const before = text.slice(text.lastIndexOf('\n', from - 1) + 1, from)
  return /^[\t ]*$/.test(before) ? before : ''
}

function lineEnd(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

/** JSON's texts are texts of TOML too, but for one character. */
function formatValue(value: EditValue): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f')
  return `[${value.map(formatValue).join(', ')}]`
}
