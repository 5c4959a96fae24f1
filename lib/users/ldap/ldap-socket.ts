/**
 * Opens a socket to a directory server, with TLS where it is asked for.
 *
 * @module
 */

import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { LdapError } from './ldap-error.js'
import type { LdapServer } from './ldap-server.js'

/** How a server is reached. */
export interface SocketOptions {
  readonly server: LdapServer
  /** Certificates of authorities in PEM; absent: those that Node knows. */
  readonly ca: string | undefined
  readonly timeoutMs: number
}

/**
 * A socket that is connected; to an `ldaps://` server, after the certificate has been verified.
 *
 * @throws {@link LdapError} by rejecting.
 */
export async function openSocket(options: SocketOptions): Promise<Socket> {
  const { server, timeoutMs } = options
  if (server.isTls) return secured(options)
  const socket = connectTcp({ host: server.host, port: server.port, noDelay: true })
  return ready(socket, 'connect', timeoutMs)
}

/**
 * TLS, on a socket that is connected already or on a new one. Chain and host name are always verified, whatever the
 * environment says (`NODE_TLS_REJECT_UNAUTHORIZED`).
 */
export async function secured({ server, ca, timeoutMs }: SocketOptions, socket?: Socket): Promise<TLSSocket> {
  const tls = connectTls({
    host: server.host,
    port: server.port,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    // A name for SNI cannot be an address (RFC 6066 section 3); the certificate is compared with `host` then.
    ...(isIP(server.host) === 0 ? { servername: server.host } : {}),
    ...(socket === undefined ? {} : { socket }),
  })
  return ready(tls, 'secureConnect', timeoutMs)
}

/** Resolves at the event. A socket that fails or takes too long is destroyed. */
function ready<T extends Socket>(socket: T, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: LdapError): void => {
      clearTimeout(timer)
      // An error may still follow the first one, and without a listener it would end the process.
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(
      () => fail(new LdapError('timeout', 'The directory cannot be reached in time.')),
      timeoutMs,
    )
    const onClose = (): void => fail(new LdapError('connection', 'The directory closed the connection.'))
    const onError = (cause: Error): void =>
      fail(new LdapError('connection', 'The directory cannot be reached.', { cause }))
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', onError)
      socket.off('close', onClose)
      resolve(socket)
    })
  })
}
