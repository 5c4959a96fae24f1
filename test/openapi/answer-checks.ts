/** Compares answers with what an OpenAPI document says of them. */

import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import type { RawAnswer } from '../helpers/raw-http.js'

export interface DocumentedOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<Record<string, ResponseObject | Reference>>
}

interface Reference {
  readonly $ref: string
}

interface ResponseObject {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

type PathItem = Readonly<Record<string, DocumentedOperation>>

/** A document as it is served. */
export interface ServedDocument {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>
}

const methods = ['get', 'put', 'post', 'delete', 'patch']

export interface FoundOperation extends DocumentedOperation {
  readonly method: string
  readonly path: string
}

export function operationsOf({ paths }: ServedDocument): readonly FoundOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ ...operation, method: method.toUpperCase(), path }]
    }),
  )
}

const formats = { 'date-time': /^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ }

/** Checks answers with schemas that allow no member that they do not name. */
export class AnswerChecks {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { ...formats, uri: true } })
  readonly #document: ServedDocument
  readonly #components: object

  constructor(document: ServedDocument) {
    this.#document = document
    this.#components = closed(document.components) as object
  }

  /** Asserts that the document has this answer, with its type, its headers and its body. */
  check(operationId: string, answer: RawAnswer): void {
    const operation = operationsOf(this.#document).find((one) => one.operationId === operationId)
    expect(operation, `operation ${operationId}`).toBeDefined()
    const response = operation!.responses[String(answer.status)]
    expect(response, `${operationId} answers ${answer.statusLine} ${answer.body}`).toBeDefined()
    this.checkResponse(response!, answer, `${operationId} ${answer.status}`)
  }

  checkResponse(given: ResponseObject | Reference, answer: RawAnswer, what: string): void {
    const { headers = {}, content } = this.#resolve(given)
    for (const name of Object.keys(headers)) expect(answer.header(name), `${name} of ${what}`).toBeDefined()
    const isBare = answer.status >= 400 && answer.header('content-type') === undefined
    if (content === undefined || isBare) {
      expect(answer.body, what).toBe('')
      return
    }
    const type = answer.header('content-type')?.replace(/;.*$/, '')
    expect(Object.keys(content), `type of ${what}`).toContain(type)
    const body: unknown = type?.endsWith('json') ? answer.json() : answer.body
    expect(this.errorsOf(content[type!]!.schema, body), `body of ${what}: ${answer.body}`).toEqual([])
  }

  /** What is wrong with a value by one of the schemas of the document. */
  errorsOf(schema: object, value: unknown): readonly unknown[] {
    const validate = this.#ajv.compile({ ...(closed(schema) as object), components: this.#components })
    validate(value)
    return validate.errors ?? []
  }

  #resolve(given: ResponseObject | Reference): ResponseObject {
    if (!('$ref' in given)) return given
    const [, , kind = '', name = ''] = given.$ref.split('/')
    return this.#document.components[kind]![name] as ResponseObject
  }
}

/** The same schemas, with no member allowed that is not named. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const isOpen = 'additionalProperties' in copy || typeof copy['properties'] !== 'object'
  return isOpen ? copy : { ...copy, additionalProperties: false }
}
