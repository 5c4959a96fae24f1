import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** One answer as it came over the wire. */
export interface RawResponse {
  readonly status: number
  /** Names in lower case; of several fields with one name, the last. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A server on a free port of 127.0.0.1. */
export interface ListeningServer extends AsyncDisposable {
  readonly port: number
}

/** Starts a server for an app, with room for long headers. Disposing of it ends its connections as well. */
export async function listen(app: RequestListener): Promise<ListeningServer> {
  const server = createServer({ maxHeaderSize: 64 * 1024 }, app).listen(0, '127.0.0.1')
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

/**
 * Sends bytes as they are and reads until the server closes the connection, so that a request must ask for
 * `Connection: close`. Answers to pipelined requests come in their order.
 *
 * @throws when the server is silent for longer than any answer may take
 */
export async function sendRaw(port: number, bytes: Uint8Array): Promise<readonly RawResponse[]> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  let isLate = false
  socket.setTimeout(50_000, () => {
    isLate = true
    socket.destroy()
  })
  socket.on('data', (chunk) => chunks.push(chunk))
  // A server that refuses a request may reset the connection before it has read all of it.
  socket.on('error', () => undefined)
  socket.write(bytes)
  await new Promise((resolve) => socket.on('close', resolve))
  if (isLate) throw new Error('the server did not close the connection in time')
  return responsesIn(Buffer.concat(chunks).toString('latin1'))
}

/** Splits what a server sent into answers, by their `Content-Length`; one without it goes to the end. */
function responsesIn(text: string): readonly RawResponse[] {
  const endOfHead = text.indexOf('\r\n\r\n')
  if (endOfHead === -1) return []
  const [statusLine = '', ...fields] = text.slice(0, endOfHead).split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colonAt = field.indexOf(':')
      return [field.slice(0, colonAt).toLowerCase(), field.slice(colonAt + 1).trim()]
    }),
  )
  const start = endOfHead + 4
  const end = start + Number(headers['content-length'] ?? text.length)
  const first = { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(start, end) }
  return [first, ...responsesIn(text.slice(end))]
}
