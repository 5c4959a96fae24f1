/**
 * Refusals in the document: one response for each status, with the headers that come with it.
 *
 * @module
 */

import { flatError, problem } from '../http/error-schema.js'
import type { DocumentedFront } from './front.js'
import type { Operation } from './operation.js'
import type { JsonSchema, SchemaCollector } from './schemas.js'

/** A response object of OpenAPI. */
export interface DocumentedResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

interface Kind {
  /** Name of the response among the components. */
  readonly name: string
  readonly description: string
  readonly header?: string
}

const kinds: Readonly<Record<string, Kind>> = {
  400: { name: 'BadRequest', description: 'The request cannot be understood, or could be understood in two ways.' },
  401: { name: 'Unauthorized', description: 'Who is calling is not known.', header: 'WWW-Authenticate' },
  403: { name: 'Forbidden', description: 'The caller may not do this, or not from this address.' },
  404: { name: 'NotFound', description: 'There is nothing of this name.' },
  405: { name: 'MethodNotAllowed', description: 'The path has other methods.', header: 'Allow' },
  409: { name: 'Conflict', description: 'It has changed meanwhile.' },
  413: { name: 'ContentTooLarge', description: 'The body is too large.' },
  415: { name: 'UnsupportedMediaType', description: 'The body is of another type.' },
  429: { name: 'TooManyRequests', description: 'Too many failed logins.', header: 'Retry-After' },
  503: {
    name: 'Unavailable',
    description: 'A store cannot be reached, or no more work is taken. Nothing is admitted meanwhile.',
    header: 'Retry-After',
  },
  default: { name: 'Refusal', description: 'Any other refusal.' },
}

const headers: Readonly<Record<string, string>> = {
  'WWW-Authenticate': 'What has to be sent (RFC 9110 section 11.6.1).',
  Allow: 'The methods of the path (RFC 9110 section 10.2.1).',
  'Retry-After': 'After how many seconds another attempt may be better (RFC 9110 section 10.2.3).',
}

/** The headers that refusals come with, for the components of the document. */
export const refusalHeaders: Readonly<Record<string, object>> = Object.fromEntries(
  Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: name === 'Retry-After' ? 'integer' : 'string' } },
  ]),
)

/** What every request with this access may be answered with. The console is hidden from who is no administrator. */
function commonStatuses({ access }: Operation, { mount, authentication }: DocumentedFront): readonly string[] {
  if (access === 'public' || access === 'client' || access === 'oauth') return []
  if (access === 'anybody') return ['403']
  if (access === 'visitor') return mount === 'console' ? ['404'] : []
  if (mount === 'console') return ['400', '401', '403', '404', '503']
  const isLogin = access === 'login' || (access !== 'portal' && authentication === 'basic')
  return ['400', '401', '403', ...(isLogin ? ['429'] : []), '503']
}

/** Makes the refusals of operations, and those of all of them that several have. */
export class RefusalMaker {
  readonly #schemas: SchemaCollector
  readonly #shared = new Map<string, DocumentedResponse>()

  constructor(schemas: SchemaCollector) {
    this.#schemas = schemas
  }

  /** The refusals of an operation by status. */
  responses(operation: Operation, front: DocumentedFront): Readonly<Record<string, object>> {
    const { refusals = {}, isPage = false } = operation
    const common = [...commonStatuses(operation, front), 'default'].map((status) => [status, this.#share(status)])
    const own = Object.entries(refusals).map(([status, description]) => [
      status,
      this.#make(status, description, isPage),
    ])
    return Object.fromEntries([...common, ...own])
  }

  /** The response to a method that a path does not have, which stands for itself: no operation has it. */
  addMethodNotAllowed(): void {
    this.#share('405')
  }

  get shared(): Readonly<Record<string, DocumentedResponse>> {
    return Object.fromEntries(this.#shared)
  }

  #share(status: string): object {
    const { name, description } = kinds[status]!
    if (!this.#shared.has(name)) this.#shared.set(name, this.#make(status, description))
    return { $ref: `#/components/responses/${name}` }
  }

  #make(status: string, description: string, isPage = false): DocumentedResponse {
    const { header } = kinds[status]!
    return {
      description,
      ...(header !== undefined && { headers: { [header]: { $ref: `#/components/headers/${header}` } } }),
      content: {
        'application/json': { schema: this.#schemas.convert(flatError) },
        'application/problem+json': { schema: this.#schemas.convert(problem) },
        ...(isPage && { 'text/html': { schema: { type: 'string' } } }),
      },
    }
  }
}
