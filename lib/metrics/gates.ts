/**
 * `/metrics`: for administrators, and without a login for the addresses of `[metrics] allow`.
 *
 * @module
 */

import { trustProxyGate } from '../addresses/trust-proxy.js'
import { administratorsOnly } from '../admin-api/resource.js'
import type { Logger } from '../core/logger.js'
import { answerJson, answerText } from '../http/answer.js'
import { isAtPath, methodNotAllowed } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import { ipAllowListGate } from '../middleware/ip-allow-list.js'
import { prometheusType } from './prometheus-text.js'
import type { SecurityMetrics } from './security-metrics.js'

type Readable = Pick<SecurityMetrics, 'text' | 'report'>

/** Answers administrators with a `MetricsReport` where JSON is asked for, else with the text of Prometheus. */
export function metricsGate(metrics: Readable): Gate {
  return administratorsOnly((path) => isAtPath({ path }, '/metrics'), answerGate(metrics))
}

/** Answers the addresses of `networks`, whoever asks there. All others go on to the gates behind it. */
export function openMetricsGate(metrics: Readable, networks: readonly string[], logger: Logger): Gate {
  const answer = answerGate(metrics)
  const trusts = trustProxyGate(logger)
  const allows = ipAllowListGate({ networks })
  return function openMetricsGate(request, response) {
    const { method } = request
    if ((method !== 'GET' && method !== 'HEAD') || !isAtPath(request, '/metrics')) return undefined
    const isAllowed = trusts(request, response) === undefined && allows(request, response) === undefined
    return isAllowed ? answer(request, response) : undefined
  }
}

function answerGate(metrics: Readable): Gate {
  return async function metricsGate(request, response) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const wantsJson = request.accepts(['text/plain', 'application/json']) === 'application/json'
    const body = await (wantsJson ? metrics.report() : metrics.text())
    if (response.headersSent) return 'answered'
    response.vary('Accept')
    if (typeof body === 'string') answerText(response, body, prometheusType)
    else answerJson(response, 200, body)
    return 'answered'
  }
}
