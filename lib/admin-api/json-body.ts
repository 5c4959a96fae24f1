/**
 * Reads the JSON body of a request, whether or not the app has a body parser.
 *
 * @module
 */

import type { Request } from 'express'
import { BadRequestError, HttpError } from '../core/errors.js'
import { readBytes, utf8Type } from '../http/body.js'
import { parseJsonObject } from '../tokens/jwt/strict-json.js'

/** The members of a JSON object, so that no name is special. */
export type JsonMembers = ReadonlyMap<string, unknown>

/** Far more than a user with a long password, or a role with a long name, takes. */
const maxBodyBytes = 64 * 1024

/** RFC 9110 section 8.3.1; JSON is UTF-8 (RFC 8259 section 8.1). */
const jsonType = utf8Type('application/json')

/**
 * The refusal of a write that is not declared as JSON; a form of another site can declare nothing but a form or text. A
 * DELETE needs no type when it has no body.
 */
export function mediaTypeRefusal(request: Request): HttpError | undefined {
  const { method, headers } = request
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers
  if (!hasBody(request) && (type === undefined || method === 'DELETE')) return undefined
  if (type !== undefined && jsonType.test(type) && encoding.toLowerCase() === 'identity') return undefined
  return new HttpError(415, 'ERR_MEDIA_TYPE_UNSUPPORTED', 'Send application/json.')
}

/** Whether a request announces a body (RFC 9112 section 6). */
export function hasBody({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * Reads a JSON object. What a body parser of the app has read already is taken as it is.
 *
 * @throws `BadRequestError` (400, `ERR_REQUEST_INVALID`) for a body that is missing, broken or no object;
 * `HttpError` 413 over 64 KiB, and 408 when it does not arrive within 20 seconds.
 */
export async function readJsonBody(request: Request): Promise<JsonMembers> {
  const { body } = request as { body?: unknown }
  // A body parser that leaves a request alone may set an empty object all the same.
  if (body !== undefined && request.readableEnded) return readMembers(body)
  return readMembers(
    request.readableEnded || request.destroyed
      ? undefined
      : await readBytes(request, { maxBytes: maxBodyBytes, malformed }),
  )
}

function readMembers(body: unknown): JsonMembers {
  if (body === undefined || body === '' || (body instanceof Uint8Array && body.length === 0)) throw missing()
  if (typeof body === 'string') return parse(Buffer.from(body))
  if (body instanceof Uint8Array) return parse(body)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed()
  return new Map(Object.entries(body))
}

function parse(bytes: Uint8Array): JsonMembers {
  try {
    return parseJsonObject(bytes)
  } catch {
    throw malformed()
  }
}

function missing(): HttpError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'JSON payload is missing')
}

function malformed(): HttpError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'The payload is not a JSON object.')
}

export function invalidRequest(message: string): BadRequestError {
  return new BadRequestError('ERR_REQUEST_INVALID', message)
}

/** Reads parameters of a query, `''` for one that is missing. One that is given twice could be read in two ways, and is refused. */
export function createQuery(url: string): (name: string) => string {
  const parameters = new URLSearchParams(url.split('?').slice(1).join('?'))
  return (name) => {
    const [value = '', ...more] = parameters.getAll(name)
    if (more.length > 0) throw invalidRequest(`'${name}' must be given once.`)
    return value
  }
}
