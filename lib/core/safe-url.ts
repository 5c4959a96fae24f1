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

/** Begins with an address of this machine; `localhost` may be another one (RFC 8252 section 8.3). */
const loopbackAddress = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::[1-9]\d{0,4})?((?:[/?].*)?)$/

/** A URI at an address of this machine without its port, to be compared with another one; `undefined` for any other URI. */
export function withoutPort(uri: string): string | undefined {
  const [, host, rest] = loopbackAddress.exec(uri) ?? []
  return host === undefined ? undefined : `${host}${rest}`
}
