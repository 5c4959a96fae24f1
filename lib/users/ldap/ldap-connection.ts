/**
 * One connection to a directory server: requests out, answers in. `ldapts` writes and reads the messages.
 *
 * Its own client is not used, because it connects again by itself, without the bind and without the TLS that there was, and
 * because it takes an answer that the server cut at a size limit for a whole one.
 *
 * @module
 */

import type { Socket } from 'node:net'
import {
  type AddRequest,
  type AddResponse,
  type BindRequest,
  type BindResponse,
  type DeleteRequest,
  type DeleteResponse,
  ExtendedRequest,
  type ExtendedResponse,
  MessageParser,
  type ModifyRequest,
  type ModifyResponse,
  ProtocolOperation,
  SearchEntry,
  SearchReference,
  type SearchRequest,
  type SearchResponse,
} from 'ldapts'
import { LdapError, resultCode } from './ldap-error.js'
import { openSocket, type SocketOptions, secured } from './ldap-socket.js'

/** Options of {@link openConnection}. */
export interface ConnectionOptions extends SocketOptions {
  /** Begin TLS by StartTLS (RFC 4511 section 4.14). A server that refuses is not spoken to. */
  readonly startTls: boolean
  /** Milliseconds that a request may take. */
  readonly readTimeoutMs: number
}

/** Requests that are sent. */
export type LdapRequest = AddRequest | BindRequest | DeleteRequest | ExtendedRequest | ModifyRequest | SearchRequest

/** What ends a request. */
export type LdapResult =
  | AddResponse
  | BindResponse
  | DeleteResponse
  | ExtendedResponse
  | ModifyResponse
  | SearchResponse

/** All that came for one request. */
export interface LdapAnswer {
  /** The message that ended it. */
  readonly result: LdapResult
  /** For searches. */
  readonly entries: readonly SearchEntry[]
  /** Whether there is more on other servers (RFC 4511 section 4.5.3). */
  readonly hasReferences: boolean
}

interface Pending {
  readonly message: LdapRequest
  readonly entries: SearchEntry[]
  hasReferences: boolean
  readonly resolve: (answer: LdapAnswer) => void
  readonly reject: (error: LdapError) => void
  readonly timer: NodeJS.Timeout
}

/** Message 0 is an unsolicited notification, which announces the end of the connection (RFC 4511 section 4.4). */
const notificationId = 0

const startTlsOid = '1.3.6.1.4.1.1466.20037'

/** A connection that is open until it is lost; it never connects again. */
export class LdapConnection {
  readonly #socket: Socket
  readonly #readTimeoutMs: number
  readonly #pending = new Map<number, Pending>()
  readonly #parser = new MessageParser()
  #lastId = 0
  #isLost = false
  /** Called once, when the connection is lost. */
  onLost: (() => void) | undefined

