/**
 * Events as they happen, newest first.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { EventEntry } from '../../recent-events.js'
import { type List, requestJson } from '../api.js'
import { readEvents, type StreamState } from '../event-stream.js'
import { formatDateTime, formatTime, plural } from '../format.js'
import { Badge, type Tone } from './badge.js'
import { Section } from './view.js'

/** Older ones are left to the audit trail. */
const maxShown = 100
const states: Readonly<Record<StreamState, readonly [Tone, string]>> = {
  connecting: ['neutral', 'Connecting'],
  live: ['good', 'Live'],
  polling: ['neutral', 'Every few seconds'],
  lost: ['warn', 'Connection lost, trying again'],
}

/** A section of its own, with a button that holds the list still. */
export function EventList(): JSX.Element {
  const [shown, setShown] = useState<readonly EventEntry[]>([])
  const [held, setHeld] = useState<readonly EventEntry[]>([])
  const [dropped, setDropped] = useState(0)
  const [state, setState] = useState<StreamState>('connecting')
  const [isPaused, setPaused] = useState(false)
  const pausedNow = useRef(false)
  pausedNow.current = isPaused

  useEffect(() => {
    const ended = new AbortController()
    const { signal } = ended
    let waiting: EventEntry[] = []
    let frame = 0

    /** Once a frame: a flood must not draw each one. */
    function flush(): void {
      frame = 0
      const news = waiting.reverse()
      waiting = []
      const add = (before: readonly EventEntry[]): readonly EventEntry[] => [...news, ...before].slice(0, maxShown)
      if (pausedNow.current) setHeld(add)
      else setShown(add)
    }

    function onEvent(entry: EventEntry): void {
      waiting.push(entry)
      if (waiting.length > maxShown) waiting.shift()
      if (frame === 0) frame = requestAnimationFrame(flush)
    }

    async function start(): Promise<void> {
      const before = await requestJson<List<EventEntry>>(`events?limit=${maxShown / 2}`, {
        signal,
        isBackground: true,
      }).catch(() => undefined)
      if (before !== undefined) setShown(before.list)
      const onDropped = (count: number): void => setDropped((sum) => sum + count)
      await readEvents({ known: before?.list ?? [], onEvent, onDropped, onState: setState, signal })
    }

    void start()
    return () => {
      ended.abort()
      cancelAnimationFrame(frame)
    }
  }, [])

  function toggle(): void {
    if (isPaused) {
      setShown((before) => [...held, ...before].slice(0, maxShown))
      setHeld([])
    }
    setPaused(!isPaused)
  }

  const [tone, text] = isPaused ? (['neutral', 'Paused'] as const) : states[state]
  return (
    <Section
      title="Live events"
      actions={
        <>
          {held.length > 0 && <span class="muted">{plural(held.length, 'newer event')}</span>}
          {dropped > 0 && <span class="muted">{plural(dropped, 'event')} left out: they came too fast</span>}
          <Badge tone={tone}>{text}</Badge>
          <button type="button" aria-pressed={isPaused} onClick={toggle}>
            Pause
          </button>
        </>
      }
    >
      {shown.length === 0 ? (
        <p class="muted">
          {state === 'live' || state === 'polling'
            ? 'Nothing has happened yet. Events are shown here as they come.'
            : ''}
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keyboard.
        <section class="scroll" tabIndex={0} aria-label="Newest events">
          <ol class="events">
            {shown.map((entry) => (
              <EventLine key={`${entry.process} ${entry.id}`} entry={entry} />
            ))}
          </ol>
        </section>
      )}
    </Section>
  )
}

const tones: Readonly<Record<EventEntry['level'], Tone>> = { info: 'neutral', warn: 'warn', error: 'bad' }

function EventLine({ entry }: { readonly entry: EventEntry }): JSX.Element {
  const { time, level, message, event } = entry
  const moment = new Date(time)
  return (
    <li>
      <time dateTime={time} title={formatDateTime(moment)}>
        {formatTime(moment)}
      </time>
      <span title={event}>
        <Badge tone={tones[level] ?? 'neutral'}>{message}</Badge>
      </span>
      <span class="message">
        <strong>{whoOf(entry)}</strong> <span class="muted">{factsOf(entry).join(', ')}</span>
      </span>
    </li>
  )
}

/** The field as text, with words before it; nothing where the event has no such field. */
function fact(entry: EventEntry, name: string, before = ''): readonly string[] {
  const value = entry[name]
  const text = Array.isArray(value)
    ? value.join(', ')
    : typeof value === 'string' || typeof value === 'number'
      ? String(value)
      : ''
  return text === '' ? [] : [before + text]
}

function whoOf(entry: EventEntry): string {
  return ['subject', 'userName', 'clientId', 'role'].flatMap((name) => fact(entry, name))[0] ?? ''
}

function factsOf(entry: EventEntry): readonly string[] {
  const { method, path, by, subject, impersonator } = entry
  return [
    ...(typeof method === 'string' && typeof path === 'string' ? [`${method} ${path}`] : []),
    ...fact(entry, 'status'),
    ...fact(entry, 'code'),
    ...fact(entry, 'reason'),
    ...fact(entry, 'rule', 'rule '),
    ...fact(entry, 'added', 'given: '),
    ...fact(entry, 'removed', 'taken: '),
    ...fact(entry, 'source'),
    ...fact(entry, 'file'),
    ...(by === subject ? [] : fact(entry, 'by', 'by ')),
    ...(impersonator === undefined ? [] : fact(entry, 'impersonator', 'by ')),
    ...fact(entry, 'address', 'from '),
  ]
}
