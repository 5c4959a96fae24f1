/**
 * `/health/live` and `/health/ready` for whatever watches the process, without a login and before every address list but their own; and
 * `/health` with the detail, for administrators.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { trustProxyGate } from '../addresses/trust-proxy.js'
import { administratorsOnly } from '../admin-api/resource.js'
import { HttpError, type Origin } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { answerJson } from '../http/answer.js'
import { isAtPath, methodNotAllowed } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { ipAllowListGate } from '../middleware/ip-allow-list.js'
import type { Health } from './health.js'

/** Who may ask. */
export interface ProbeAccess {
  /** `undefined`: everybody. */
  readonly allowedNetworks: readonly string[] | undefined
  readonly origin: Origin
  readonly logger: Logger
}

/** Answers without any detail: `{"status":"pass"}`, or 503 and `{"status":"fail"}`. */
export function probesGate(health: Health, access: ProbeAccess): Gate {
  const refuse = refuser(access)

  return function probesGate(request, response): Verdict | Promise<Verdict> {
    const isLive = isAtPath(request, '/health/live')
    if (!isLive && !isAtPath(request, '/health/ready')) return undefined
    const refusal = refuse(request, response) ?? readingOnly(request)
    if (refusal !== undefined) return refusal
    if (isLive) return answer(response, true)
    return health.isReady().then((isReady) => answer(response, isReady))
  }
}

function answer(response: Response, isGood: boolean): Verdict {
  if (!response.headersSent) answerJson(response, isGood ? 200 : 503, { status: isGood ? 'pass' : 'fail' })
  return 'answered'
}

/** Nobody else learns that there is something. */
function refuser({ allowedNetworks, origin, logger }: ProbeAccess): Gate {
  if (allowedNetworks === undefined) return () => undefined
  const trusts = trustProxyGate(logger)
  const allows = ipAllowListGate({ networks: allowedNetworks })
  return (request, response) => {
    const unsafe = trusts(request, response)
    if (unsafe !== undefined) return unsafe
    const isAllowed = allows(request, response) === undefined
    return isAllowed ? undefined : new HttpError(404, 'ERR_NOT_FOUND', 'Not found.', { origin })
  }
}

function readingOnly({ method }: Request): HttpError | undefined {
  return method === 'GET' || method === 'HEAD' ? undefined : methodNotAllowed('GET, HEAD')
}

/** Answers with a `HealthReport`: always 200, as the report says the rest. */
export function healthGate(health: Pick<Health, 'report'>): Gate {
  const gate: Gate = async (request, response) => {
    const refusal = readingOnly(request)
    if (refusal !== undefined) return refusal
    const report = await health.report()
    if (!response.headersSent) answerJson(response, 200, report)
    return 'answered'
  }
  return administratorsOnly((path) => isAtPath({ path }, '/health'), gate)
}
