/**
 * Live events: Server-Sent Events read by `fetch`, which can say that the page asks by itself. Where there is no stream, the list is asked
 * for every few seconds.
 *
 * @module
 */

import type { EventEntry } from '../recent-events.js'
import { ApiError, type List, queryString, requestJson, send } from './api.js'

export type StreamState = 'connecting' | 'live' | 'polling' | 'lost'

interface StreamOptions {
  /** The newest event that is known; the stream resumes after it. */
  readonly after: number
  readonly onEvent: (entry: EventEntry) => void
  /** So many events were left out, because they came faster than they are sent. */
  readonly onDropped: (count: number) => void
  readonly onState: (state: StreamState) => void
  readonly signal: AbortSignal
}

const firstRetryMs = 1000
/** Each try that is refused is an event. */
const longestRetryMs = 60_000
const pollMs = 5000

/** Of one list: more are never shown. */
const maxPolled = 100

/** Reads events until `signal` ends it or the session has ended, and connects again after every loss. */
export async function readEvents({ after, onEvent, onDropped, onState, signal }: StreamOptions): Promise<void> {
  let last = after
  let failures = 0
  while (!signal.aborted) {
    try {
      const headers = last > 0 ? { 'Last-Event-ID': String(last) } : {}
      const response = await send('events', 'text/event-stream', { signal, isBackground: true, headers })
      onState('live')
      for await (const { type, data } of messages(response)) {
        failures = 0
        if (type === 'dropped') onDropped((data as { readonly count: number }).count)
        if (type !== 'security') continue
        take(data as EventEntry)
      }
    } catch (error) {
      if (error instanceof ApiError && !error.isTemporary) return onState('lost')
    }
    if (signal.aborted) return
    await pollUntil(Date.now() + Math.min(firstRetryMs * 2 ** failures, longestRetryMs))
    failures += 1
  }

  /** Asks for the list until it is time for a stream again, or the server is there again. */
  async function pollUntil(end: number): Promise<void> {
    let isLost = false
    for (let left = 1; left > 0 && !signal.aborted; left = end - Date.now()) {
      const isThere = await poll()
      if (isThere && isLost) return
      isLost = !isThere
      onState(isThere ? 'polling' : 'lost')
      await pause(Math.min(pollMs, Math.max(0, end - Date.now())), signal)
    }
  }

  function take(entry: EventEntry): void {
    last = entry.id
    onEvent(entry)
  }

  /** Whether there is a list. */
  async function poll(): Promise<boolean> {
    try {
      const path = `events${queryString({ after: last, limit: maxPolled })}`
      const { list, total = list.length } = await requestJson<List<EventEntry>>(path, { signal, isBackground: true })
      if (total > list.length) onDropped(total - list.length)
      for (const entry of list.toReversed()) take(entry)
      return true
    } catch {
      return false
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** The part of the format that the server uses: one `data` line a message. */
async function* messages({ body }: Response): AsyncGenerator<{ readonly type: string; readonly data: unknown }> {
  if (body === null) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const parts = (rest + value).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const fields = new Map(part.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
      const data = fields.get('data')
      if (data !== undefined) yield { type: fields.get('event') ?? 'message', data: JSON.parse(data) as unknown }
    }
  }
}
