/**
 * All the ways in which a server behind the guard might read a request path.
 *
 * Routers, static file servers and proxies differ in what they decode, merge and resolve. A guard that picks one way
 * is passed by every path that the server reads in another; so a path is judged in all of them.
 *
 * @module
 */

/** Steps that some software takes and other software does not, in the order in which they are taken. */
const steps: readonly ((path: string) => string)[] = [
  decodeURIComponent,
  // What takes a decoded path for a URL and parses it again, ends it at the first `?` or `#`.
  (path) => path.replace(/[?#].*$/s, ''),
  (path) => path.replaceAll('\\', '/'),
  // Path parameters, as in /users;v=1/42 (RFC 3986 section 3.3).
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/\/{2,}/g, '/'),
  resolveDotSegments,
]

/**
 * What makes more than one reading: no slash at the start, an escape, a query or fragment, a backslash, a parameter, two
 * slashes, a dot segment.
 */
const ambiguousPart = /^[^/]|[%?#\\;]|\/\/|\/\.\.?(?:\/|$)/

/** UTF-16 units. No client needs a longer path with escapes in it, and each reading costs time by its length. */
const maxAmbiguousLength = 2048

/** Whether a path can be read in one way only, as nearly all paths can. */
export function hasOneReading(path: string): boolean {
  return !ambiguousPart.test(path)
}

/**
 * The readings of a path as it came over the wire: itself first, then after every choice of these steps, in this order:
 * decoded once, cut at a query or fragment, backslashes as slashes, `;` parameters cut, slashes merged, dot segments
 * resolved.
 *
 * The work is bounded: six steps give at most 2^6 = 64 readings, no step makes a path longer, and each step is linear in
 * its length, which is at most 2048.
 *
 * @returns `undefined` when an escape cannot be decoded, for then nobody can say what the path means; and for a longer path.
 */
export function readingsFrom(path: string): readonly string[] | undefined {
  if (path.length > maxAmbiguousLength) return undefined
  // Of `http://host%2fusers`, Express makes a path without a slash at the start.
  const readings = new Set([path.startsWith('/') ? path : `/${path}`])
  try {
    for (const step of steps) {
      for (const reading of [...readings]) readings.add(step(reading))
    }
  } catch {
    return undefined
  }
  return [...readings]
}

/**
 * The ends of a path in all its readings: of `/a/b`, `/a/b` and `/b`. What is left of a path below a mount is one of them.
 *
 * @returns `undefined` where {@link readingsOf} has no readings.
 */
export function pathEnds(path: string): readonly string[] | undefined {
  const readings = hasOneReading(path) ? [path] : readingsFrom(path)
  return readings?.flatMap((reading) => Array.from(reading.matchAll(/\//g), ({ index }) => reading.slice(index)))
}

/**
 * The segments of a path, in a form in which spellings that differ by case are equal. `/Users/42/` is `users`, `42` and
 * an empty segment; a path without a leading slash is read as if it had one.
 */
export function foldedSegments(path: string): readonly string[] {
  return (path.startsWith('/') ? path.slice(1) : path).split('/').map(foldCase)
}

/**
 * Folds case. Capitals first: so the long s (U+017F) becomes `s` and the Kelvin sign (U+212A) `k`, as in the
 * case-blind comparison of file systems and directories, which lower case alone would not do.
 */
export function foldCase(text: string): string {
  return /[^\0-\x7f]/.test(text) ? text.toUpperCase().toLowerCase() : text.toLowerCase()
}

/** RFC 3986 section 5.2.4: `..` above the root is dropped. */
function resolveDotSegments(path: string): string {
  if (!path.includes('/.')) return path
  const segments = path.split('/')
  const resolved: string[] = []
  segments.forEach((segment, index) => {
    const isDot = segment === '.' || segment === '..'
    if (!isDot) resolved.push(segment)
    else if (segment === '..' && resolved.length > 1) resolved.pop()
    // A dot segment at the end leaves the slash before it.
    if (isDot && index === segments.length - 1) resolved.push('')
  })
  return resolved.join('/')
}

/** Each broken part with what the path must be instead, most telling first. */
const brokenParts: readonly (readonly [part: RegExp, rule: string])[] = [
  [/^(?!\/)/, 'must be a path that starts with "/"'],
  [/[?#]/, 'must be a path without a query or fragment'],
  [/%/, 'must be a path in plain characters, without percent-escapes'],
  [
    /[*+()[\]{}|^$\\;]|\/:/,
    'must be a plain path: it covers everything below it, wildcards, parameters and expressions are not supported',
  ],
  [/[\s\p{C}]/u, 'must be a path without blanks and control characters'],
  [/\/\.\.?(?:\/|$)/, 'must be a path without "." and ".." segments'],
  [/\/\//, 'must be a path without empty segments'],
]

/** What is wrong with a path; nothing when it is a plain one. */
export function pathSyntaxProblems(path: string): readonly string[] {
  return brokenParts.filter(([part]) => part.test(path)).map(([, rule]) => rule)
}
