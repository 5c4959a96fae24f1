import { connect } from 'node:net'

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** The first line, for example `HTTP/1.1 200 OK`. */
  readonly statusLine: string
  /** Every header line, in order, as it was sent. */
  readonly headerLines: readonly string[]
  /** The value of a header, several lines joined with a comma; `undefined` when there is none. */
  header(name: string): string | undefined
  /** The bytes after the head as UTF-8, chunked encoding undone. */
  readonly body: string
  /** The body as JSON. */
  json<T = Record<string, unknown>>(): T
}

/** Longer than any answer may take. It only tells a hanging connection from a slow one. */
const hangMs = 50_000

/** Sends bytes over a new connection and reads until the server ends it. Rejects when it never does. */
export function sendRaw(port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, host, () => socket.write(bytes))
    socket.setEncoding('utf8')
    const hanging = setTimeout(() => {
      socket.destroy()
      reject(new Error('the server neither answered nor ended the connection'))
    }, hangMs)
    const settle = (error?: Error): void => {
      clearTimeout(hanging)
      if (received !== '') resolve(parseAnswer(received))
      else reject(error ?? new Error('the server ended the connection without an answer'))
    }
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    // A server that refuses a request early may reset the connection behind its answer.
    socket.on('error', settle)
    socket.on('close', () => settle())
  })
}

/** The bytes of a request. `headers` are lines, so that a name can come twice. The connection ends after the answer. */
export function requestBytes(method: string, path: string, headers: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: front.test', 'Connection: close', ...headers, ...length]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

function parseAnswer(received: string): RawAnswer {
  const headEnd = received.indexOf('\r\n\r\n')
  const [statusLine = '', ...headerLines] = received.slice(0, headEnd).split('\r\n')
  const header = (name: string): string | undefined => {
    const start = `${name.toLowerCase()}:`
    const lines = headerLines.filter((line) => line.toLowerCase().startsWith(start))
    return lines.length === 0 ? undefined : lines.map((line) => line.slice(start.length).trim()).join(', ')
  }
  const rest = received.slice(headEnd + 4)
  const body = header('transfer-encoding') === 'chunked' ? withoutChunks(Buffer.from(rest)) : rest
  return {
    status: Number(statusLine.split(' ')[1]),
    statusLine,
    headerLines,
    header,
    body,
    json: () => JSON.parse(body),
  }
}

function withoutChunks(bytes: Buffer): string {
  const lineEnd = bytes.indexOf('\r\n')
  const length = Number.parseInt(bytes.subarray(0, lineEnd).toString(), 16)
  if (!(length > 0)) return ''
  const start = lineEnd + 2
  return bytes.subarray(start, start + length).toString() + withoutChunks(bytes.subarray(start + length + 2))
}
