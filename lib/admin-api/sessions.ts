/**
 * `/sessions` and `/sessions/{id}`: what is signed in, and how an administrator ends it.
 *
 * @module
 */

import { HttpError } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { recordKinds } from '../tokens/checked-token-store.js'
import type { TokenInfo, Tokens } from '../tokens/tokens.js'
import { invalidRequest } from './json-body.js'
import { readPage } from './page.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'
import type { EndedSession, EndedSessions, SessionEntry, SessionPage } from './schemas/sessions.js'
import { wildcard } from './wildcard.js'

export type { SessionEntry, SessionPage }

/** What `GET /sessions` can be asked for. Texts are compared whole and case-insensitively; `*` stands for any characters. */
export interface SessionQuery {
  /** Without a `*`, as it is spelled. */
  readonly user?: string | undefined
  /** As it is spelled, also with a `*`. */
  readonly exactUser?: string | undefined
  readonly address?: string | undefined
  readonly kind?: string | undefined
  readonly client?: string | undefined
  /** A field of the entry, with a `-` before it from the greatest on. @defaultValue `'-lastAccessAt'` */
  readonly sort?: string | undefined
  readonly offset: number
  readonly limit: number
}

/** As many as are looked at, the most recently used ones: a search must not stop a server. */
const maxSearched = 50_000

/** No record is of the kind `basic`, and a tombstone is no session. */
const kinds = [...recordKinds].filter((kind): kind is string => kind !== 'basic' && kind !== 'tombstone')

const searched = ['user', 'address', 'client'] as const

/** Finds live sessions. @throws `BadRequestError` for a query that cannot be meant. */
export async function findSessions(tokens: Pick<Tokens, 'list'>, query: SessionQuery): Promise<SessionPage> {
  const { user, kind, sort = '-lastAccessAt', offset, limit } = query
  const isPattern = query.exactUser !== undefined || user?.includes('*') === true
  if (kind !== undefined && !kinds.includes(kind)) throw invalidRequest(`'kind' must be one of ${kinds.join(', ')}.`)
  const compare = comparator(sort)
  // A whole name is found by the index of the store.
  const subject = query.exactUser ?? (isPattern ? undefined : user)
  const found = await tokens.list({ subject, kind: kind as TokenInfo['kind'] | undefined, limit: maxSearched + 1 })
  const tests = searched.flatMap((field) => {
    const pattern = field === 'user' && !isPattern ? undefined : query[field]
    return pattern === undefined ? [] : [{ read: fields[field], matches: wildcard(pattern) }]
  })
  const all = found.slice(0, maxSearched).filter((info) => tests.every(({ read, matches }) => matches(read(info))))
  // The order of the store is finer than that of the moments.
  if (sort !== '-lastAccessAt') all.sort(compare)
  const list = all.slice(offset, offset + limit).map(entryFrom)
  return { count: list.length, total: all.length, isComplete: found.length <= maxSearched, list }
}

function entryFrom({
  subject,
  audience,
  address,
  issuedAt,
  lastAccessAt,
  expiresAt,
  ...rest
}: TokenInfo): SessionEntry {
  const { id, scope, ...known } = rest
  const kind = known.kind as SessionEntry['kind']
  const moments = { issuedAt: text(issuedAt), lastAccessAt: text(lastAccessAt), expiresAt: text(expiresAt) }
  const { factors, impersonator } = known
  const acting = { ...(factors !== undefined && { factors }), ...(impersonator !== undefined && { impersonator }) }
  return { id, user: subject, kind, client: audience ?? null, address: address ?? null, scope, ...moments, ...acting }
}

/** The last moment that a date can be, in milliseconds since the epoch. */
const maxMoment = 8.64e15

function text(moment: number): string {
  return new Date(Math.max(-maxMoment, Math.min(moment, maxMoment))).toISOString()
}

/** What an entry is searched and sorted by, of the record itself: moments are made texts for one page only. */
const fields = {
  user: ({ subject }: TokenInfo): string => subject,
  kind: ({ kind }: TokenInfo): string => kind,
  client: ({ audience = '' }: TokenInfo): string => audience,
  address: ({ address = '' }: TokenInfo): string => address,
  issuedAt: ({ issuedAt }: TokenInfo): number => issuedAt,
  lastAccessAt: ({ lastAccessAt }: TokenInfo): number => lastAccessAt,
  expiresAt: ({ expiresAt }: TokenInfo): number => expiresAt,
}

function comparator(sort: string): (left: TokenInfo, right: TokenInfo) => number {
  const isDescending = sort.startsWith('-')
  const field = sort.slice(isDescending ? 1 : 0)
  if (!Object.hasOwn(fields, field)) {
    throw invalidRequest(`'sort' must be one of ${Object.keys(fields).join(', ')}, or '-' and one of them.`)
  }
  const read = fields[field as keyof typeof fields]
  const sign = isDescending ? -1 : 1
  return (left, right) => {
    const [one, other] = [read(left), read(right)]
    return one === other ? 0 : one < other ? -sign : sign
  }
}

/** As long as the ids of any store. */
const maxIdLength = 128

/**
 * Answers every request for sessions, of administrators only.
 *
 * | verb, path | answer |
 * |---|---|
 * | `GET /sessions?user=&exactUser=&address=&kind=&client=&sort=&offset=&limit=` | {@link SessionPage} |
 * | `DELETE /sessions?user=` ends all of a user | `{"user","count","status"}` |
 * | `DELETE /sessions/{id}` | `{"id","status"}` |
 */
export function sessionsGate(tokens: Pick<Tokens, 'list' | 'revoke' | 'revokeUser'>): Gate {
  async function list({ query }: Call): Promise<SessionPage> {
    const read = (name: string): string | undefined => query(name) || undefined
    const users = { user: read('user'), exactUser: read('exactUser') }
    const texts = { address: read('address'), kind: read('kind'), client: read('client') }
    return findSessions(tokens, { ...users, ...texts, sort: read('sort'), ...readPage(query) })
  }

  async function endAll({ query, auth, client }: Call): Promise<EndedSessions> {
    const user = query('user')
    if (user === '') throw invalidRequest("Name the user whose sessions are to end: '?user='.")
    const count = await tokens.revokeUser(user, { ...client, by: auth.subject, reason: 'sessions ended' })
    return { user, count, status: 'Ended' }
  }

  async function endOne({ name, auth, client }: Call): Promise<EndedSession> {
    const context = { ...client, by: auth.subject, reason: 'session ended' }
    const isEnded = name.length <= maxIdLength && (await tokens.revoke(name, context))
    if (!isEnded) throw new HttpError(404, 'ERR_NOT_FOUND', 'There is no session with this id.')
    return { id: name, status: 'Ended' }
  }

  const gate = resourceGate('sessions', { GET: list, DELETE: endAll }, { DELETE: endOne })
  return administratorsOnly((path) => readMember('sessions', path) !== undefined, gate)
}
