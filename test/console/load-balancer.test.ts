import { expect, it, onTestFinished, vi } from 'vitest'
import type { EventEntry } from '../../lib/console/recent-events.js'
import { type ConsoleFront, startConsole } from './console-front.js'

/** Code of browsers has types that Node has not. */
const page = '../../lib/console/page/event-stream.js'
const { readEvents } = (await import(page)) as { readEvents: (options: object) => Promise<void> }

function refuse(front: ConsoleFront, count: number, userName: string): void {
  const refused = { at: Date.now(), address: '192.0.2.1', userName, reason: 'wrong-password' } as const
  for (let at = 0; at < count; at++) front.security.events.report('loginRefused', refused)
}

it('shows no old events as new where each answer is of another process, and those that are new once', async () => {
  const fronts = [await startConsole(), await startConsole()]
  const cookies = await Promise.all(fronts.map((front) => front.cookieOf()))
  const [one, other] = fronts as [ConsoleFront, ConsoleFront]
  refuse(other, 150, 'before')
  refuse(one, 1500, 'before')
  let polls = 0
  // Each list is of the next process; there are no streams.
  vi.stubGlobal('fetch', async (path: string, { headers }: { readonly headers: { readonly Accept: string } }) => {
    if (headers.Accept === 'text/event-stream') return new Response('{}', { status: 503 })
    const index = polls++ % 2
    const answer = await fronts[index]!.ask('GET', `/ops/${path}`, cookies[index]!)
    return new Response(answer.body, { status: answer.status })
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const ask = async (): Promise<readonly EventEntry[]> =>
    ((await (await fetch('api/events?limit=50', { headers: { Accept: 'application/json' } })).json()) as { list: [] })
      .list

  const news: unknown[] = []
  let dropped = 0
  const ended = new AbortController()
  const reading = readEvents({
    known: await ask(),
    onEvent: ({ userName }: EventEntry) => news.push(userName),
    onDropped: (count: number) => {
      dropped += count
    },
    onState: () => undefined,
    signal: ended.signal,
  })
  await vi.waitFor(() => expect(polls).toBe(2), 20_000)
  refuse(one, 1, 'of the one')
  refuse(other, 1, 'of the other')
  await vi.waitFor(() => expect(news).toHaveLength(2), 30_000)
  await vi.waitFor(() => expect(polls).toBeGreaterThan(4), 30_000)
  ended.abort()
  await reading
  expect(news.toSorted()).toEqual(['of the one', 'of the other'])
  expect(dropped).toBe(0)
})
