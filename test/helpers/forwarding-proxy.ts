import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A reverse proxy on 127.0.0.1. */
export interface ForwardingProxy extends AsyncDisposable {
  readonly port: number
}

/**
 * Starts a reverse proxy as most are set up: it adds the address of its own client to `X-Forwarded-For`, keeps what was
 * there, and connects to the next server from an address of its own.
 */
export async function startForwardingProxy(ownAddress: string, nextPort: number): Promise<ForwardingProxy> {
  const server = createServer((incoming, answer) => {
    const forwarded = [incoming.headers['x-forwarded-for'] ?? [], incoming.socket.remoteAddress ?? []].flat().join(', ')
    const { method, url: path } = incoming
    const headers = { ...incoming.headers, 'x-forwarded-for': forwarded, connection: 'close' }
    const options = { host: '127.0.0.1', port: nextPort, localAddress: ownAddress, agent: false, method, path, headers }
    const outgoing = httpRequest(options, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    outgoing.on('error', () => answer.writeHead(502).end())
    incoming.pipe(outgoing)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
