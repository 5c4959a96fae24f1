/** Stands between a client and a server, and records what the client sends. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy on a free port of 127.0.0.1. */
export interface TcpProxy {
  readonly port: number
  /** All that clients have sent. */
  readonly sent: () => Buffer
  /** Most connections that were open at a time. */
  readonly mostConnections: () => number
  /** Connections that have been made. */
  readonly connections: () => number
  /**
   * Called before bytes are passed on; with `false` they are not, and the connection is closed. With `'swallow'` they are gone
   * without a word, as behind a firewall that has forgotten the connection.
   */
  onData: ((bytes: Buffer, connection: number) => boolean | 'swallow') | undefined
  /** As `onData`, for what the server sends. A number: so many bytes are passed on, and the connection is closed. */
  onAnswer: ((bytes: Buffer, connection: number) => boolean | 'swallow' | number) | undefined
  stop(): Promise<void>
}

/** Starts a proxy to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const chunks: Buffer[] = []
  let connections = 0
  let most = 0
  const server = createServer((client) => {
    const number = ++connections
    const target = connect(targetPort, '127.0.0.1')
    sockets.add(client)
    most = Math.max(most, sockets.size)
    const end = (): void => {
      sockets.delete(client)
      client.destroy()
      target.destroy()
    }
    // It counts as open until its end is heard of, not until the last byte has gone the other way.
    client.on('end', () => sockets.delete(client))
    client.on('data', (bytes) => {
      chunks.push(bytes)
      const verdict = proxy.onData?.(bytes, number)
      if (verdict === false) end()
      else if (verdict !== 'swallow') target.write(bytes)
    })
    target.on('data', (bytes) => {
      const verdict = proxy.onAnswer?.(bytes, number)
      if (typeof verdict === 'number') client.end(bytes.subarray(0, verdict), end)
      else if (verdict === false) end()
      else if (verdict !== 'swallow') client.write(bytes)
    })
    for (const socket of [client, target]) socket.on('error', end).on('close', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    sent: () => Buffer.concat(chunks),
    mostConnections: () => most,
    connections: () => connections,
    onData: undefined,
    onAnswer: undefined,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
