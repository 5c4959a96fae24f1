/**
 * URIs of the authorization server and of its service providers. They are compared character by character, so each has
 * one spelling only: the one that a URL parser gives back. A URI without a path stays without the slash.
 *
 * @module
 */

import { type Field, field } from '../fields.js'

/** Hosts of this machine, where nobody can listen in on plain HTTP (RFC 8252 section 7.3). */
const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** The issuer: where the authorization server is mounted (RFC 8414 section 2). */
export const issuerUri: Field<string> = field((value, refuse) => {
  const rule =
    'must be the https URL that security.oauth() is mounted at, such as "https://localhost:9443/oauth2" (http on localhost only)'
  if (typeof value !== 'string' || !URL.canParse(value)) return refuse(rule)
  const { protocol, hostname, pathname, search, hash, username, password, href } = new URL(value)
  const hasOthers = `${search}${hash}${username}${password}` !== '' || /[?#]$/.test(value)
  const isLoopback = protocol === 'http:' && loopbackHosts.includes(hostname)
  if ((protocol !== 'https:' && !isLoopback) || hasOthers) return refuse(rule)
  if (pathname === '/') return refuse(`${rule}: everything below its path is answered by it`)
  if (pathname.endsWith('/') || pathname.includes('//')) return refuse(`${rule}, without empty steps in its path`)
  return href === value ? value : refuse(rule, `; write it as ${href}`)
})

/** Where a browser is sent back to after a sign-in or a sign-out. */
export const redirectUri: Field<string> = field((value, refuse) => {
  const rule = 'must be an absolute https URI, such as "https://localhost:9443/devportal/callback"'
  if (typeof value !== 'string') return refuse(rule)
  if (value.includes('*')) {
    return refuse(
      'must not have a "*": redirect URIs are compared exactly, because a pattern lets codes go astray (RFC 9700 section 2.1)',
    )
  }
  if (!URL.canParse(value)) return refuse(rule)
  const { protocol, hostname, pathname, search, origin, username, password, href } = new URL(value)
  if (value.includes('#')) return refuse('must not have a fragment (RFC 6749 section 3.1.2)')
  if (username !== '' || password !== '') return refuse('must not have a user name or a password')
  const isLoopback = protocol === 'http:' && loopbackHosts.includes(hostname)
  if (protocol !== 'https:' && !isLoopback) {
    return refuse(`${rule}, or one of http on this machine: on its way in the clear a code can be read by others`)
  }
  // As apps write `window.location.origin`.
  const isWithoutPath = pathname === '/' && value === `${origin}${search}`
  return href === value || isWithoutPath ? value : refuse('must be spelled as browsers spell it', `: ${href}`)
})
