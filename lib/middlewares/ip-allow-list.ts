/**
 * Address list: the first gate of every facet, before CORS and before any credential is read.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import { ForbiddenError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { jsonLogger, type Logger } from '../core/logger.js'
import { standAlone } from '../internal/facet-refusal.js'
import type { Gate } from '../internal/gate.js'
import { networkSet } from '../internal/network-set.js'
import { clientAddress, trustProxyGate } from '../internal/trust-proxy.js'

/** Options of {@link ipAllowList}. */
export interface IpAllowListOptions {
  /**
   * Who may call: addresses and CIDR blocks (RFC 4632; RFC 4291 section 2.3), or expressions that match a whole
   * address. IPv4-mapped IPv6 addresses count as IPv4, and `::/0` covers no IPv4 address. An empty list refuses
   * everybody; to let everybody pass, leave the middleware out.
   *
   * @example ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']
   */
  readonly networks: readonly (string | RegExp)[]

  /**
   * Reads the client's address. Behind a reverse proxy, set Express' `trust proxy` to the proxy's own address rather
   * than reading `X-Forwarded-For` here: any client can send that header.
   *
   * @defaultValue `request.ip`; then a `trust proxy` that lets clients choose their address is refused as well
   */
  readonly addressOf?: ((request: Request) => string | undefined) | undefined

  /**
   * Gets the reason when the app's `trust proxy` cannot be combined with a list of addresses.
   *
   * @defaultValue one JSON line to stderr
   */
  readonly logger?: Logger | undefined

  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/**
 * Lets a request pass only when it comes from one of the given networks.
 *
 * Fails closed: a request whose address is unknown, because its socket has closed or a trust function has failed, is
 * refused. The answer repeats neither the address nor the rule.
 *
 * @example
 * ```ts
 * app.use(ipAllowList({ networks: ['10.0.0.0/8', '::1'] }))
 * ```
 *
 * @returns A handler that passes {@link ForbiddenError} (403, `ERR_IP_NOT_ALLOWED`) to `next()`; or
 * {@link UnavailableError} (503, `ERR_TRUST_PROXY_UNSAFE`) while the app's `trust proxy` lets clients choose their address.
 * @throws {@link ConfigError} at start-up, naming every malformed entry of `networks`.
 */
export function ipAllowList(options: IpAllowListOptions): RequestHandler {
  const { addressOf, logger = jsonLogger() } = options
  const gate = ipAllowListGate(options)
  return standAlone({ gates: addressOf === undefined ? [trustProxyGate(logger), gate] : [gate] }, options)
}

/** The gate behind {@link ipAllowList}, without the check of `trust proxy`, for wiring into a facet. */
export function ipAllowListGate({ networks, addressOf = clientAddress }: IpAllowListOptions): Gate {
  const isAllowed = networkSet(networks)

  return function ipAllowListGate(request) {
    if (isKnownAndAllowed(request)) return undefined
    return new ForbiddenError('ERR_IP_NOT_ALLOWED', 'Calls from this address are not allowed.', { bare: 'always' })
  }

  function isKnownAndAllowed(request: Request): boolean {
    try {
      const address = addressOf(request)
      return address !== undefined && isAllowed(address)
    } catch {
      return false
    }
  }
}
