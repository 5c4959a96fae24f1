/**
 * A directory: its servers, the connections that search it, and the binds that check passwords.
 *
 * @module
 */

import { BindRequest, type Filter, FilterParser, PagedResultsControl, SearchRequest } from 'ldapts'
import { CircuitBreaker } from '../../async/circuit-breaker.js'
import { startDeadline } from '../../async/deadline.js'
import { createLimiter, type Limiter } from '../../async/limiter.js'
import { type ObserveQuery, observed } from '../../core/query-observer.js'
import {
  type ConnectionOptions,
  type DirectoryEntry,
  type DirectorySearch,
  type FoundEntries,
  type LdapAnswer,
  type LdapConnection,
  type LdapRequest,
  type LdapResult,
  type LdapServer,
  openConnection,
} from './ldap-connection.js'
import {
  type BindOutcome,
  hasResultCode,
  isServerFailure,
  LdapError,
  PasswordPolicyControl,
  readBindOutcome,
  resultCode,
  resultError,
} from './ldap-error.js'

/** Options of {@link Directory}. Times are in milliseconds. */
export interface DirectoryOptions extends ConnectionOptions {
  /** Tried in this order; one that has failed lately comes last. */
  readonly servers: readonly LdapServer[]
  /** Whether a search fails in which there is a referral. It is never followed. */
  readonly refuseReferrals: boolean
  /** Who searches and writes; absent: searches are done without a bind. */
  readonly service: { readonly dn: string; readonly password: string } | undefined
  readonly retryDelayMs: number
  readonly maxConnections: number
  readonly maxWaiting: number
  readonly queueTimeoutMs: number
  /** How long a connection is kept for another search. 0: not at all. */
  readonly maxIdleMs: number
  readonly observe?: ObserveQuery | undefined
  /** A monotonic clock. */
  readonly now: () => number
}

const pageSize = 200

/** Searches, writes and checks passwords. Nothing is connected before it is needed. Everything rejects with {@link LdapError}. */
export class Directory {
  readonly #options: DirectoryOptions
  /** Apart from `#binds`, so that a login that searches never waits for one whose password is being checked. */
  readonly #searches: Limiter
  readonly #binds: Limiter
  readonly #breaker: CircuitBreaker
  readonly #failedAt = new Map<LdapServer, number>()
  /** By the time since when; the one that was used last comes last. */
  readonly #idle = new Map<LdapConnection, number>()
  #isClosed = false

  constructor(options: DirectoryOptions) {
    const { maxConnections: maxRunning, maxWaiting, now } = options
    const createOverloadError = (): Error => new LdapError('overloaded', 'Too many callers wait for the directory.')
    this.#options = options
    this.#searches = createLimiter({ maxRunning, maxWaiting, createOverloadError })
    this.#binds = createLimiter({ maxRunning, maxWaiting, createOverloadError })
    this.#breaker = new CircuitBreaker({ pauseMs: 250, maxPauseMs: 2000, now })
  }

  /** A search runs once more when its connection was idle before, and breaks or gives no answer in time. */
  search(search: DirectorySearch, signal?: AbortSignal): Promise<FoundEntries> {
    return this.#find(search, false, signal)
  }

  /** As `search`, in pages, so that a server's limit for one answer does not cut it. */
  searchPaged(search: DirectorySearch, signal?: AbortSignal): Promise<FoundEntries> {
    return this.#find(search, true, signal)
  }

