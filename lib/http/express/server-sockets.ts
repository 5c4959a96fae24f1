/**
 * The connections of a server, and the responses under way on them. Node tells neither: `closeAllConnections` leaves out what has become a
 * WebSocket, and clients that have not ended their TLS handshake.
 *
 * @module
 */

import type { ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'

const tracked = new WeakMap<Server, Set<Socket>>()

/** Notes the connections of a server from now on. */
export function trackSockets(server: Server): ReadonlySet<Socket> {
  const known = tracked.get(server)
  if (known !== undefined) return known
  const sockets = new Set<Socket>()
  tracked.set(server, sockets)
  const note = (socket: Socket): void => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  server.on('connection', note)
  // The response is on the socket within TLS, and the handshake on the one below it.
  server.on('secureConnection', note)
  return sockets
}

/** Where Node keeps the response of a connection, on every version that there is; http-terminator reads it too. */
interface HttpSocket {
  readonly _httpMessage?: ServerResponse | null
}

/** Has every response of a server say that its connection ends, those under way as far as their headers are not sent. */
export function announceEnd(server: Server): void {
  for (const socket of trackSockets(server)) closeAfter((socket as HttpSocket)._httpMessage)
  server.prependListener('request', (_request: unknown, response: ServerResponse) => closeAfter(response))
}

/** HTTP/2 has no such header (RFC 9113 section 8.2.2). */
function closeAfter(response: ServerResponse | null | undefined): void {
  if (response?.req.httpVersionMajor === 1 && !response.headersSent) response.setHeader('Connection', 'close')
}
