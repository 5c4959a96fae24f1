/**
 * Responses that stay open and get each event as it happens (server-sent events, WHATWG HTML section 9.2).
 *
 * What a client does not read, and what is too much for it, is skipped and counted: nothing waits for a reader.
 *
 * @module
 */

import type { ServerResponse } from 'node:http'
import { UnavailableError } from '../core/errors.js'
import type { EventEntry, RecentEvents } from './recent-events.js'

/** What {@link EventStreams} works with. */
export interface EventStreamsParts {
  readonly recent: RecentEvents
  /** Ends a response within a second after a new request like its own would be refused. */
  readonly endWhenRefused: (response: ServerResponse) => void
}

/** What a stream gets. */
export interface StreamStart {
  /** Whose it is: the session or the token, and the user. */
  readonly caller: { readonly session: string | undefined; readonly user: string }
  /** Begins after this event; `undefined`: with the next one. */
  readonly after: number | undefined
  readonly matches: (entry: EventEntry) => boolean
}

const maxStreams = 20

/** Nobody may keep the pages of all others from being live. */
const maxOfSession = 5
const maxOfUser = 10

/** Between two looks at what is new, in milliseconds. */
const intervalMs = 200

/** Entries that one stream gets in a second. */
const maxPerSecond = 50
const turnsPerSecond = 1000 / intervalMs

/** Turns without an event after which a comment keeps the connection from being taken for a dead one: 15 seconds. */
const heartbeatTurns = 15_000 / intervalMs

/** Turns after which the connection of a client that reads nothing ends: 30 seconds. */
const maxBlockedTurns = 30_000 / intervalMs

/** The streams of a front, whatever mount they came by. */
export class EventStreams {
  readonly recent: RecentEvents
  readonly #endWhenRefused: EventStreamsParts['endWhenRefused']
  readonly #open = new Set<EventStream>()
  #timer: NodeJS.Timeout | undefined

  constructor({ recent, endWhenRefused }: EventStreamsParts) {
    this.recent = recent
    this.#endWhenRefused = endWhenRefused
  }

  /** Answers with a stream. @throws `UnavailableError` where there are too many, of all callers or of this one. */
  open(response: ServerResponse, start: StreamStart): void {
    const { session, user } = start.caller
    const ofUser = [...this.#open].filter(({ caller }) => caller.user === user)
    const ofSession = ofUser.filter(({ caller }) => caller.session === session)
    if (this.#open.size >= maxStreams || ofUser.length >= maxOfUser || ofSession.length >= maxOfSession) {
      throw new UnavailableError('ERR_STREAMS_TOO_MANY', 'Too many pages follow the events. Try again later.')
    }
    // It has told so already: nobody would take the stream away again.
    if (response.destroyed) return
    this.#endWhenRefused(response)
    const stream = new EventStream(response, this.recent, start)
    this.#open.add(stream)
    this.#timer ??= setInterval(() => this.#turn(), intervalMs).unref()
    response.once('close', () => {
      this.#open.delete(stream)
      if (this.#open.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }

  #turn(): void {
    for (const stream of this.#open) stream.turn()
  }
}

class EventStream {
  readonly caller: StreamStart['caller']
  readonly #response: ServerResponse
  readonly #recent: RecentEvents
  readonly #matches: StreamStart['matches']
  #lastId: number
  /** Entries that may still be sent in this second. */
  #allowance = maxPerSecond
  #turns = 0
  #quietTurns = 0
  #blockedTurns = 0

  constructor(response: ServerResponse, recent: RecentEvents, { caller, after, matches }: StreamStart) {
    this.caller = caller
    this.#response = response
    this.#recent = recent
    this.#matches = matches
    // The ids of a process that has ended may be greater.
    this.#lastId = after === undefined ? recent.lastId : after > recent.lastId ? 0 : after
    response.statusCode = 200
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
    // Neither a cache nor a compression, nor nginx, may hold it back.
    response.setHeader('Cache-Control', 'no-store, no-transform')
    response.setHeader('X-Accel-Buffering', 'no')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.on('error', () => undefined)
    // What was missed is sent whole: it is no more than is kept.
    this.#send(after === undefined ? 0 : Number.POSITIVE_INFINITY, ':\n\n')
  }

  turn(): void {
    const { writableEnded, writableNeedDrain } = this.#response
    if (writableEnded) return
    if (writableNeedDrain) {
      if (++this.#blockedTurns > maxBlockedTurns) this.#response.destroy()
      return
    }
    this.#blockedTurns = 0
    if (++this.#turns % turnsPerSecond === 0) this.#allowance = maxPerSecond
    if (this.#allowance > 0) this.#allowance -= this.#send(this.#allowance, '')
    if (++this.#quietTurns >= heartbeatTurns) this.#write(':\n\n')
  }

  /** Sends what is new, the newest entries where that is more than `most`. @returns How many. */
  #send(most: number, before: string): number {
    const { lastId } = this.#recent
    const kept = this.#recent.after(this.#lastId)
    const missed = lastId - this.#lastId - kept.length
    const entries = kept.filter(this.#matches)
    const sent = entries.slice(Math.max(0, entries.length - most))
    const dropped = missed + entries.length - sent.length
    this.#lastId = lastId
    const texts = sent.map((entry) => `id: ${entry.id}\nevent: security\ndata: ${JSON.stringify(entry)}\n\n`)
    if (dropped > 0) texts.unshift(`event: dropped\ndata: ${JSON.stringify({ count: dropped })}\n\n`)
    const text = before + texts.join('')
    if (text !== '') this.#write(text)
    return sent.length
  }

  #write(text: string): void {
    this.#quietTurns = 0
    this.#response.write(text)
  }
}
