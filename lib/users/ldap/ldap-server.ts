/**
 * Which servers a directory has.
 *
 * @module
 */

import type { ConfigProblem } from '../../core/errors.js'

/** One server of a directory. */
export interface LdapServer {
  /** The name that its certificate must have. */
  readonly host: string
  readonly port: number
  /** Whether TLS begins before anything else, as with `ldaps://`. */
  readonly isTls: boolean
}

const defaultPorts: Readonly<Record<string, number>> = { 'ldap:': 389, 'ldaps:': 636 }

/** Reads `connection_url`: one URL or several with blanks between them. What cannot be read is added to `problems`. */
export function readServers(urls: string, problems: ConfigProblem[]): readonly LdapServer[] {
  const texts = urls.trim().split(/\s+/)
  const servers = texts.map(readServer)
  if (servers.includes(undefined)) {
    const rule = 'must be ldap:// or ldaps:// URLs without user, path and query, with a blank between two'
    problems.push({ key: 'user_store.connection_url', rule })
  }
  return servers.filter((server) => server !== undefined)
}

function readServer(text: string): LdapServer | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text)
  const defaultPort = defaultPorts[protocol]
  const isBare = (pathname === '' || pathname === '/') && search === '' && username === '' && password === ''
  if (defaultPort === undefined || hostname === '' || !isBare) return undefined
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: port === '' ? defaultPort : Number(port), isTls: protocol === 'ldaps:' }
}

/** Whether a server is on this machine, so that nobody listens in between. */
export function isLoopback({ host }: LdapServer): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
