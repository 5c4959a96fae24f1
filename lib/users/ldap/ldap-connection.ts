/**
 * One connection to a directory server. `ldapts` writes and reads the messages.
 *
 * Its own client (8.2) connects again by itself without bind and TLS, takes a cut answer for a whole one, and the success of any
 * request for that of a bind.
 *
 * @module
 */

import { once } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  type AddRequest,
  type BindRequest,
  type DeleteRequest,
  ExtendedRequest,
  MessageParser,
  type ModifyRequest,
  ProtocolOperation,
  SearchEntry,
  SearchReference,
  type SearchRequest,
  type SearchResponse,
} from 'ldapts'
import { within } from '../../async/deadline.js'
import { LdapError, resultCode, resultError } from './ldap-error.js'

export interface LdapServer {
  /** The name that its certificate must have. */
  readonly host: string
  readonly port: number
  /** Whether TLS begins before anything else, as with `ldaps://`. */
  readonly isTls: boolean
}

/** Options of {@link openConnection}. Times are in milliseconds. */
export interface ConnectionOptions {
  /** Certificates of authorities in PEM; absent: those that Node knows. */
  readonly ca: string | undefined
  /** Start TLS by StartTLS (RFC 4511 section 4.14). Nothing else is sent to a server that refuses. */
  readonly startTls: boolean
  readonly connectTimeoutMs: number
  readonly readTimeoutMs: number
}

export type LdapRequest = AddRequest | BindRequest | DeleteRequest | ExtendedRequest | ModifyRequest | SearchRequest

export type LdapResult = Pick<
  SearchResponse,
  'messageId' | 'protocolOperation' | 'status' | 'errorMessage' | 'controls'
>

/** One entry; names of attributes are case-insensitive (RFC 4512 section 2.5). */
export interface DirectoryEntry {
  readonly dn: string
  /** Values that are text; none when the entry does not show the attribute. */
  values(attribute: string): readonly string[]
  /** Where a server gives a part of many values: the number of the next one, `undefined` when there is no more. */
  nextValue(attribute: string): number | undefined
}

/** What to look for. Aliases and referrals are never followed. */
export interface DirectorySearch {
  readonly base: string
  readonly scope: 'base' | 'sub'
  /** As in RFC 4515, with every value escaped. */
  readonly filter: string
  readonly attributes: readonly string[]
  readonly maxEntries: number
}

export interface FoundEntries {
  readonly entries: readonly DirectoryEntry[]
  /** Whether there is more: at `maxEntries`, or at the server's own limit. */
  readonly isCut: boolean
}

export interface LdapAnswer {
  readonly result: LdapResult
  readonly entries: readonly DirectoryEntry[]
  /** Whether there is more on other servers (RFC 4511 section 4.5.3). */
  readonly hasReferences: boolean
}

interface PendingRequest {
  readonly message: LdapRequest
  readonly entries: DirectoryEntry[]
  hasReferences: boolean
  readonly resolve: (answer: LdapAnswer) => void
  readonly reject: (error: LdapError) => void
}

/** Message 0 is an unsolicited notification, which announces the end of the connection (RFC 4511 section 4.4). */
const notificationId = 0

const startTlsOid = '1.3.6.1.4.1.1466.20037'

const answers: ReadonlyMap<number, number> = new Map([
  [ProtocolOperation.LDAP_REQ_BIND, ProtocolOperation.LDAP_RES_BIND],
  [ProtocolOperation.LDAP_REQ_SEARCH, ProtocolOperation.LDAP_RES_SEARCH],
  [ProtocolOperation.LDAP_REQ_ADD, ProtocolOperation.LDAP_RES_ADD],
  [ProtocolOperation.LDAP_REQ_MODIFY, ProtocolOperation.LDAP_RES_MODIFY],
  [ProtocolOperation.LDAP_REQ_DELETE, ProtocolOperation.LDAP_RES_DELETE],
  [ProtocolOperation.LDAP_REQ_EXTENSION, ProtocolOperation.LDAP_RES_EXTENSION],
])

/** A connection that is open until it is lost; it never connects again. */
export class LdapConnection {
  readonly server: LdapServer
  readonly #socket: Socket
  readonly #readTimeoutMs: number
  /** By message identifier, as the parser of `ldapts` wants it. */
  readonly #pending = new Map<string, PendingRequest>()
  readonly #parser = new MessageParser()
  #lastId = 0
  #isLost = false
  onLost: (() => void) | undefined

