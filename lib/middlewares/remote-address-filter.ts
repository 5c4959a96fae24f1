/**
 * Address rules of portals and web apps: they stand before everything else, as the valves and filters of Tomcat do.
 *
 * @module
 */

import type { Request } from 'express'
import { BadRequestError, HttpError } from '../core/errors.js'
import { swallowedOf } from '../http/mount-path.js'
import { type AddressRule, addressRule } from '../internal/address-rule.js'
import type { Gate } from '../internal/gate.js'
import { endsOf, hasOneReading, readingsOf } from '../internal/path-readings.js'
import { servletPattern } from '../internal/servlet-pattern.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { wholePaths } from '../internal/whole-path.js'

/** Options of {@link remoteAddressFilterGate}. */
export interface RemoteAddressFilterOptions extends AddressRule {
  /**
   * The paths it is for, from the root of the server, as the URL pattern of a servlet.
   *
   * @defaultValue every path
   * @example '/carbon/admin/login.jsp'
   */
  readonly urlPattern?: string | undefined
  /**
   * Status code of a refusal.
   *
   * @defaultValue 403
   */
  readonly denyStatus?: number | undefined
}

/**
 * Lets a request pass when its path is not one of these, or its address may. The path is judged in all its readings: it
 * is one of these when any of them is.
 *
 * @returns A gate that refuses with a bare 403 (`ERR_IP_NOT_ALLOWED`), or the `denyStatus`; and with 400
 * (`ERR_PATH_AMBIGUOUS`) an address that may not pass, when nobody can say what its path means.
 * @throws TypeError for the first malformed item of the rule.
 */
export function remoteAddressFilterGate(options: RemoteAddressFilterOptions): Gate {
  const { urlPattern, denyStatus = 403 } = options
  const mayPass = addressRule(options)
  const isCovered = urlPattern === undefined ? () => true : coverage(urlPattern)

  return function remoteAddressFilterGate(request) {
    if (mayPass(clientAddress(request))) return undefined
    const answer = isCovered(request)
    if (answer === 'ambiguous') return new BadRequestError('ERR_PATH_AMBIGUOUS', 'The path cannot be read in one way.')
    if (!answer) return undefined
    return new HttpError(denyStatus, 'ERR_IP_NOT_ALLOWED', 'Calls from this address are not allowed.', {
      bare: 'always',
    })
  }
}

function coverage(urlPattern: string): (request: Request) => boolean | 'ambiguous' {
  const matches = servletPattern(urlPattern)

  return (request) => {
    const readings = wholePaths(request).map((path) => (hasOneReading(path) ? [path] : readingsOf(path)))
    const swallowed = swallowedOf(request)
    if (swallowed !== undefined) readings.push(endsOf(swallowed.wholePath))
    if (readings.some((of) => of?.some(matches))) return true
    return readings.includes(undefined) ? 'ambiguous' : false
  }
}
