/**
 * URL patterns of servlets (Jakarta Servlet 6.0 section 12.2), for paths in any spelling.
 *
 * @module
 */

import { foldCase, pathSyntaxProblems } from './readings.js'

const forms = 'a path such as /carbon/admin/login.jsp, /carbon/* or *.jsp, or / for every path'

/** What is wrong with a pattern; `undefined` when it is one. */
export function servletPatternProblem(pattern: string): string | undefined {
  if (pattern === '*') return 'must be /* for every path'
  const [, extension] = /^\/(?:.*\/)?(\*\.[^/]+)$/.exec(pattern) ?? []
  if (extension !== undefined) return `must be ${extension}: an extension has no path before it`
  if (/^[^*]*[^/*]\*$/.test(pattern)) return `must end in /*, to cover ${pattern.slice(0, -1)} and everything below it`
  // What stands for anything is left out; the rest is as plain as any path.
  if (/^\*\.[^/.][^/]*$/.test(pattern)) return problemOfPart(`/${pattern.slice(2)}`)
  return problemOfPart(pattern.endsWith('/*') ? `${pattern.slice(0, -1)}x` : pattern)
}

/**
 * Makes the test for a pattern. It ignores case and slashes at the end, because routers do. `/x/*` covers `/x`
 * itself too, `*.ext` what the last segment ends with. `/`, the servlet that takes what no other does, covers every
 * path.
 *
 * @param pattern - One that {@link servletPatternProblem} finds nothing wrong with.
 */
export function servletPattern(pattern: string): (path: string) => boolean {
  const folded = foldCase(pattern)
  if (folded === '/' || folded === '/*') return () => true
  if (folded.startsWith('*')) return (path) => lastSegment(comparable(path)).endsWith(folded.slice(1))
  if (!folded.endsWith('/*')) return (path) => comparable(path) === comparable(folded)
  const prefix = comparable(folded.slice(0, -1))
  return (path) => `${comparable(path)}/`.startsWith(`${prefix}/`)
}

function problemOfPart(path: string): string | undefined {
  if (!path.startsWith('/')) return `must be ${forms}`
  if (/[*+()[\]{}|^$\\;]|\/:/.test(path)) return `must be ${forms}, without other wildcards and expressions`
  return pathSyntaxProblems(path)[0]
}

/** A path without the slashes at its end, in folded case. Not with `\/+$`, whose time is the square of the length. */
function comparable(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return foldCase(path.slice(0, end))
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
