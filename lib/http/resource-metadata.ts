/**
 * Where the metadata of a protected resource is (RFC 9728).
 *
 * @module
 */

import { isSafeUrl } from '../core/safe-url.js'

const prefix = '/.well-known/oauth-protected-resource'

/**
 * The URL of the metadata of a resource: at the root of its host, with its own path behind (RFC 9728 section 3.1). `undefined` for a
 * resource that is no https URL (section 1.2), or one of http on this machine, and for one with a query.
 */
export function resourceMetadataUrl(resource: string | undefined): URL | undefined {
  if (resource === undefined || !URL.canParse(resource)) return undefined
  const url = new URL(resource)
  const { origin, pathname, search, hash, username, password } = url
  if (!isSafeUrl(url) || `${search}${hash}${username}${password}` !== '') return undefined
  return new URL(`${prefix}${pathname === '/' ? '' : pathname}`, origin)
}
