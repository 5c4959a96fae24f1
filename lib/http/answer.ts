/**
 * How requests are answered: JSON, an empty body, or a refusal in the form the client understands.
 *
 * @module
 */

import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Request, Response } from 'express'
import type { HttpError } from '../core/errors.js'

/** Says that no cache may keep the answer (RFC 9111 section 5.2.2.5). */
export function setNoStore(response: ServerResponse): void {
  response.setHeader('Cache-Control', 'no-store')
}

/** Answers with a JSON object, which no cache may keep unless `cacheControl` says otherwise. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  type = 'application/json',
  cacheControl = 'no-store',
): void {
  answerText(response, JSON.stringify(body), type, status, cacheControl)
}

/** Answers with a text, which no cache may keep unless `cacheControl` says otherwise. */
export function answerText(
  response: ServerResponse,
  text: string,
  type: string,
  status = 200,
  cacheControl = 'no-store',
): void {
  response.statusCode = status
  response.setHeader('Cache-Control', cacheControl)
  response.setHeader('Content-Type', `${type}; charset=utf-8`)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(text)
}

export function answerEmpty(response: Response, status: number): void {
  response.statusCode = status
  setNoStore(response)
  // A 204 must not have one (RFC 9110 section 8.6).
  if (status !== 204) response.setHeader('Content-Length', 0)
  response.end()
}

const problemType = 'application/problem+json'

/**
 * As RFC 9457 when the client asks for `application/problem+json`; without a body where the error is {@link HttpError.bare};
 * else a flat object of strings, which WSO2's clients read. Never HTML.
 */
export function answerRefusal(error: HttpError, request: Request, response: Response): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)

  const { status, code, message } = error
  const { accept } = request.headers
  if (accept && request.accepts(['application/json', problemType]) === problemType) {
    const title = STATUS_CODES[status]
    answerJson(response, status, { type: 'about:blank', title, status, detail: message, code }, problemType)
  } else if (error.bare === 'always' || (error.bare === 'without-accept' && !accept)) {
    answerEmpty(response, status)
  } else {
    answerJson(response, status, { Error: message, code })
  }
}

export function clientGone(response: Response): AbortSignal {
  const controller = new AbortController()
  if (response.destroyed) controller.abort()
  response.once('close', () => {
    if (!response.writableEnded) controller.abort()
  })
  return controller.signal
}

/** Whether nothing can be answered any more: the client has gone, or the request took so long that it was refused. */
export function isOver(response: Response): boolean {
  return response.destroyed || response.headersSent
}
