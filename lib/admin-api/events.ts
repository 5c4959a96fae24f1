/**
 * `/events`: what has happened of late, and what happens.
 *
 * @module
 */

import type { Request } from 'express'
import type { EventStreams } from '../console/event-streams.js'
import type { EventEntry } from '../console/recent-events.js'
import { getAuth } from '../core/auth.js'
import { type Gate, refusalFrom } from '../http/gate.js'
import { findLongLivedRequest } from '../http/long-lived-request.js'
import { createQuery, invalidRequest } from './json-body.js'
import { pageOf, readPage } from './page.js'
import { administratorsOnly, type Handler, readMember, resourceGate } from './resource.js'
import { wildcard } from './wildcard.js'

const userFields = ['subject', 'userName', 'by', 'impersonator']

/**
 * Answers every request for events, of administrators only.
 *
 * `GET /events?after=&event=&user=&offset=&limit=` answers `{"count","total","list":[`{@link EventEntry}`]}`, the newest first, of the last
 * 1000. With `Accept: text/event-stream` each one is sent as it happens, until a new request of the caller would be refused; the header
 * `Last-Event-ID` has those sent first that came after it.
 */
export function eventsGate(streams: EventStreams): Gate {
  const { recent } = streams
  recent.listen()

  const list: Handler = async ({ query }) => {
    const page = readPage(query)
    const after = query('after')
    const matches = readFilter(query)
    const all = recent.after(readId(after) ?? 0).filter(matches)
    return pageOf(all.reverse(), page, (entry) => entry)
  }
  const listGate = resourceGate('events', { GET: list }, {})

  const gate: Gate = (request, response, trace) => {
    // It is asked whether the caller may go on with it: the mount has said so.
    if (findLongLivedRequest(request) !== undefined) return undefined
    if (!wantsStream(request)) return listGate(request, response, trace)
    try {
      const query = createQuery(request.url)
      const { 'last-event-id': lastEventId = '' } = request.headers
      const after = readId(String(lastEventId)) ?? readId(query('after'))
      const { tokenId: session, subject: user } = getAuth(request)
      streams.open(response, { caller: { session, user }, after, matches: readFilter(query) })
      return 'answered'
    } catch (error) {
      return refusalFrom(error)
    }
  }
  return administratorsOnly((path) => readMember('events', path) !== undefined, gate)
}

function wantsStream(request: Request): boolean {
  const { method, headers } = request
  if (method !== 'GET' || headers.accept === undefined || readMember('events', request.path) !== '') return false
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream'
}

/** `undefined` for none. */
function readId(text: string): number | undefined {
  if (text === '') return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw invalidRequest("'after', or Last-Event-ID, must be the id of an event.")
}

/** Names are compared whole and case-insensitively; `*` stands for any characters. */
function readFilter(query: (name: string) => string): (entry: EventEntry) => boolean {
  const event = query('event')
  const user = query('user')
  const matches = wildcard(user)
  const isOf = (value: unknown): boolean => typeof value === 'string' && matches(value)
  return (entry) =>
    (event === '' || entry.event === event) && (user === '' || userFields.some((field) => isOf(entry[field])))
}
