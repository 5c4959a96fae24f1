/**
 * Where keys stand in a TOML file. It is loaded only when there is something to report.
 *
 * @module
 */

import { type AST, parseTOML } from 'toml-eslint-parser'
import type { Locate } from './findings.js'
import { formatKey } from './key-path.js'

type Place = AST.TOMLNode['loc']['start']
type Step = string | number

/**
 * Returns the function that finds a key in a text: the key itself, or the innermost table around it when the key is not
 * written. It finds nothing when the text cannot be read, which the caller's own parser would have refused before.
 */
export function positionsIn(text: string, file: string): Locate {
  const places = placesIn(text)
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(formatKey(path.slice(0, length)))
      if (place !== undefined) return { file, line: place.line, column: place.column + 1 }
    }
    return undefined
  }
}

function placesIn(text: string): Map<string, Place> {
  const places = new Map<string, Place>()
  const note = (path: readonly Step[], place: Place): void => {
    const key = formatKey(path)
    // The first place of a table is its header, or the first dotted key that needs it.
    if (!places.has(key)) places.set(key, place)
  }

  const visitValue = (node: AST.TOMLContentNode, path: readonly Step[]): void => {
    if (node.type === 'TOMLInlineTable') for (const inner of node.body) visitKeyValue(inner, path)
    if (node.type !== 'TOMLArray') return
    for (const [index, element] of node.elements.entries()) {
      note([...path, index], element.loc.start)
      visitValue(element, [...path, index])
    }
  }
  const visitKeyValue = ({ key, value }: AST.TOMLKeyValue, path: readonly Step[]): void => {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))
    for (const length of names.keys()) note([...path, ...names.slice(0, length + 1)], key.loc.start)
    visitValue(value, [...path, ...names])
  }

  for (const node of bodyOf(text)) {
    if (node.type === 'TOMLKeyValue') visitKeyValue(node, [])
    else {
      for (const length of node.resolvedKey.keys()) note(node.resolvedKey.slice(0, length + 1), node.key.loc.start)
      for (const inner of node.body) visitKeyValue(inner, node.resolvedKey)
    }
  }
  return places
}

function bodyOf(text: string): (AST.TOMLKeyValue | AST.TOMLTable)[] {
  try {
    return parseTOML(text, { tomlVersion: '1.1' }).body[0].body
  } catch {
    return []
  }
}
