/**
 * A request that no client has sent, and what became of it.
 *
 * @module
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Express, NextFunction, Request, Response } from 'express'

/** What a client sends, and from where. */
export interface RequestFacts {
  readonly method: string
  /** The request target. */
  readonly url: string
  /** In the spelling and the order of the client; a name may come several times. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Of the socket's peer. */
  readonly address: string
  /** Whether it comes over TLS. */
  readonly isSecure: boolean
}

/** `passed`: on to what stands behind. `answered`: by an answer whose status is known. */
export type RequestOutcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Gives the request to an app, or to a handler that stands in `app` at its root. */
export function runRequest(
  facts: RequestFacts,
  app: Express,
  handler: (request: Request, response: Response, next: NextFunction) => void,
): { readonly request: Request; readonly response: Response; readonly outcome: Promise<RequestOutcome> } {
  const request = createRequest(facts, app)
  const response = Object.setPrototypeOf(new ServerResponse(request), app.response) as Response
  const links = { originalUrl: facts.url, baseUrl: '', params: {}, res: response }
  Object.assign(request, links)
  Object.assign(response, { req: request })
  const outcome = new Promise<RequestOutcome>((resolve) => {
    response.end = () => {
      resolve({ kind: 'answered', status: response.statusCode })
      return response
    }
    handler(request, response, (error?: unknown) =>
      resolve(error === undefined ? { kind: 'passed' } : { kind: 'failed', error }),
    )
  })
  return { request, response, outcome }
}

/** Headers of which Node keeps the first (its documentation of `message.headers`). */
const single = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since ' +
    'last-modified location max-forwards proxy-authorization referer retry-after server user-agent'
  ).split(' '),
)

function createRequest({ method, url, headers, address, isSecure }: RequestFacts, app: Express): Request {
  const [on, once, destroy] = Array.from({ length: 3 }, () => () => undefined)
  const socket = { remoteAddress: address, encrypted: isSecure, on, once, destroy }
  const request = Object.setPrototypeOf(new IncomingMessage(socket as unknown as Socket), app.request) as Request
  const own: Record<string, string> = {}
  for (const [spelled, value] of headers) {
    const name = spelled.toLowerCase()
    const before = own[name]
    if (before === undefined) own[name] = value
    else if (!single.has(name)) own[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  const rawHeaders = headers.flat()
  // Without a body: one that is announced never comes.
  request.push(null)
  return Object.assign(request, { method, url, headers: own, rawHeaders, httpVersion: '1.1', complete: true })
}
