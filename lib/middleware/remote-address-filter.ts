/**
 * Address rules of portals and web apps: they stand before everything else, as the valves and filters of Tomcat do.
 *
 * @module
 */

import type { Request } from 'express'
import { type AddressRule, addressRule } from '../addresses/allow-list.js'
import { clientAddress } from '../addresses/trust-proxy.js'
import { BadRequestError, HttpError, type Origin } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { readSwallowed, wholePaths } from '../http/mounted-at.js'
import { hasOneReading, pathEnds, readingsFrom } from '../paths/readings.js'
import { servletPattern } from '../paths/servlet-pattern.js'

/** Options of {@link remoteAddressFilterGate}. */
export interface RemoteAddressFilterOptions extends AddressRule {
  /** The paths it is for, from the root of the server, as the URL pattern of a servlet. @defaultValue every path */
  readonly urlPattern?: string | undefined
  /** Status code of a refusal. @defaultValue 403 */
  readonly denyStatus?: number | undefined
  /** What the log names when it refuses. */
  readonly origin?: Origin | undefined
}

/**
 * Lets a request pass when its path, in none of its readings, is one of these, or its address may. Else 403
 * (`ERR_IP_NOT_ALLOWED`) without a body, or `denyStatus`; 400 (`ERR_PATH_AMBIGUOUS`) where the path cannot be read.
 */
export function remoteAddressFilterGate(options: RemoteAddressFilterOptions): Gate {
  const { urlPattern, denyStatus = 403, origin = { key: 'allow' } } = options
  const mayPass = addressRule(options)
  const isCovered = urlPattern === undefined ? () => true : coverage(urlPattern)

  return function remoteAddressFilterGate(request, _response, trace) {
    const isAllowed = mayPass(clientAddress(request))
    const answer = !isAllowed && isCovered(request)
    trace?.rule(origin, answer === false ? 'passed' : 'refused', 'address')
    if (answer === false) return undefined
    if (answer === 'ambiguous') {
      return new BadRequestError('ERR_PATH_AMBIGUOUS', 'The path cannot be read in one way.', { origin })
    }
    return new HttpError(denyStatus, 'ERR_IP_NOT_ALLOWED', 'Calls from this address are not allowed.', {
      bare: 'always',
      origin,
    })
  }
}

function coverage(urlPattern: string): (request: Request) => boolean | 'ambiguous' {
  const matches = servletPattern(urlPattern)

  return (request) => {
    const readings = wholePaths(request).map((path) => (hasOneReading(path) ? [path] : readingsFrom(path)))
    const swallowed = readSwallowed(request)
    if (swallowed !== undefined) readings.push(pathEnds(swallowed.wholePath))
    if (readings.some((of) => of?.some(matches))) return true
    return readings.includes(undefined) ? 'ambiguous' : false
  }
}
