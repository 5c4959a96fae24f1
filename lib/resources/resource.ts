/**
 * What the resources have in common: paths, verbs, media type, and how their work is answered.
 *
 * @module
 */

import type { Request } from 'express'
import { type Auth, getAuth } from '../core/auth.js'
import type { HttpError } from '../core/errors.js'
import { answerJson } from '../internal/answer.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import { type Gate, refusalOf, type Verdict } from '../internal/gate.js'
import { ambiguousPath } from '../internal/public-path.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { UserStoreRefusal } from '../users/managed-user-store.js'
import { type JsonMembers, mediaTypeRefusal, readJsonBody } from './json-body.js'
import { Query } from './members.js'
import { type Collection, memberOf } from './resource-path.js'
import { storeRefusal } from './store-refusal.js'

/** Who asks, and from where. */
export interface Caller {
  readonly auth: Auth
  readonly address: string | undefined
}

/** A request for a resource. */
export interface Call extends Caller {
  /** Decoded name of the member; `''` for the collection. */
  readonly name: string
  readonly query: Query
  /** The body, read when it is asked for. */
  readonly body: () => Promise<JsonMembers>
}

/** Does the work and returns the JSON object of the answer. Throws refusals. */
export type Handler = (call: Call) => Promise<object>

/** Handlers by verb, in the order in which `Allow` names them. GET answers HEAD too. */
export type Handlers = Readonly<Record<string, Handler>>

/** Makes the gate of a collection and its members. Every request for them is answered, with 200 or a refusal. */
export function resourceGate(collection: Collection, ofAll: Handlers, ofOne: Handlers): Gate {
  const sides = [ofAll, ofOne].map((handlers) => ({
    handlers: new Map(Object.entries(handlers)),
    allow: allowOf(handlers),
  }))

  return function resourceGate(request, response): Verdict | Promise<Verdict> {
    const member = memberOf(collection, request.path)
    if (member === undefined) return undefined
    const { handlers, allow } = sides[member === '' ? 0 : 1]!
    const handler = handlers.get(request.method === 'HEAD' ? 'GET' : request.method)
    if (handler === undefined) return methodNotAllowed(allow)
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    const refusal = isReading ? undefined : mediaTypeRefusal(request)
    if (refusal !== undefined) return refusal
    const name = decoded(member)
    if (name === undefined) return ambiguousPath()

    return handler(callOf(request, name)).then((body): Verdict => {
      // Too late when the request was given up meanwhile.
      if (!response.headersSent) answerJson(response, 200, body)
      return 'answered'
    }, httpErrorOf)
  }
}

function allowOf(handlers: Handlers): string {
  return Object.keys(handlers)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
}

function decoded(member: string): string | undefined {
  try {
    return decodeURIComponent(member)
  } catch {
    return undefined
  }
}

function callOf(request: Request, name: string): Call {
  return {
    auth: getAuth(request),
    address: clientAddress(request),
    name,
    query: new Query(request.url),
    body: () => readJsonBody(request),
  }
}

function httpErrorOf(error: unknown): HttpError {
  return error instanceof UserStoreRefusal ? storeRefusal(error) : refusalOf(error)
}