  /** Checks a password by a bind on a connection of its own, which is closed after it. It is sent once, whatever happens. */
  bind(dn: string, password: string, signal?: AbortSignal): Promise<BindOutcome> {
    return this.#limited(this.#binds, signal, async () => {
      // RFC 4513 section 5.1.2: a bind without a name or a password succeeds and proves nothing.
      if (dn === '' || password === '') return 'wrong-password'
      const control = new PasswordPolicyControl()
      const create = (messageId: number) => new BindRequest({ messageId, dn, password, controls: [control] })
      return this.#sendOnce(await this.#connect(), create, signal, (result) => readBindOutcome(result, control))
    })
  }

  /** Sends a request that changes something, on a new connection, once. */
  write(create: (messageId: number) => LdapRequest, signal?: AbortSignal): Promise<void> {
    return this.#limited(this.#searches, signal, async () =>
      this.#sendOnce(await this.#connectAsService(), create, signal, (result) => {
        if (result.status !== resultCode.success) throw resultError(result)
      }),
    )
  }

  close(): void {
    this.#isClosed = true
    this.#closeIdle()
  }

  #limited<T>(limiter: Limiter, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const { queueTimeoutMs, observe } = this.#options
    const late = (): Error => new LdapError('timeout', 'No connection to the directory was free in time.')
    const wait = startDeadline(queueTimeoutMs, late, signal)
    const start = (): Promise<T> => {
      wait.end()
      return work()
    }
    return observed(observe, () => limiter.run(start, wait.signal).finally(wait.end), isServerFailure)
  }

  #find(search: DirectorySearch, isPaged: boolean, signal: AbortSignal | undefined): Promise<FoundEntries> {
    const filter = FilterParser.parseString(search.filter)
    return this.#searching(signal, async (connection) => {
      const found: DirectoryEntry[] = []
      let cookie: Buffer | undefined
      do {
        const value = cookie === undefined ? { size: pageSize } : { size: pageSize, cookie }
        const page = isPaged ? new PagedResultsControl({ value }) : undefined
        const { result, entries } = await this.#searchOn(connection, search, filter, page)
        found.push(...entries)
        if (result.status === resultCode.sizeLimitExceeded || found.length > search.maxEntries) {
          return { entries: found.slice(0, search.maxEntries), isCut: true }
        }
        cookie = result.controls?.find((control) => control instanceof PagedResultsControl)?.value?.cookie
      } while (cookie !== undefined && cookie.length > 0)
      return { entries: found, isCut: false }
    })
  }

  async #searchOn(
    connection: LdapConnection,
    { base, scope, attributes, maxEntries }: DirectorySearch,
    filter: Filter,
    page: PagedResultsControl | undefined,
  ): Promise<LdapAnswer> {
    const { readTimeoutMs, refuseReferrals } = this.#options
    const answer = await connection.send(
      (messageId) =>
        new SearchRequest({
          ...{ messageId, baseDN: base, scope, filter, attributes: [...attributes] },
          derefAliases: 'never',
          sizeLimit: page === undefined ? maxEntries : 0,
          // In seconds, and a little less than is waited for the answer.
          timeLimit: Math.max(1, Math.ceil(readTimeoutMs / 1000)),
          controls: page === undefined ? [] : [page],
        }),
    )
    const { status } = answer.result
    if (status !== resultCode.success && status !== resultCode.sizeLimitExceeded) throw resultError(answer.result)
    if (refuseReferrals && answer.hasReferences) {
      throw new LdapError('result', 'The directory refers to another server, which is not asked.')
    }
    return answer
  }

  #searching<T>(signal: AbortSignal | undefined, work: (on: LdapConnection) => Promise<T>): Promise<T> {
    return this.#limited(this.#searches, signal, async () => {
      const used = this.#takeIdle()
      if (used === undefined) return this.#searchOnNew(work)
      try {
        return await this.#keeping(used, work)
      } catch (error) {
        // Closed or dropped while it was idle, and the others with it. A search may be done twice.
        if (!(error instanceof LdapError) || error.kind === 'result') throw error
        this.#closeIdle()
        signal?.throwIfAborted()
        return this.#searchOnNew(work)
      }
    })
  }

  async #searchOnNew<T>(work: (on: LdapConnection) => Promise<T>): Promise<T> {
    const connection = await this.#connectAsService()
    return this.#noting(connection, () => this.#keeping(connection, work))
  }

  async #keeping<T>(connection: LdapConnection, work: (on: LdapConnection) => Promise<T>): Promise<T> {
    const { maxIdleMs, now } = this.#options
    try {
      return await work(connection)
    } finally {
      if (this.#isClosed || connection.isLost || maxIdleMs === 0) {
        connection.close()
      } else {
        this.#idle.set(connection, now())
        connection.onLost = () => this.#idle.delete(connection)
      }
    }
  }

  /** The one that was used last, so that the others grow old: a firewall drops those silently. */
  #takeIdle(): LdapConnection | undefined {
    const { maxIdleMs, now } = this.#options
    for (const [connection, since] of [...this.#idle]) {
      if (now() - since >= maxIdleMs) connection.close()
    }
    const connection = [...this.#idle.keys()].at(-1)
    if (connection === undefined) return undefined
    this.#idle.delete(connection)
    connection.onLost = undefined
    return connection
  }

  #closeIdle(): void {
    for (const connection of [...this.#idle.keys()]) connection.close()
  }

  async #connect(logIn?: (connection: LdapConnection) => Promise<void>): Promise<LdapConnection> {
    if (this.#isClosed) throw new LdapError('connection', 'The connections to the directory have been closed.')
    return this.#breaker.run(() => this.#connectToAny(logIn))
  }

  #connectAsService(): Promise<LdapConnection> {
    const { service } = this.#options
    return this.#connect(async (connection) => {
      if (service === undefined) return
      const { result } = await connection.send((messageId) => new BindRequest({ messageId, ...service }))
      if (result.status !== resultCode.success) throw resultError(result, 'The directory refuses connection_name.')
    })
  }

  /**
   * A server that answers the connection and not `logIn` counts as one that cannot be reached. One that has failed is tried
   * again by a connection with `logIn` only: a user's password is sent once, so a bind there would lose the login.
   */
  async #connectToAny(logIn: ((connection: LdapConnection) => Promise<void>) | undefined): Promise<LdapConnection> {
    const { servers, retryDelayMs, now } = this.#options
    const maxAge = logIn === undefined ? Number.MAX_VALUE : retryDelayMs
    const hasFailed = (server: LdapServer): number =>
      Number(now() - (this.#failedAt.get(server) ?? Number.NEGATIVE_INFINITY) <= maxAge)
    let reason: unknown
    for (const server of servers.toSorted((one, other) => hasFailed(one) - hasFailed(other))) {
      let connection: LdapConnection | undefined
      try {
        connection = await openConnection(server, this.#options)
        await logIn?.(connection)
        if (logIn !== undefined) this.#failedAt.delete(server)
        return connection
      } catch (error) {
        connection?.close()
        // The account is the same at every server, and wrong passwords may lock it.
        if (hasResultCode(error, resultCode.invalidCredentials)) throw error
        this.#failedAt.set(server, now())
        reason = error
      }
    }
    throw reason
  }

  /** Sends a request on a connection that is closed after it. */
  #sendOnce<T>(
    connection: LdapConnection,
    create: (messageId: number) => LdapRequest,
    signal: AbortSignal | undefined,
    read: (result: LdapResult) => T,
  ): Promise<T> {
    return this.#noting(connection, async () => {
      try {
        signal?.throwIfAborted()
        return read((await connection.send(create)).result)
      } finally {
        connection.close()
      }
    })
  }

  /** Remembers the server of a new connection as failed when `work` fails by its fault. */
  async #noting<T>(connection: LdapConnection, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isServerFailure(error)) this.#failedAt.set(connection.server, this.#options.now())
      throw error
    }
  }
}
