/**
 * Where keys stand in a TOML file.
 *
 * @module
 */

import { type AST, parseTOML } from 'toml-eslint-parser'
import { formatKey } from '../values/key-path.js'
import type { Locate } from './findings.js'

type Place = AST.TOMLNode['loc']['start']
type Step = string | number

/** Nothing is found when the text cannot be read, which the other parser has refused before. */
export function readPositions(text: string, file: string): Locate {
  const places = readPlaces(text)
  return (path, isWritten = false) => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(formatKey(path.slice(0, length)))
      if (place !== undefined) return { file, line: place.line, column: place.column + 1 }
      if (isWritten && typeof path[length - 1] !== 'number') return undefined
    }
    return undefined
  }
}

function readPlaces(text: string): Map<string, Place> {
  const places = new Map<string, Place>()
  const note = (path: readonly Step[], names: readonly Step[], place: Place): void => {
    for (const length of names.keys()) {
      const key = formatKey([...path, ...names.slice(0, length + 1)])
      // The first place of a table is its header, or the first dotted key that needs it.
      if (!places.has(key)) places.set(key, place)
    }
  }
  const visitValue = (node: AST.TOMLContentNode, path: readonly Step[]): void => {
    if (node.type === 'TOMLInlineTable') for (const inner of node.body) visitKeyValue(inner, path)
    if (node.type !== 'TOMLArray') return
    for (const [index, element] of node.elements.entries()) {
      note(path, [index], element.loc.start)
      visitValue(element, [...path, index])
    }
  }
  const visitKeyValue = ({ key, value }: AST.TOMLKeyValue, path: readonly Step[]): void => {
    const names = key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))
    note(path, names, key.loc.start)
    visitValue(value, [...path, ...names])
  }

  for (const node of parse(text)) {
    if (node.type === 'TOMLKeyValue') visitKeyValue(node, [])
    else {
      note([], node.resolvedKey, node.key.loc.start)
      for (const inner of node.body) visitKeyValue(inner, node.resolvedKey)
    }
  }
  return places
}

function parse(text: string): (AST.TOMLKeyValue | AST.TOMLTable)[] {
  try {
    return parseTOML(text, { tomlVersion: '1.1' }).body[0].body
  } catch {
    return []
  }
}
