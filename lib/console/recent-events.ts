/**
 * The events of late, in memory: what the operators' page shows of them.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { describeEvent, eventNames, type SecurityEventMap, type SecurityEvents } from '../core/events.js'

/** An event as `GET /events` lists it, besides the fields of its own. */
export interface EventEntry {
  /** Counts the events of this process, from 1. */
  readonly id: number
  /** ISO 8601. */
  readonly time: string
  readonly event: keyof SecurityEventMap
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  /** Random, of the process: the ids of another one say nothing about it. */
  readonly process: string
  readonly [field: string]: unknown
}

const maxEntries = 1000

/** In characters: a path may be as long as Node takes it. */
const maxTextLength = 500

/** Keeps the last 1000 events. */
export class RecentEvents {
  readonly #events: SecurityEvents
  readonly #entries: EventEntry[] = []
  readonly #process = randomBytes(9).toString('base64url')
  #lastId = 0
  #isListening = false

  constructor(events: SecurityEvents) {
    this.#events = events
  }

  /** Begins to listen: what nobody can ask for is not kept. */
  listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    for (const name of eventNames)
      this.#events.on(name, (event: SecurityEventMap[typeof name]) => this.#add(name, event))
  }

  /** Id of the last event; 0 before the first. */
  get lastId(): number {
    return this.#lastId
  }

  /**
   * The events that came after another one and are still there, the oldest first. All of them after an id that is yet to come: it is of a
   * process before this one.
   */
  after(id: number): readonly EventEntry[] {
    const first = Math.max(id > this.#lastId ? 0 : id, this.#lastId - this.#entries.length) + 1
    const entries: EventEntry[] = []
    for (let next = first; next <= this.#lastId; next++) entries.push(this.#entries[next % maxEntries]!)
    return entries
  }

  #add(name: keyof SecurityEventMap, event: SecurityEventMap[keyof SecurityEventMap]): void {
    const id = this.#lastId + 1
    const { at, ...fields } = event
    const time = new Date(at).toISOString()
    const fixed = { id, time, event: name, ...describeEvent(name, event), process: this.#process }
    const entry = { ...fixed, ...boundedFields(fields) }
    // Only now: where anything above throws, no id may be without its entry.
    this.#entries[id % maxEntries] = entry
    this.#lastId = id
  }
}

/** Texts and lists with a bound, and of a cause its message alone: what it refers to may be large. */
function boundedFields(fields: object): Record<string, unknown> {
  const bounded: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue
    if (name === 'cause') bounded[name] = cut(value instanceof Error ? value.message : String(value))
    else if (Array.isArray(value)) bounded[name] = value.slice(0, 50).map((item) => cut(String(item)))
    else if (typeof value === 'number' || typeof value === 'boolean' || name === 'position') bounded[name] = value
    // What JavaScript gives in the place of a text may be no JSON.
    else bounded[name] = cut(String(value))
  }
  return bounded
}

function cut(text: string): string {
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text
}
