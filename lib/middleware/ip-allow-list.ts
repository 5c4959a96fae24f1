/**
 * Address list: the first gate of every mount, before CORS and before any credential is read.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import { networkSet } from '../addresses/network-set.js'
import { clientAddress, trustProxyGate } from '../addresses/trust-proxy.js'
import { ForbiddenError, type Origin } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { defaultLogger, type Logger } from '../core/logger.js'
import type { Gate } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'

/** Options of {@link ipAllowList}. */
export interface IpAllowListOptions {
  /**
   * Who may call: addresses and CIDR blocks such as `10.0.0.0/8`, or expressions that match a whole address. IPv4-mapped IPv6
   * addresses count as IPv4, and `::/0` covers no IPv4 address. An empty list refuses everybody.
   */
  readonly networks: readonly (string | RegExp)[]

  /**
   * Reads the client's address. Behind a proxy, set `trust proxy` to its address: any client can send `X-Forwarded-For`.
   *
   * @defaultValue `request.ip`; then a `trust proxy` that lets clients choose their address is refused as well
   */
  readonly getAddress?: ((request: Request) => string | undefined) | undefined

  /** Gets the reason when `trust proxy` cannot be combined with addresses. @defaultValue one line to stderr */
  readonly logger?: Logger | undefined

  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined

  /** What the log names when it refuses. @defaultValue `{ key: 'networks' }` */
  readonly origin?: Origin | undefined
}

/**
 * Lets a request pass only when it comes from one of the networks. A request whose address is unknown is refused.
 * @example
 * ```ts
 * app.use(ipAllowList({ networks: ['10.0.0.0/8', '::1'] }))
 * ```
 * @returns A handler that passes to `next()`: 403 (`ERR_IP_NOT_ALLOWED`), and 503 (`ERR_TRUST_PROXY_UNSAFE`) for an unsafe
 * `trust proxy`.
 * @throws `ConfigError` at start-up, naming every malformed entry of `networks`.
 */
export function ipAllowList(options: IpAllowListOptions): RequestHandler {
  const { getAddress, logger = defaultLogger() } = options
  const gate = ipAllowListGate(options)
  return standAlone({ gates: getAddress === undefined ? [trustProxyGate(logger), gate] : [gate] }, options)
}

/** Without the check of `trust proxy`. */
export function ipAllowListGate({
  networks,
  getAddress = clientAddress,
  origin = { key: 'networks' },
}: IpAllowListOptions): Gate {
  const isAllowed = networkSet(networks)

  return function ipAllowListGate(request, _response, trace) {
    const isPassed = isKnownAndAllowed(request)
    trace?.rule(origin, isPassed ? 'passed' : 'refused', 'address')
    if (isPassed) return undefined
    return new ForbiddenError('ERR_IP_NOT_ALLOWED', 'Calls from this address are not allowed.', {
      bare: 'always',
      origin,
    })
  }

  function isKnownAndAllowed(request: Request): boolean {
    try {
      const address = getAddress(request)
      return address !== undefined && isAllowed(address)
    } catch {
      return false
    }
  }
}
