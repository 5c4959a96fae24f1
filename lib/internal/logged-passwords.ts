/**
 * Notices that an app logs the headers of its requests, passwords of HTTP Basic among them.
 *
 * @module
 */

import type { Request } from 'express'
import type { Logger } from '../core/logger.js'
import type { Gate } from './gate.js'

/** What pino-http leaves on a request. `bindings` is documented, and answers what each line of the log will hold. */
interface LoggedRequest {
  readonly log?: { bindings?(): { readonly req?: { readonly headers?: { readonly authorization?: unknown } } } }
}

const warning =
  'the log of the app gets the Authorization header of each request, and with it the passwords of logins: ' +
  "write pinoHttp({ redact: ['req.headers.authorization', 'req.headers.cookie'] }) or the like"

/** Warns at the first request with credentials where the app's pino-http is going to log them. */
export function loggedPasswordsGate(logger: Logger): Gate {
  let isChecked = false
  return function loggedPasswordsGate(request) {
    const { authorization } = request.headers
    if (isChecked || authorization === undefined) return undefined
    isChecked = true
    if (loggedAuthorization(request) === authorization) logger.warn({}, warning)
    return undefined
  }
}

function loggedAuthorization(request: Request & LoggedRequest): unknown {
  try {
    return request.log?.bindings?.().req?.headers?.authorization
  } catch {
    return undefined
  }
}
