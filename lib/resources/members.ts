/**
 * Members of a JSON body and parameters of a query, each of the type it must have.
 *
 * @module
 */

import { BadRequestError } from '../core/errors.js'
import type { JsonMembers } from './json-body.js'

/** The refusal of a request that makes no sense. */
export function invalidRequest(message: string): BadRequestError {
  return new BadRequestError('ERR_REQUEST_INVALID', message)
}

/** A text that may be missing, null or empty: then it is `''`. */
export function textOf(body: JsonMembers, name: string): string {
  const value = body.get(name) ?? ''
  if (typeof value !== 'string') throw invalidRequest(`'${name}' must be a text.`)
  return value
}

/** `true` or `false`, or the same as a text, which is how WSO2's clients write it. A missing one is `false`. */
export function flagOf(body: JsonMembers, name: string): boolean {
  const value = body.get(name) ?? false
  if (typeof value === 'boolean') return value
  if (typeof value === 'string' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw invalidRequest(`'${name}' must be true or false.`)
}

/** A list of texts without repetition; `undefined` when it is missing. */
export function textsOf(body: JsonMembers, name: string): readonly string[] | undefined {
  const value = body.get(name) ?? undefined
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '')) return [...new Set(value)]
  throw invalidRequest(`'${name}' must be a list of texts.`)
}

/** The parameters of a query. One that is given twice could be read in two ways, and is refused. */
export class Query {
  readonly #parameters: URLSearchParams

  /** `url`: path and query as they came over the wire. */
  constructor(url: string) {
    const start = url.indexOf('?')
    this.#parameters = new URLSearchParams(start === -1 ? '' : url.slice(start))
  }

  /** `''` when it is missing. */
  text(name: string): string {
    const [value = '', ...more] = this.#parameters.getAll(name)
    if (more.length > 0) throw invalidRequest(`'${name}' must be given once.`)
    return value
  }
}
