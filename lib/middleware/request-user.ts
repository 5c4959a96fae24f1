/**
 * `request.user` for code that was written for passport. It stands after authentication.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { type Auth, findAuth } from '../core/auth.js'
import { andThen } from '../core/thenable.js'
import type { Gate } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'

/** Makes what an app expects as `request.user`. What it throws or rejects with refuses the request: 503 for a `StoreError`, else 500. */
export type CreateUser = (auth: Auth) => unknown

/**
 * Sets `request.user` from the caller, and removes it where nobody is authenticated. No gate reads it: rights come from `getAuth`.
 *
 * @example
 * ```ts
 * app.use(bearerAuthentication(core), requestUser(({ subject }) => ({ id: subject })))
 * ```
 */
export function requestUser(createUser: CreateUser): RequestHandler {
  return standAlone({ gates: [requestUserGate(createUser)] }, {})
}

export function requestUserGate(createUser: CreateUser): Gate {
  return function requestUserGate(request) {
    const noting: IncomingMessage & { user?: unknown } = request
    delete noting.user
    const auth = findAuth(request)
    if (auth === undefined) return undefined
    return andThen(createUser(auth), (user) => {
      noting.user = user
      return undefined
    })
  }
}
