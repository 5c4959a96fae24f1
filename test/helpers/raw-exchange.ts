/**
 * A client that sends bytes and returns bytes, so that two servers can be compared without anything in between.
 *
 * @module
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'

/** Listens on a free port of the loopback address. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Connects; over TLS, with any certificate, when the server is an https server. */
export async function open(server: Server): Promise<Socket> {
  const { port } = server.address() as AddressInfo
  const isTls = 'setSecureContext' in server
  const socket = isTls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connectPlain({ port, host: '127.0.0.1' })
  await once(socket, socket instanceof TLSSocket ? 'secureConnect' : 'connect')
  return socket
}

/** Sends bytes and returns all that comes back until the server closes, with the value of `Date` taken out. */
export async function exchange(server: Server, bytes: string | Buffer): Promise<string> {
  const socket = await open(server)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A server that refuses a request resets the connection when more of it was on its way.
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks)
    .toString('latin1')
    .replace(/^Date: .*$/gm, 'Date: -')
}

/** The bytes of one request, after which the server is asked to close. */
export function requestBytes(line: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const fields = { Host: 'api.example.org:9164', Connection: 'close', ...headers }
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}`)
  return `${[`${line} HTTP/1.1`, ...head].join('\r\n')}\r\n\r\n${body}`
}
