/**
 * Reads the form of the login page, whether or not the app has a body parser.
 *
 * @module
 */

import type { Request } from 'express'
import { BadRequestError, HttpError } from '../core/errors.js'
import { readBytes } from '../internal/body-bytes.js'
import { utf8Type } from '../internal/media-type.js'

/** What the login form says. */
export interface LoginForm {
  readonly userName: string
  readonly password: string
  /** As it was sent: see `safeReturnTo`. */
  readonly returnTo: string | undefined
}

/** Far more than a name, a password and a path take, even where each character is escaped. */
const maxBodyBytes = 16 * 1024

/** Other charsets than UTF-8 are not sent by browsers (WHATWG URL section 5). */
const formType = utf8Type('application/x-www-form-urlencoded')

/**
 * Reads the fields. What a body parser of the app has read already is taken as it is.
 *
 * @throws {@link BadRequestError} (400, `ERR_REQUEST_INVALID`) for a field that is missing or sent twice; {@link HttpError} 415
 * for another type, 413 over 16 KiB, and 408 when the body does not arrive within 20 seconds.
 */
export async function readLoginForm(request: Request): Promise<LoginForm> {
  if (!formType.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'ERR_MEDIA_TYPE_UNSUPPORTED', 'Send application/x-www-form-urlencoded.')
  }
  const fields = await readFields(request)
  const userName = fields('username')
  const password = fields('password')
  if (userName === undefined || password === undefined) throw malformed()
  return { userName, password, returnTo: fields('return_to') }
}

/** Finds the one value of a field. */
type Fields = (name: string) => string | undefined

async function readFields(request: Request): Promise<Fields> {
  const { body } = request as { body?: unknown }
  if (!request.readableEnded) {
    if (request.destroyed) throw malformed()
    return fieldsOf((await readBytes(request, { maxBytes: maxBodyBytes, malformed })).toString())
  }
  if (typeof body === 'string') return fieldsOf(body)
  if (body instanceof Uint8Array) return fieldsOf(Buffer.from(body).toString())
  if (typeof body !== 'object' || body === null) throw malformed()
  const fields = new Map<string, unknown>(Object.entries(body))
  return (name) => {
    const value = fields.get(name)
    if (value === undefined || typeof value === 'string') return value
    throw malformed()
  }
}

function fieldsOf(text: string): Fields {
  const fields = new URLSearchParams(text)
  return (name) => {
    const values = fields.getAll(name)
    if (values.length > 1) throw malformed()
    return values[0]
  }
}

function malformed(): HttpError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'The form is not complete.')
}
