/**
 * CORS: the second gate, after the address list and before authentication, so that later refusals carry its headers.
 *
 * @module
 */

import { validateHeaderValue } from 'node:http'
import cors from 'cors'
import type { Request, RequestHandler } from 'express'
import type { SecurityEvents } from '../core/events.js'
import { answerEmpty } from '../http/answer.js'
import type { Gate } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'

/** Options of {@link corsPolicy}. */
export interface CorsPolicyOptions {
  /** Origins whose scripts may read the answers, compared as exact text; `'*'` alone: all of them. @defaultValue `['*']` */
  readonly allowedOrigins?: readonly string[]

  /** Value of `Access-Control-Allow-Headers`. @defaultValue `'Authorization, Content-Type'` */
  readonly allowedHeaders?: string

  /** Told of each refusal, which is one for too many headers. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/** As WSO2 writes it, byte for byte. */
const allowedMethods = 'GET, POST, PUT, DELETE,OPTIONS, PATCH'

/**
 * Answers preflights and puts the CORS headers on every other answer, refusals included. CORS blocks no request: it tells
 * browsers which scripts may read the answers. Cookies are never allowed. Only an OPTIONS request with `Origin` and
 * `Access-Control-Request-Method` is a preflight (Fetch standard); any other passes.
 */
export function corsPolicy(options: CorsPolicyOptions = {}): RequestHandler {
  return standAlone({ gates: [corsPolicyGate(options)] }, options)
}

export function corsPolicyGate({
  allowedOrigins = ['*'],
  allowedHeaders = 'Authorization, Content-Type',
}: CorsPolicyOptions = {}): Gate {
  validateHeaderValue('Access-Control-Allow-Headers', allowedHeaders)
  const isOpen = allowedOrigins.includes('*')
  const setHeaders = cors({
    origin: isOpen ? '*' : [...allowedOrigins],
    methods: allowedMethods,
    allowedHeaders,
    preflightContinue: true,
  })

  return function corsPolicyGate(request, response) {
    if (request.method !== 'OPTIONS') {
      // All that the cors package would do here, by way of objects and lists.
      if (isOpen) response.setHeader('Access-Control-Allow-Origin', '*')
      else setHeaders(request, response, ignoreNext)
      // WSO2's clients find these two on every answer; the cors package sets them on OPTIONS only.
      response.setHeader('Access-Control-Allow-Methods', allowedMethods)
      response.setHeader('Access-Control-Allow-Headers', allowedHeaders)
      return undefined
    }
    setHeaders(request, response, ignoreNext)
    response.vary('Access-Control-Request-Method, Access-Control-Request-Headers')
    if (!isPreflight(request)) return undefined
    answerEmpty(response, 200)
    return 'answered'
  }
}

function isPreflight({ headers }: Request): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/** The cors package calls `next` at once when its origins are a constant, and all it does is done by then. */
function ignoreNext(): void {}
