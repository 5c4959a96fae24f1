/**
 * Which URLs are good for codes and tokens.
 *
 * @module
 */

/** Hosts of this machine, where nobody can listen in on plain HTTP (RFC 8252 section 7.3). */
export const loopbackHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

export function isSafeUrl({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && loopbackHosts.includes(hostname))
}