  constructor(socket: Socket, readTimeoutMs: number) {
    this.#socket = socket
    this.#readTimeoutMs = readTimeoutMs
    this.#parser.on('message', (message) => this.#take(message as LdapResult))
    this.#parser.on('error', (cause) => this.#lose(broken('The directory sent what is no LDAP message.', cause)))
    socket.on('data', this.#read)
    socket.on('error', this.#fail)
    socket.on('end', this.#end)
    socket.on('close', this.#end)
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * Sends a request and waits for its answer, whatever its result code is.
   *
   * @throws {@link LdapError} by rejecting, `connection` or `timeout`: the connection is lost then.
   */
  send(make: (messageId: number) => LdapRequest): Promise<LdapAnswer> {
    if (this.#isLost) return Promise.reject(broken('The connection to the directory is closed.'))
    const message = make(++this.#lastId)
    const bytes = message.write()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#lose(new LdapError('timeout', 'The directory did not answer in time.')),
        this.#readTimeoutMs,
      )
      this.#pending.set(message.messageId, { message, entries: [], hasReferences: false, resolve, reject, timer })
      this.#socket.write(bytes)
    })
  }

  /** Closes the connection. The server takes a closed socket for an unbind (RFC 4511 section 4.3). */
  close(): void {
    this.#lose(broken('The connection to the directory has been closed.'))
  }

  /** Gives the socket up, so that TLS can begin on it. Bytes that are not read yet are not taken for answers any more. */
  detach(): Socket {
    const socket = this.#socket
    socket.off('data', this.#read)
    socket.off('error', this.#fail)
    socket.off('end', this.#end)
    socket.off('close', this.#end)
    socket.on('error', () => {})
    this.#isLost = true
    return socket
  }

  readonly #read = (bytes: Buffer): void => {
    const byId = new Map([...this.#pending].map(([id, { message }]) => [String(id), { message }]))
    this.#parser.read(bytes, byId)
  }

  readonly #fail = (cause: Error): void => this.#lose(broken('The connection to the directory broke.', cause))
  readonly #end = (): void => this.#lose(broken('The directory closed the connection.'))

  #take(message: LdapResult | SearchEntry | SearchReference): void {
    if (message.messageId === notificationId) {
      this.#lose(broken('The directory ended the connection.'))
      return
    }
    const pending = this.#pending.get(message.messageId)
    if (pending === undefined) return
    if (message instanceof SearchReference) {
      pending.hasReferences = true
      return
    }
    if (message instanceof SearchEntry) {
      pending.entries.push(message)
      return
    }
    // A result of another kind would prove nothing: success of a search is no success of a bind.
    if (message.protocolOperation !== answers.get(pending.message.protocolOperation)) {
      this.#lose(broken('The directory answered another question.'))
      return
    }
    this.#pending.delete(message.messageId)
    clearTimeout(pending.timer)
    const { entries, hasReferences } = pending
    pending.resolve({ result: message, entries, hasReferences })
  }

  #lose(error: LdapError): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#socket.destroy()
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(error)
    }
    this.#pending.clear()
    this.onLost?.()
  }
}

/**
 * Opens a connection; with TLS, after the server's certificate has been verified.
 *
 * @throws {@link LdapError} by rejecting.
 */
export async function openConnection(options: ConnectionOptions): Promise<LdapConnection> {
  const { server, startTls, readTimeoutMs } = options
  const socket = await openSocket(options)
  const connection = new LdapConnection(socket, readTimeoutMs)
  if (!startTls || server.isTls) return connection
  const { result } = await connection.send((messageId) => new ExtendedRequest({ messageId, oid: startTlsOid }))
  if (result.status !== resultCode.success) {
    connection.close()
    throw failed(result, 'The directory refuses StartTLS.')
  }
  // A new connection, so that nothing that came before the encryption counts as an answer.
  return new LdapConnection(await secured(options, connection.detach()), readTimeoutMs)
}

/** The error for a result code that is no success. */
export function failed({ status, errorMessage }: LdapResult, message?: string): LdapError {
  const cause = new Error(`result code ${status}: ${errorMessage}`)
  const told =
    status === resultCode.referral
      ? 'The directory refers to another server, which is not asked.'
      : `The directory answered with result code ${status}.`
  return new LdapError('result', message ?? told, {
    cause,
    resultCode: status,
  })
}

const answers: ReadonlyMap<number, number> = new Map([
  [ProtocolOperation.LDAP_REQ_BIND, ProtocolOperation.LDAP_RES_BIND],
  [ProtocolOperation.LDAP_REQ_SEARCH, ProtocolOperation.LDAP_RES_SEARCH],
  [ProtocolOperation.LDAP_REQ_ADD, ProtocolOperation.LDAP_RES_ADD],
  [ProtocolOperation.LDAP_REQ_MODIFY, ProtocolOperation.LDAP_RES_MODIFY],
  [ProtocolOperation.LDAP_REQ_DELETE, ProtocolOperation.LDAP_RES_DELETE],
  [ProtocolOperation.LDAP_REQ_EXTENSION, ProtocolOperation.LDAP_RES_EXTENSION],
])

function broken(message: string, cause?: unknown): LdapError {
  return new LdapError('connection', message, cause === undefined ? {} : { cause })
}
