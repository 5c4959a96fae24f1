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
  /** Events that are known; the stream resumes after them. */
  readonly known: readonly EventEntry[]
  readonly onEvent: (entry: EventEntry) => void
  /** So many events of a process that is known were left out, because they came faster than they are sent. */
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

/**
 * Reads events until `signal` ends it or the session has ended, and connects again after every loss. Behind a load balancer each answer may
 * be of another process, with ids of its own: of one that is met for the first time, what is older than the newest event is no news.
 */
export async function readEvents({ known, onEvent, onDropped, onState, signal }: StreamOptions): Promise<void> {
  const processes = new Map<string, { lastId: number; readonly since: string }>()
  let newest = ''
  let failures = 0
  for (const entry of known) note(entry)
  while (!signal.aborted) {
    try {
      const after = lastOfAll()
      const headers = after > 0 ? { 'Last-Event-ID': String(after) } : {}
      const response = await send('events', 'text/event-stream', { signal, isBackground: true, headers })
      onState('live')
      for await (const { type, data } of messages(response)) {
        failures = 0
        if (type === 'security') take(data as EventEntry)
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

  /** Whether it is news, and how many events of its process came between it and the one before. */
  function note({ id, process, time }: EventEntry): { readonly isNew: boolean; readonly missed: number } {
    const seen = processes.get(process) ?? { lastId: 0, since: newest }
    processes.set(process, seen)
    const isNew = id > seen.lastId && time >= seen.since
    const missed = seen.lastId === 0 ? 0 : Math.max(0, id - seen.lastId - 1)
    seen.lastId = Math.max(seen.lastId, id)
    if (time > newest) newest = time
    return { isNew, missed }
  }

  function take(entry: EventEntry): void {
    const { isNew, missed } = note(entry)
    if (missed > 0) onDropped(missed)
    if (isNew) onEvent(entry)
  }

  /** The id that no process has news before. */
  function lastOfAll(): number {
    return processes.size === 0 ? 0 : Math.min(...[...processes.values()].map(({ lastId }) => lastId))
  }

  /** Whether there is a list. */
  async function poll(): Promise<boolean> {
    try {
      const path = `events${queryString({ after: lastOfAll(), limit: maxPolled })}`
      const { list } = await requestJson<List<EventEntry>>(path, { signal, isBackground: true })
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
