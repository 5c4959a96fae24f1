/**
 * The connections of a server, and the responses under way on them. Node tells neither: `closeAllConnections` leaves out what has become a
 * WebSocket, and clients that have not ended their TLS handshake.
 *
 * @module
 */

import type { ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'

const tracked = new WeakMap<Server, Set<Socket>>()

/** Of each connection the last response. An entry costs a request less than a listener that removes it when the response ends. */
const lastResponses = new WeakMap<Socket, ServerResponse>()

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

/** Notes a response that is under way from now on, for {@link announceEnd}. */
export function trackResponse(response: ServerResponse): void {
  lastResponses.set(response.req.socket, response)
}

/** Has every response of a server say that its connection ends: those that begin, and those noted as far as their headers are not sent. */
export function announceEnd(server: Server): void {
  for (const socket of trackSockets(server)) closeAfter(lastResponses.get(socket))
  server.prependListener('request', (_request: unknown, response: ServerResponse) => closeAfter(response))
}

/** HTTP/2 has no such header (RFC 9113 section 8.2.2). */
function closeAfter(response: ServerResponse | undefined): void {
  if (response?.req.httpVersionMajor === 1 && !response.headersSent) response.setHeader('Connection', 'close')
}
