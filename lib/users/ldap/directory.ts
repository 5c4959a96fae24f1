/**
 * A directory: its servers, the connections that search it, and the binds that check passwords.
 *
 * @module
 */

import { BindRequest, type BindResponse, type Filter, FilterParser, PagedResultsControl, SearchRequest } from 'ldapts'
import { circuitBreaker } from './circuit-breaker.js'
import { type DirectoryEntry, readEntry } from './directory-entry.js'
import { failed, type LdapAnswer, type LdapConnection, type LdapRequest, openConnection } from './ldap-connection.js'
import { LdapError, resultCode } from './ldap-error.js'
import type { LdapServer } from './ldap-server.js'
import { type BindOutcome, bindOutcome, PasswordPolicyControl } from './password-policy.js'
import { places } from './places.js'

/** Options of {@link openDirectory}. Times are in milliseconds. */
export interface DirectoryOptions {
  /** Tried in this order; one that has failed lately comes last. */
  readonly servers: readonly LdapServer[]
  readonly ca: string | undefined
  readonly startTls: boolean
  /** Whether a search fails in which there is a referral. It is never followed. */
  readonly refusesReferrals: boolean
  /** Who searches and writes; absent: nobody in particular, without a bind. */
  readonly service: { readonly dn: string; readonly password: string } | undefined
  readonly connectTimeoutMs: number
  readonly readTimeoutMs: number
  readonly retryDelayMs: number
  readonly maxConnections: number
  readonly maxWaiting: number
  readonly queueTimeoutMs: number
  /** How long a connection is kept for another search. 0: not at all. */
  readonly maxIdleMs: number
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** What to look for. Aliases and referrals are never followed. */
export interface DirectorySearch {
  readonly base: string
  readonly scope: 'base' | 'sub'
  /** As in RFC 4515, with every value escaped. */
  readonly filter: string
  readonly attributes: readonly string[]
  /** More entries than this are not asked for. */
  readonly maxEntries: number
}

/** What was found. */
export interface FoundEntries {
  readonly entries: readonly DirectoryEntry[]
  /** Whether there is more: at `maxEntries`, or at the server's own limit. */
  readonly isCut: boolean
}

/** Searches and checks passwords. Everything rejects with {@link LdapError}. */
export interface Directory {
  /** A search runs once more when its connection was idle before, and breaks or gives no answer in time. */
  search(search: DirectorySearch, signal?: AbortSignal): Promise<FoundEntries>
  /** As `search`, in pages, so that a server's limit for one answer does not cut it. */
  searchPaged(search: DirectorySearch, signal?: AbortSignal): Promise<FoundEntries>
  /**
   * Checks a password by a bind on a connection of its own, which is closed after it. It is sent once, whatever happens.
   */
  bind(dn: string, password: string, signal?: AbortSignal): Promise<BindOutcome>
  /**
   * Sends a request that changes something, on a new connection, once.
   *
   * @throws {@link LdapError} `result` when the directory does not do it.
   */
  write(make: (messageId: number) => LdapRequest, signal?: AbortSignal): Promise<void>
  close(): void
}

const pageSize = 200

/** Seconds that a server may spend on a search; it is told so, and given up a little later. */
const secondsOf = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))

