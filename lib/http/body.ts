/**
 * Reads the bytes of a request's body, as long as they are not too many and come in time.
 *
 * @module
 */

import type { Request } from 'express'
import { HttpError } from '../core/errors.js'

const bodyTimeoutMs = 20_000

export interface BodyLimits {
  readonly maxBytes: number
  /** Makes the refusal of a body that breaks off. */
  readonly malformed: () => HttpError
}

/** @throws `HttpError` 413 over the limit, and 408 when the body does not arrive within 20 seconds. */
export function readBytes(request: Request, { maxBytes, malformed }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const listeners = {
      data: (chunk: Buffer | string) => {
        const bytes = Buffer.from(chunk)
        length += bytes.length
        if (length > maxBytes) fail(tooLarge(maxBytes))
        else chunks.push(bytes)
      },
      end: () => settle(() => resolve(Buffer.concat(chunks))),
      error: () => fail(malformed()),
      close: () => fail(malformed()),
    }
    const timer = setTimeout(() => fail(late()), bodyTimeoutMs)
    timer.unref()

    function settle(outcome: () => void): void {
      clearTimeout(timer)
      for (const [event, listener] of Object.entries(listeners)) request.off(event, listener)
      outcome()
    }
    function fail(error: HttpError): void {
      settle(() => reject(error))
      // An `error` event without a listener would end the process.
      request.on('error', () => {})
      request.pause()
    }

    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return fail(tooLarge(maxBytes))
    for (const [event, listener] of Object.entries(listeners)) request.on(event, listener)
  })
}

/** What is left of the body is not waited for: the connection ends. */
const lastAnswer = { headers: { Connection: 'close' } }

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'ERR_BODY_TOO_LARGE', `The payload is larger than ${maxBytes} bytes.`, lastAnswer)
}

function late(): HttpError {
  return new HttpError(408, 'ERR_REQUEST_INVALID', 'The payload did not arrive in time.', lastAnswer)
}

/**
 * Makes the test for a media type: alone, or with `charset=utf-8` and no other parameter (RFC 9110 section 8.3.1), in linear
 * time.
 *
 * @param type - With a backslash before each character that is special in an expression.
 */
export function utf8Type(type: string): RegExp {
  return new RegExp(`^${type}\\s*(?:;\\s*(?:charset\\s*=\\s*"?utf-8"?\\s*(?:;\\s*)?)?)?$`, 'i')
}
