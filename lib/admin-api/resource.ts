/**
 * What the resources have in common: paths, verbs, media type, and how their work is answered.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type Auth, getAuth } from '../core/auth.js'
import { BadRequestError, ForbiddenError, HttpError, type HttpErrorCode } from '../core/errors.js'
import type { Client } from '../core/events.js'
import { answerJson } from '../http/answer.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { ambiguousPath } from '../paths/public-path.js'
import { foldCase } from '../paths/readings.js'
import { UserChangeError, type UserChangeErrorCode } from '../users/managed-user-store.js'
import { maxNameLength } from '../users/user-store.js'
import { createQuery, type JsonMembers, mediaTypeRefusal, readJsonBody } from './json-body.js'

export interface Caller {
  readonly auth: Auth
  readonly address: string | undefined
  /** For the events of what the call changes. */
  readonly client: Client
}

export interface Call extends Caller {
  /** Decoded name of the member; `''` for the collection. */
  readonly name: string
  readonly query: (name: string) => string
  /** The body, read when it is asked for. */
  readonly body: () => Promise<JsonMembers>
}

/** Does the work and returns the JSON object of the answer. Throws refusals. */
export type Handler = (call: Call) => Promise<object>

/** Handlers by verb, in the order in which `Allow` names them. GET answers HEAD too. */
export type Handlers = Readonly<Record<string, Handler>>

/**
 * Makes the gate of a collection and its members. Every request for them is answered, with 200 or a refusal. Without `ofOne` there are no
 * members.
 */
export function resourceGate(collection: Collection, ofAll: Handlers, ofOne?: Handlers): Gate {
  const sides = [ofAll, ofOne ?? {}].map((handlers) => ({
    handlers: new Map(Object.entries(handlers)),
    allow: allowFrom(handlers),
  }))

  return function resourceGate(request, response): Verdict | Promise<Verdict> {
    const member = readMember(collection, request.path)
    if (member === undefined) return undefined
    if (member !== '' && ofOne === undefined) return new HttpError(404, 'ERR_NOT_FOUND', 'Not found.')
    const { handlers, allow } = sides[member === '' ? 0 : 1]!
    const handler = handlers.get(request.method === 'HEAD' ? 'GET' : request.method)
    if (handler === undefined) return methodNotAllowed(allow)
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    const refusal = isReading ? undefined : mediaTypeRefusal(request)
    if (refusal !== undefined) return refusal
    const name = decode(member)
    if (name === undefined) return ambiguousPath()

    return answerCall(handler, name, request, response)
  }
}

/** Answers with what a handler makes of a call. */
export function answerCall(handler: Handler, name: string, request: Request, response: Response): Promise<Verdict> {
  return handler(readCall(request, name)).then((body): Verdict => {
    // Too late when the request was given up meanwhile.
    if (!response.headersSent) answerJson(response, 200, body)
    return 'answered'
  }, httpErrorFrom)
}

function allowFrom(handlers: Handlers): string {
  return Object.keys(handlers)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ')
}

/** `undefined` for what is no text with escapes. */
export function decode(member: string): string | undefined {
  try {
    return decodeURIComponent(member)
  } catch {
    return undefined
  }
}

function readCall(request: Request, name: string): Call {
  const client = readClient(request)
  return {
    auth: getAuth(request),
    address: client.address,
    client,
    name,
    query: createQuery(request.url),
    body: () => readJsonBody(request),
  }
}

function httpErrorFrom(error: unknown): HttpError {
  return error instanceof UserChangeError ? storeRefusal(error) : refusalFrom(error)
}

export type Collection =
  | 'users'
  | 'roles'
  | 'sessions'
  | 'locks'
  | 'events'
  | 'audit'
  | 'api-tokens'
  | 'service-providers'
  | 'configuration'

/**
 * What follows the name of a collection in a path, as it came over the wire: `''` for the collection itself, with or
 * without a slash at the end; otherwise the name of one of its members, in which slashes may stand unescaped.
 *
 * @returns `undefined` when the path is none of this collection.
 */
export function readMember(collection: Collection, path: string): string | undefined {
  if (!path.startsWith('/') || firstSegment(path) !== collection) return undefined
  const [, , ...rest] = path.split('/')
  return rest.join('/').replace(/\/$/, '')
}

/** Of the path that was asked for last: a dozen gates ask for the same one, one after the other. */
let latest = { path: '', first: '' }

function firstSegment(path: string): string {
  if (path !== latest.path) latest = { path, first: foldCase(path.split('/', 2)[1] ?? '') }
  return latest.first
}

/**
 * Whether a request sets the password of one user. Anybody may set their own, so the paths of administrators let it
 * pass: the resource itself tells whose password it is.
 */
export function setsPassword({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === 'PATCH' && Boolean(readMember('users', path))
}

const answers: Readonly<Record<UserChangeErrorCode, readonly [status: 400 | 403 | 404, code: HttpErrorCode]>> = {
  'user-exists': [400, 'ERR_USER_EXISTS'],
  'role-exists': [400, 'ERR_ROLE_EXISTS'],
  'invalid-name': [400, 'ERR_NAME_INVALID'],
  'invalid-password': [400, 'ERR_PASSWORD_INVALID'],
  'user-not-found': [404, 'ERR_NOT_FOUND'],
  'role-not-found': [400, 'ERR_REQUEST_INVALID'],
  'read-only': [403, 'ERR_USERS_NOT_MANAGEABLE'],
  protected: [403, 'ERR_USER_PROTECTED'],
}

/** The answer to a change that a store refuses. It always has a body, because it says more than its status. */
export function storeRefusal({ code, message }: UserChangeError): HttpError {
  const [status, errorCode] = answers[code]
  if (status === 400) return new BadRequestError(errorCode, message)
  if (status === 403) return new ForbiddenError(errorCode, message, { bare: 'never' })
  return new HttpError(404, errorCode, message)
}

/** Work of the store, whose refusals become others by their code. */
export async function replaceRefusals(
  work: Promise<void>,
  refusals: Readonly<Partial<Record<UserChangeErrorCode, Error>>>,
): Promise<void> {
  try {
    await work
  } catch (error) {
    throw (error instanceof UserChangeError && refusals[error.code]) || error
  }
}

/** The answer for a user or role that is not there, in the words of WSO2. It repeats what the client sent. */
export function memberNotFound(kind: 'User' | 'Role', name: string): HttpError {
  const shown = name.slice(0, maxNameLength)
  return new HttpError(404, 'ERR_NOT_FOUND', `Requested resource not found. ${kind}: ${shown} cannot be found.`)
}

export function protectedUser(message: string): ForbiddenError {
  return new ForbiddenError('ERR_USER_PROTECTED', message, { bare: 'never' })
}

/** Lets only administrators call a gate, whatever the path rules say, for the paths for which `isMine` is true. */
export function administratorsOnly(isMine: (path: string) => boolean, gate: Gate): Gate {
  return function administratorsOnly(request, response, trace) {
    if (!isMine(request.path)) return undefined
    return getAuth(request).isAdmin ? gate(request, response, trace) : adminRequired()
  }
}

/** The refusal of a change that only administrators may make, whatever the path rules say. */
export function adminRequired(): ForbiddenError {
  return new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.')
}
