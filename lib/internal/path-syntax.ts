/**
 * What the path of a rule must not have: a request path would never be equal to it, or could be read in several ways.
 *
 * @module
 */

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