/** Makes a directory. Nothing is connected before it is needed. */
export function openDirectory(options: DirectoryOptions): Directory {
  const { servers, service, readTimeoutMs, now, maxConnections, maxWaiting, queueTimeoutMs, retryDelayMs } = options
  const { maxIdleMs } = options
  const queue = { maxPlaces: maxConnections, maxWaiting, waitTimeoutMs: queueTimeoutMs }
  // Two sets of places: a login that searches never waits for one that is just being bound.
  const searchPlaces = places(queue)
  const bindPlaces = places(queue)
  const breaker = circuitBreaker(retryDelayMs, now)
  const failedAt = new Map<LdapServer, number>()
  /** By the time since when; the one that was used last comes last. */
  const idle = new Map<LdapConnection, number>()
  let isClosed = false

  async function connectToAny(): Promise<LdapConnection> {
    const isGood = (server: LdapServer): boolean =>
      now() - (failedAt.get(server) ?? Number.NEGATIVE_INFINITY) > retryDelayMs
    const order = [...servers.filter(isGood), ...servers.filter((server) => !isGood(server))]
    let reason: unknown
    for (const server of order) {
      try {
        const { ca, startTls, connectTimeoutMs } = options
        const connection = await openConnection({ server, ca, startTls, timeoutMs: connectTimeoutMs, readTimeoutMs })
        failedAt.delete(server)
        return connection
      } catch (error) {
        failedAt.set(server, now())
        reason = error
      }
    }
    throw reason
  }

  function connect(): Promise<LdapConnection> {
    if (isClosed) throw new LdapError('connection', 'The connections to the directory have been closed.')
    return breaker.run(connectToAny)
  }

  /** A server that answers the connection and not the bind counts as one that cannot be reached. */
  async function connectAsService(): Promise<LdapConnection> {
    if (isClosed) throw new LdapError('connection', 'The connections to the directory have been closed.')
    return breaker.run(async () => {
      const connection = await connectToAny()
      if (service === undefined) return connection
      try {
        const { dn, password } = service
        const { result } = await connection.send((messageId) => new BindRequest({ messageId, dn, password }))
        if (result.status !== resultCode.success) throw failed(result, 'The directory refuses connection_name.')
        return connection
      } catch (error) {
        connection.close()
        throw error
      }
    })
  }

  function keep(connection: LdapConnection): void {
    if (isClosed || connection.isLost || maxIdleMs === 0) {
      connection.close()
      return
    }
    idle.set(connection, now())
    connection.onLost = () => idle.delete(connection)
  }

  /** The one that was used last, so that the others grow old: a firewall drops those without a word. */
  function takeIdle(): LdapConnection | undefined {
    for (const [connection, since] of [...idle]) {
      if (now() - since >= maxIdleMs) connection.close()
    }
    const connection = [...idle.keys()].at(-1)
    if (connection === undefined) return undefined
    idle.delete(connection)
    connection.onLost = undefined
    return connection
  }

  function closeIdle(): void {
    for (const connection of [...idle.keys()]) connection.close()
  }

  async function onConnection<T>(connection: LdapConnection, work: (on: LdapConnection) => Promise<T>): Promise<T> {
    try {
      return await work(connection)
    } finally {
      keep(connection)
    }
  }

  function searching<T>(work: (on: LdapConnection) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return searchPlaces.run(async () => {
      const used = takeIdle()
      if (used === undefined) return onConnection(await connectAsService(), work)
      try {
        return await onConnection(used, work)
      } catch (error) {
        // Closed or dropped while it was idle, and the others with it. A search may be done twice.
        if (!(error instanceof LdapError) || !['connection', 'timeout'].includes(error.kind)) throw error
        closeIdle()
        signal?.throwIfAborted()
        return onConnection(await connectAsService(), work)
      }
    }, signal)
  }

  async function searchOn(
    connection: LdapConnection,
    { base, scope, attributes, maxEntries }: DirectorySearch,
    filter: Filter,
    page: PagedResultsControl | undefined,
  ): Promise<LdapAnswer> {
    const answer = await connection.send(
      (messageId) =>
        new SearchRequest({
          messageId,
          baseDN: base,
          scope,
          filter,
          attributes: [...attributes],
          derefAliases: 'never',
          sizeLimit: page === undefined ? maxEntries : 0,
          timeLimit: secondsOf(readTimeoutMs),
          controls: page === undefined ? [] : [page],
        }),
    )
    const { status } = answer.result
    if (status !== resultCode.success && status !== resultCode.sizeLimitExceeded) throw failed(answer.result)
    if (options.refusesReferrals && answer.hasReferences) {
      throw new LdapError('result', 'The directory refers to another server, which is not asked.')
    }
    return answer
  }

  return {
    search(search, signal) {
      const filter = FilterParser.parseString(search.filter)
      return searching(async (connection) => {
        const { result, entries } = await searchOn(connection, search, filter, undefined)
        return { entries: entries.map(readEntry), isCut: result.status === resultCode.sizeLimitExceeded }
      }, signal)
    },

    searchPaged(search, signal) {
      const filter = FilterParser.parseString(search.filter)
      return searching(async (connection) => {
        const found: DirectoryEntry[] = []
        let cookie: Buffer | undefined
        for (;;) {
          const value = cookie === undefined ? { size: pageSize } : { size: pageSize, cookie }
          const { result, entries } = await searchOn(connection, search, filter, new PagedResultsControl({ value }))
          found.push(...entries.map(readEntry))
          const page = result.controls?.find((control) => control instanceof PagedResultsControl)
          cookie = page?.value?.cookie
          const hasMore = cookie !== undefined && cookie.length > 0
          const isCut = result.status === resultCode.sizeLimitExceeded || found.length > search.maxEntries
          if (isCut || !hasMore) return { entries: found.slice(0, search.maxEntries), isCut }
        }
      }, signal)
    },

    bind(dn, password, signal) {
      return bindPlaces.run(async () => {
        // RFC 4513 section 5.1.2: a bind without a name or a password succeeds and proves nothing.
        if (dn === '' || password === '') return 'wrong-password'
        const connection = await connect()
        try {
          signal?.throwIfAborted()
          const control = new PasswordPolicyControl()
          const { result } = await connection.send(
            (messageId) => new BindRequest({ messageId, dn, password, controls: [control] }),
          )
          const outcome = bindOutcome(result as BindResponse, control)
          if (outcome === undefined) throw failed(result)
          return outcome
        } finally {
          connection.close()
        }
      }, signal)
    },

    write(make, signal) {
      return searchPlaces.run(async () => {
        const connection = await connectAsService()
        try {
          signal?.throwIfAborted()
          const { result } = await connection.send(make)
          if (result.status !== resultCode.success) throw failed(result)
        } finally {
          connection.close()
        }
      }, signal)
    },

    close() {
      isClosed = true
      closeIdle()
    },
  }
}