  constructor(socket: Socket, server: LdapServer, readTimeoutMs: number) {
    this.#socket = socket
    this.server = server
    this.#readTimeoutMs = readTimeoutMs
    this.#parser.on('message', (message) => this.#take(message))
    this.#parser.on('error', (cause) => this.#lose('The directory sent something that is no LDAP message.', cause))
    socket.on('data', this.#read)
    socket.on('error', (cause) => this.#lose('The connection to the directory broke.', cause))
    for (const event of ['end', 'close']) socket.on(event, () => this.#lose('The directory closed the connection.'))
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * Sends a request and waits for its answer, whatever its result code is.
   *
   * @throws {@link LdapError} `connection` or `timeout`: the connection is lost then.
   */
  async send(create: (messageId: number) => LdapRequest): Promise<LdapAnswer> {
    if (this.#isLost) throw new LdapError('connection', 'The connection to the directory is closed.')
    const message = create(++this.#lastId)
    const bytes = message.write()
    const answer = new Promise<LdapAnswer>((resolve, reject) => {
      this.#pending.set(`${message.messageId}`, { message, entries: [], hasReferences: false, resolve, reject })
    })
    this.#socket.write(bytes)
    try {
      return await within(
        answer,
        this.#readTimeoutMs,
        () => new LdapError('timeout', 'The directory did not answer in time.'),
      )
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Closes the connection. The server takes a closed socket for an unbind (RFC 4511 section 4.3). */
  close(): void {
    this.#lose('The connection to the directory has been closed.')
  }

  /** Gives the socket up, so that TLS can start on it. Bytes that are not read yet are not taken for answers any more. */
  detach(): Socket {
    this.#socket.off('data', this.#read)
    this.#isLost = true
    return this.#socket
  }

  readonly #read = (bytes: Buffer): void => this.#parser.read(bytes, this.#pending)

  #take(message: LdapResult): void {
    const pending = this.#pending.get(`${message.messageId}`)
    if (message.messageId === notificationId) {
      this.#lose('The directory ended the connection.')
    } else if (message instanceof SearchReference) {
      if (pending !== undefined) pending.hasReferences = true
    } else if (message instanceof SearchEntry) {
      pending?.entries.push(readEntry(message))
    } else if (pending !== undefined) {
      this.#settle(pending, message)
    }
  }

  #settle({ message, entries, hasReferences, resolve }: PendingRequest, result: LdapResult): void {
    if (result.protocolOperation === answers.get(message.protocolOperation)) {
      this.#pending.delete(`${message.messageId}`)
      resolve({ result, entries, hasReferences })
    } else {
      // A result of another kind would prove nothing: success of a search is no success of a bind.
      this.#lose('The directory answered another request.')
    }
  }

  #lose(message: string, cause?: unknown): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#socket.destroy()
    const error = new LdapError('connection', message, cause === undefined ? {} : { cause })
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    this.onLost?.()
  }
}

/**
 * Opens a connection; with TLS, after the server's certificate has been verified.
 *
 * @throws {@link LdapError}
 */
export async function openConnection(server: LdapServer, options: ConnectionOptions): Promise<LdapConnection> {
  const { startTls, readTimeoutMs, connectTimeoutMs } = options
  if (server.isTls) return new LdapConnection(await openTls(server, options), server, readTimeoutMs)
  const { host, port } = server
  const socket = connectTcp({ host, port, noDelay: true })
  const connection = new LdapConnection(await ready(socket, 'connect', connectTimeoutMs), server, readTimeoutMs)
  if (!startTls) return connection
  const { result } = await connection.send((messageId) => new ExtendedRequest({ messageId, oid: startTlsOid }))
  if (result.status !== resultCode.success) {
    connection.close()
    throw resultError(result, 'The directory refuses StartTLS.')
  }
  // A new connection, so that nothing that came before the encryption counts as an answer.
  return new LdapConnection(await openTls(server, options, connection.detach()), server, readTimeoutMs)
}

/**
 * TLS, on a socket that is connected already or on a new one. Chain and host name are always verified, whatever the
 * environment says (`NODE_TLS_REJECT_UNAUTHORIZED`).
 */
function openTls({ host, port }: LdapServer, options: ConnectionOptions, socket?: Socket): Promise<Socket> {
  const { ca, connectTimeoutMs } = options
  const tls = connectTls({
    host,
    port,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    // A name for SNI cannot be an address (RFC 6066 section 3); the certificate is compared with `host` then.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(socket === undefined ? {} : { socket }),
  })
  return ready(tls, 'secureConnect', connectTimeoutMs)
}

/** Resolves at the event. A socket that fails or takes too long is destroyed. */
async function ready(socket: Socket, event: string, timeoutMs: number): Promise<Socket> {
  // An error may follow the first one, and without a listener it would end the process.
  socket.on('error', () => {})
  try {
    const late = (): Error => new LdapError('timeout', 'The directory cannot be reached in time.')
    await within(once(socket, event), timeoutMs, late)
    return socket
  } catch (cause) {
    socket.destroy()
    throw cause instanceof LdapError
      ? cause
      : new LdapError('connection', 'The directory cannot be reached.', { cause })
  }
}

/** A part of the values, as `member;range=0-1499` ([MS-ADTS] section 3.1.1.3.1.3.3); the last part ends in `*`. */
const range = /^(.+);range=\d+-(\d+|\*)$/

/** Values that are no UTF-8 are given in hex, so that they differ and match no name. */
function readEntry({ name, attributes }: SearchEntry): DirectoryEntry {
  const values = new Map<string, readonly string[]>()
  const nextValues = new Map<string, number>()
  for (const { type, values: received } of attributes) {
    const [, ranged, last] = range.exec(type.toLowerCase()) ?? []
    const key = ranged ?? type.toLowerCase()
    const texts = received.map((value) => (typeof value === 'string' ? value : value.toString('hex')))
    // Beside a part, Active Directory lists the attribute without values.
    if (texts.length > 0 || !values.has(key)) values.set(key, texts)
    if (last !== undefined && last !== '*') nextValues.set(key, Number(last) + 1)
  }
  return {
    dn: name,
    values: (attribute) => values.get(attribute.toLowerCase()) ?? [],
    nextValue: (attribute) => nextValues.get(attribute.toLowerCase()),
  }
}
