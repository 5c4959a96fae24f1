/**
 * Requests as the provider sees them: for the issuer, whatever the client says, and with a body that is there.
 *
 * @module
 */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Request } from 'express'
import { BadRequestError } from '../core/errors.js'
import { readBytes } from '../internal/body-bytes.js'
import { clientAddress } from '../internal/trust-proxy.js'

/** More than any request takes; the provider itself reads no more. */
const maxBodyBytes = 56 * 1024

/** Headers that say for whom a request is, how it came, or how its body was sent: none of them is believed. */
const droppedHeader =
  /^(?:host|forwarded|x-forwarded-.*|transfer-encoding|content-encoding|content-length|expect|upgrade)$/

/**
 * The form of a request, read here or by a body parser of the app. A parameter that came twice is there twice.
 *
 * @throws {@link HttpError} 400, 408 and 413.
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (request.method !== 'POST') return new URLSearchParams()
  const { body } = request as { body?: unknown }
  if (!request.readableEnded && !request.destroyed) {
    const bytes = await readBytes(request, { maxBytes: maxBodyBytes, malformed: brokenBody })
    return new URLSearchParams(bytes.toString('utf8'))
  }
  if (typeof body === 'string' || body instanceof Uint8Array) return new URLSearchParams(Buffer.from(body).toString())
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(body ?? {})) {
    for (const entry of Array.isArray(value) ? value : [value]) form.append(name, textOf(entry))
  }
  return form
}

/** Parsers make objects of `a[b]=c`, and of JSON: no parameter of the protocol is one. */
function textOf(value: unknown): string {
  return typeof value === 'object' || typeof value === 'function' ? '' : String(value)
}

/** Makes the requests that the provider of one issuer sees. `address`: it is asked by that, and not by the form. */
export function requestFixer(
  issuer: string,
): (request: Request, form: URLSearchParams, address?: string) => IncomingMessage {
  const { host, pathname, protocol } = new URL(issuer)

  return function fixed(request, form, address) {
    const { path, headers } = request
    const method = address === undefined ? request.method : 'GET'
    const text = method === 'POST' ? form.toString() : ''
    const start = request.url.indexOf('?')
    const url = address ?? `${path}${start < 0 ? '' : request.url.slice(start)}`
    const stream = Readable.from(text === '' ? [] : [Buffer.from(text)], { objectMode: false })
    const socket = { encrypted: protocol === 'https:', remoteAddress: clientAddress(request), writable: true }
    // The package asks for an `IncomingMessage`; one of its own would take hold of the socket.
    return Object.assign(stream as unknown as IncomingMessage, {
      method,
      url,
      originalUrl: `${pathname}${url}`,
      headers: {
        ...keptHeaders(headers),
        host,
        ...(text !== '' && { 'content-length': `${Buffer.byteLength(text)}` }),
      },
      httpVersion: '1.1',
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      socket,
      connection: socket,
    })
  }
}

function keptHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !droppedHeader.test(name)))
}

function brokenBody(): BadRequestError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'The form cannot be read.')
}
