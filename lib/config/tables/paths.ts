/**
 * Paths of the management API as they are written in the configuration.
 *
 * @module
 */

import { METHODS } from 'node:http'
import { pathSyntaxProblems } from '../../internal/path-syntax.js'
import { type Field, field, partsOf } from '../fields.js'

/** A path, as it is written. */
export const path: Field<string> = field((value, refuse) => {
  if (typeof value !== 'string') return refuse('must be a path that starts with "/"')
  const [problem] = pathSyntaxProblems(value)
  return problem === undefined ? value : refuse(problem)
})

/** A path of a rule: a slash at its end makes no difference, so it is cut off. */
export const rulePath: Field<string> = path.transform((text) => (text.length > 1 ? text.replace(/\/$/, '') : text))

/** HTTP methods as a list or separated by commas, in upper case. A rule for GET is one for HEAD as well. */
export const methods: Field<string[]> = field((value, refuse) => {
  const names = partsOf(value)?.map((name) => name.toUpperCase())
  const rule = 'must name HTTP methods, such as ["POST", "DELETE"]; leave the key out for all methods'
  if (names === undefined || names.length === 0) return refuse(rule)
  const unknown = names.find((name) => !METHODS.includes(name))
  if (unknown !== undefined) return refuse(rule, `; ${JSON.stringify(unknown)} is none`)
  const implied = names.includes('GET') ? ['HEAD'] : []
  return [...new Set([...names, ...implied])]
})

/** Whether a path is the other one or lies below it. As in the matcher of requests, case makes no difference. */
export function isPathWithin(inner: string, outer: string): boolean {
  if (outer === '/') return true
  const [a, b] = [inner.toLowerCase(), outer.toLowerCase()]
  return a === b || a.startsWith(`${b}/`)
}
