/**
 * The paths of a layer as they were written, and requests that they match.
 *
 * @module
 */

import type { Layer } from './layers.js'

/** The paths; `undefined` stands for one that cannot be told, as that of a regular expression. */
export function listPaths(layer: Layer): readonly (string | undefined)[] {
  const written = layer.route?.path ?? layer.rawPath
  if (written !== undefined)
    return [written].flat(Infinity).map((path) => (typeof path === 'string' ? path : undefined))
  if (layer.regexp !== undefined) return pathsFrom4(layer)
  return layer.matchers?.map(pathFrom22) ?? [undefined]
}

/** Express 4 makes one expression of all paths. */
function pathsFrom4({ regexp, keys = [] }: Layer): readonly (string | undefined)[] {
  const names = keys.map(({ name }) => name)
  return regexp!.source.split(/\|(?=\^)/).map((source) => pathFrom(source, names))
}

type Matcher = (path: string) => unknown

/** Router 2.2 names the parameters in its answer to a path that matches. */
function pathFrom22(matcher: Matcher): string | undefined {
  const source = expressionOf(matcher)?.source
  const unnamed = pathFrom(source, [])
  const match = unnamed === undefined ? undefined : matcher(fill(unnamed, values[0]!))
  return pathFrom(source, Object.keys((match as { readonly params?: object } | undefined)?.params ?? {}))
}

/** Router 2.2 keeps its expressions in closures: the one that is executed is noted. */
function expressionOf(matcher: Matcher): RegExp | undefined {
  const { exec } = RegExp.prototype
  let executed: RegExp | undefined
  RegExp.prototype.exec = function (text) {
    executed ??= this
    return exec.call(this, text)
  }
  try {
    matcher('/')
  } finally {
    RegExp.prototype.exec = exec
  }
  return executed
}

/** What Express 4 and path-to-regexp 8 put around the expression of a path that others may follow. */
const forms = [/^\^\(\?:(.*)\)\(\?:\\\/\$\)\?\(\?=\\\/\|\$\)$/, /^\^(.*?)\\\/\?\(\?=\\\/\|\$\)$/]

/** Both write a parameter in the same way, but for what is around it. */
const parameter = /\(\?:\\\/\(\[\^\/\]\+\?\)\)|\\\/\(\[\^\\\/\]\+\)/g

/** Takes the names out of the list. `undefined` for what is not made of plain text and plain parameters. */
function pathFrom(source: string | undefined, names: (string | number)[]): string | undefined {
  const inner = forms.map((form) => form.exec(source ?? '')?.[1]).find((text) => text !== undefined)
  const text = inner?.replace(parameter, () => `\\/:${names.shift() ?? 'name'}`)
  if (text === undefined || /[()[\]?*+|^$]/.test(text.replace(/\\./g, ''))) return undefined
  return text.replace(/\\(.)/g, '$1') || '/'
}

/** No path is written like it, so that a path with a parameter is not taken for one without. */
const values = ['sallyport-3f9c2a', '7301']

/**
 * Paths of requests that a path may match: with and without what is optional in it, in another case, with a slash at the end, and
 * longer by a segment, for a mount and a wildcard.
 */
export function samplesOf(path: string): readonly string[] {
  const whole = path.replace(/\{([^{}]*)\}/g, '$1').replace(/\)\?/g, ')')
  const short = path.replace(/\{[^{}]*\}/g, '').replace(/\/:\w+(?:\([^)]*\))?[?*]/g, '')
  const filled = [whole, short].flatMap((text) => values.map((value) => fill(text, value)))
  const ends = ['', '/', `/${values[0]}`]
  const longer = filled.flatMap((text) => ends.map((end) => (text === '/' ? end || '/' : text + end)))
  return [...new Set(longer.flatMap((text) => [text, text.toUpperCase()]))]
}

function fill(text: string, value: string): string {
  return text.replace(/:\w+(?:\([^)]*\))?[?*+]?|\*\w*|\(\.\*\)/g, value).replace(/\\(.)/g, '$1') || '/'
}
