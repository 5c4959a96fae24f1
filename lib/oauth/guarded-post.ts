/**
 * Sends a form to a URL of the configuration, without being led to where it was not meant to go: the address is looked at that is
 * connected to, and no redirect is followed.
 *
 * `fetch` is not used: it takes no look-up of its own without a package beside it.
 *
 * @module
 */

import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'

/** Finds all addresses of a name. */
export type LookupAll = (
  name: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Options of {@link guardedPost}. */
export interface GuardedPostOptions {
  readonly isAllowed: (address: string) => boolean
  readonly signal: AbortSignal
  /** @defaultValue that of the system */
  readonly lookup?: LookupAll | undefined
}

/** An address that must not be called. It is not tried again. */
export class ForbiddenAddressError extends Error {}

const lookupAll: LookupAll = (name, callback) => systemLookup(name, { all: true }, callback)

/** Resolves with the status of the answer, whose body is not read. Rejects when there is none. */
export function guardedPost(
  url: URL,
  form: URLSearchParams,
  { isAllowed, signal, lookup = lookupAll }: GuardedPostOptions,
): Promise<number> {
  const text = String(form)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(text) }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    // Names are looked up once, by the socket itself; for an address nothing is looked up.
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(host) !== 0 && !isAllowed(host)) return reject(forbidden(url.hostname))
    const options = { method: 'POST', headers, signal, agent: false, lookup: guardedLookup(lookup, isAllowed) } as const
    const request = send(url, options, (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    })
    request.once('error', reject)
    // An answer that is none, such as an upgrade, ends the connection without an error.
    request.once('close', () => reject(new Error('the connection was closed without an answer')))
    request.end(text)
  })
}

/** Only addresses that are allowed are left to connect to. */
function guardedLookup(lookup: LookupAll, isAllowed: (address: string) => boolean): LookupFunction {
  return (name, { all }, callback) => {
    lookup(name, (error, found) => {
      const [first, ...others] = error === null ? found.filter(({ address }) => isAllowed(address)) : []
      if (error !== null) callback(error, [])
      else if (first === undefined) callback(forbidden(name), [])
      else if (all) callback(null, [first, ...others])
      else callback(null, first.address, first.family)
    })
  }
}

function forbidden(host: string): ForbiddenAddressError {
  const rule = 'has an address that is not public: if it is meant, list it in oauth.backchannel_logout_allow'
  return new ForbiddenAddressError(`${host} ${rule}`)
}
