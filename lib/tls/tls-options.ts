/**
 * What `https.createServer` is given.
 *
 * @module
 */

import type { ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { TlsConfig } from '../config/config.js'
import type { ServerMaterial } from './server-material.js'

/** A client that has not finished its handshake after this time is cut off. Node's own default is two minutes. */
const handshakeTimeoutMs = 10_000

/** Versions, suites and time-outs: all that does not depend on key material. */
export function tlsOptionsOf({ minVersion, maxVersion, cipherSuites }: TlsConfig): ServerOptions {
  return {
    minVersion,
    maxVersion,
    ciphers: cipherSuites.join(':'),
    honorCipherOrder: true,
    handshakeTimeout: handshakeTimeoutMs,
  }
}

/** The whole, with the key and the authorities of client certificates. */
export function serverOptionsOf(config: TlsConfig, { key, certificates, trusted }: ServerMaterial): ServerOptions {
  return {
    ...tlsOptionsOf(config),
    key: key.export({ format: 'pem', type: 'pkcs8' }),
    cert: certificates.map(String).join(''),
    requestCert: config.clientCertificates !== 'none',
    rejectUnauthorized: config.clientCertificates === 'required',
    ...(trusted && { ca: trusted.map(String) }),
  }
}

/**
 * Makes `authorized` mean that a client showed a certificate and an authority vouches for it.
 *
 * Where certificates are optional, Node lets one through that nobody vouches for: it is refused here, as it would be where
 * they are required. And Node calls a client authorized that showed none and resumed a session of TLS 1.3.
 */
export function judgeClient(socket: TLSSocket): void {
  if (socket.getPeerX509Certificate() === undefined) socket.authorized = false
  else if (!socket.authorized) socket.destroy()
}
