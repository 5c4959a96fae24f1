/** A directory that answers what a test says, for faults that a real one does not have. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { BerReader, BerWriter } from 'ldapts'

/** Tags of requests (RFC 4511 section 4). */
export const request = { bind: 0x60, search: 0x63, modify: 0x66, extended: 0x77 } as const

/** One request that came. */
export interface FakeRequest {
  readonly id: number
  /** One of {@link request}. */
  readonly tag: number
  /** The whole message, as one character for each byte. */
  readonly text: string
}

/** A running fake. */
export interface FakeLdap {
  readonly url: string
  readonly requests: readonly FakeRequest[]
  stop(): Promise<void>
}

/** Starts a fake. `answer` gives the bytes for a request; `undefined` closes the connection. */
export async function startFakeLdap(
  answer: (asked: FakeRequest) => readonly Buffer[] | undefined,
  write: (socket: Socket, bytes: Buffer) => void = (socket, bytes) => void socket.write(bytes),
): Promise<FakeLdap> {
  const requests: FakeRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const asked = readRequest(bytes)
      if (asked === undefined) return
      requests.push(asked)
      const answers = answer(asked)
      if (answers === undefined) socket.destroy()
      else write(socket, Buffer.concat(answers))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A result; `tag` is that of the answer. */
export function result(id: number, tag: number, code: number, message = ''): Buffer {
  return envelope(id, tag, (writer) => {
    writer.writeEnumeration(code)
    writer.writeString('')
    writer.writeString(message)
  })
}

/** An entry that a search has found. */
export function entry(id: number, dn: string, attributes: Readonly<Record<string, readonly string[]>>): Buffer {
  return envelope(id, 0x64, (writer) => {
    writer.writeString(dn)
    writer.startSequence()
    for (const [type, values] of Object.entries(attributes)) {
      writer.startSequence()
      writer.writeString(type)
      writer.startSequence(0x31)
      for (const value of values) writer.writeBuffer(Buffer.from(value, 'latin1'), 0x04)
      writer.endSequence()
      writer.endSequence()
    }
    writer.endSequence()
  })
}

function envelope(id: number, tag: number, body: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(tag)
  body(writer)
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}

/** What is no LDAP message (a TLS hello) is left without an answer. */
function readRequest(bytes: Buffer): FakeRequest | undefined {
  try {
    const reader = new BerReader(bytes)
    if (reader.readSequence() !== 0x30) return undefined
    const id = reader.readInt() ?? 0
    return { id, tag: reader.readSequence() ?? 0, text: bytes.toString('latin1') }
  } catch {
    return undefined
  }
}
