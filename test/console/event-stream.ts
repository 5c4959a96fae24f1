import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'
import type { EventEntry } from '../../lib/console/recent-events.js'
import { ownScript } from './console-front.js'

/** A stream of events, as a page reads it. */
export interface EventStreamReader {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** All that has come so far. */
  text(): string
  /** The events that have come so far. */
  entries(): readonly EventEntry[]
  /** What was skipped so far, by the server's own count. */
  dropped(): number
  /** Resolves when the server has ended it, with the time at which it did. */
  readonly ended: Promise<number>
  /** Stops to read. */
  pause(): void
  resume(): void
  close(): void
}

/** Opens a stream, and closes it with the test. `headers` are lines. */
export async function openStream(port: number, path: string, headers: readonly string[]): Promise<EventStreamReader> {
  const pairs = headers.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
  const all = { Host: 'front.test', Accept: 'text/event-stream', ...Object.fromEntries(pairs) }
  const request = get({ port, host: '127.0.0.1', path, headers: all, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise<number>((resolve) => response.once('close', () => resolve(performance.now())))
  response.on('error', () => undefined)
  request.on('error', () => undefined)
  onTestFinished(() => void request.destroy())
  const data = (event: string): readonly string[] =>
    [...text.matchAll(new RegExp(`event: ${event}\\ndata: (.*)\\n\\n`, 'g'))].map(([, json]) => json!)
  return {
    status: response.statusCode!,
    headers: response.headers,
    text: () => text,
    entries: () => data('security').map((json) => JSON.parse(json) as EventEntry),
    dropped: () => data('dropped').reduce((sum, json) => sum + (JSON.parse(json) as { count: number }).count, 0),
    ended,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void request.destroy(),
  }
}

/** As the page opens it: it is no activity. */
export function pageStream(
  { port }: { readonly port: number },
  cookie: string,
  headers: readonly string[] = [],
  query = '',
): Promise<EventStreamReader> {
  return openStream(port, `/ops/api/events${query}`, [cookie, ...ownScript, 'Sallyport-Background: ?1', ...headers])
}
