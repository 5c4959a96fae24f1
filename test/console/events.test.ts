import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { EventEntry } from '../../lib/console/recent-events.js'
import { basic, document, users } from '../helpers/front.js'
import { type ConsoleFront, enabled, navigation, origin, startConsole } from './console-front.js'
import { openStream, pageStream } from './event-stream.js'

interface Page {
  readonly count: number
  readonly total: number
  readonly list: readonly EventEntry[]
}

async function listEvents(front: ConsoleFront, cookie: string, query = ''): Promise<Page> {
  return (await front.ask('GET', `/ops/api/events${query}`, cookie)).json<Page & Record<string, unknown>>()
}

function refuse(front: ConsoleFront, count: number, userName = 'nobody'): void {
  for (let at = 0; at < count; at++) {
    front.security.events.report('loginRefused', {
      at: Date.now(),
      address: '192.0.2.1',
      userName,
      reason: 'wrong-password',
    })
  }
}

describe('GET /events', () => {
  it('lists what has happened, the newest first, below both mounts', async () => {
    const front = await startConsole()
    const bearer = await front.bearerOf()
    const cookie = await front.cookieOf()
    await front.call('GET', '/management/login', [basic('admin', 'wrong')])
    const { count, total, list } = await listEvents(front, cookie)
    expect([count, total]).toEqual([3, 3])
    expect(list[0]).toMatchObject({
      id: 3,
      event: 'loginRefused',
      level: 'warn',
      userName: 'admin',
      reason: 'wrong-password',
    })
    expect(list[0]!.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(list.map(({ event, kind }) => [event, kind])).toEqual([
      ['loginRefused', 'management'],
      ['login', 'portal'],
      ['login', 'management'],
    ])
    expect(
      (await front.call('GET', '/management/events', [bearer])).json<Page & Record<string, unknown>>().list,
    ).toEqual(list)
  })

  it('leaves out an event whose time is invalid, and goes on, in the stream too', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const stream = await pageStream(front, cookie)
    const refused = { address: '192.0.2.1', userName: 'bob', reason: 'wrong-password' } as const
    front.security.events.report('loginRefused', { ...refused, at: Number.NaN })
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    front.security.events.report('unlock', {
      at: 1,
      by: circular as never,
      reason: 5n as never,
      userName: 'bob',
      source: undefined,
    })
    refuse(front, 1)
    await expect
      .poll(() => stream.entries().map(({ id, event }) => [id, event]))
      .toEqual([
        [2, 'unlock'],
        [3, 'loginRefused'],
      ])
    expect((await listEvents(front, cookie)).list.map(({ id, by, reason }) => [id, by, reason])).toEqual([
      [3, undefined, 'wrong-password'],
      [2, '[object Object]', '5'],
      [1, undefined, undefined],
    ])
  })

  it('finds by event and user, begins after an id, and has pages', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    refuse(front, 3, 'Alice')
    refuse(front, 2, 'bob')
    expect((await listEvents(front, cookie, '?user=alice')).total).toBe(3)
    expect((await listEvents(front, cookie, '?user=*B*')).total).toBe(2)
    expect((await listEvents(front, cookie, '?user=alic?')).total).toBe(0)
    expect((await listEvents(front, cookie, '?event=login')).total).toBe(1)
    expect((await listEvents(front, cookie, '?after=5')).list.map(({ id }) => id)).toEqual([6])
    // Of a process before this one.
    expect((await listEvents(front, cookie, '?after=999')).total).toBe(6)
    expect((await listEvents(front, cookie, '?offset=1&limit=2')).list.map(({ id }) => id)).toEqual([5, 4])
    for (const query of ['?limit=0', '?limit=x', '?after=-1', '?after=1&after=2']) {
      expect((await front.ask('GET', `/ops/api/events${query}`, cookie)).status).toBe(400)
    }
    expect((await front.ask('GET', '/ops/api/events/1', cookie)).status).toBeGreaterThanOrEqual(404)
    expect((await front.ask('POST', '/ops/api/events', cookie, {})).status).toBe(405)
  })

  it('are searched in a moment, whatever is searched for', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    refuse(front, 1000, 'a'.repeat(490))
    const startedAt = performance.now()
    expect((await listEvents(front, cookie, `?user=*${'a'.repeat(120)}b*`)).total).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(500)
  })

  it('keeps the last thousand, with texts and causes of a bounded length', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    refuse(front, 1200)
    const { list, total } = await listEvents(front, cookie, '?limit=1000')
    expect([total, list.at(-1)!.id, list[0]!.id]).toEqual([1000, 202, 1201])
    const cause = new Error('the directory is down', { cause: { secret: 'not shown' } })
    const at = Date.now()
    front.security.events.report('loginRefused', {
      at,
      address: undefined,
      userName: 'x'.repeat(20_000),
      reason: 'store-unavailable',
      cause,
    })
    const [newest] = (await listEvents(front, cookie, '?limit=1')).list
    expect(newest).toMatchObject({ cause: 'the directory is down', level: 'error' })
    expect(JSON.stringify(newest).length).toBeLessThan(1000)
  })
})

describe('the stream of events', () => {
  it('sends each event as it happens, and is never kept or held back', async () => {
    const front = await startConsole()
    const stream = await pageStream(front, await front.cookieOf())
    expect([stream.status, stream.headers['content-type'], stream.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store, no-transform',
    ])
    refuse(front, 2)
    await vi.waitFor(() => expect(stream.entries()).toHaveLength(2), 2000)
    expect(stream.text()).toContain('id: 2\nevent: security\ndata: {"id":2,"time":')
    expect(stream.entries().map(({ id }) => id)).toEqual([2, 3])
  })

  it('goes on where a page has lost it', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    refuse(front, 100)
    const stream = await pageStream(front, cookie, ['Last-Event-ID: 11'])
    await vi.waitFor(() => expect(stream.entries()).toHaveLength(90), 2000)
    expect([stream.entries()[0]!.id, stream.dropped()]).toEqual([12, 0])
    refuse(front, 1500)
    const late = await pageStream(front, cookie, ['Last-Event-ID: 11'])
    await vi.waitFor(() => expect(late.entries()).toHaveLength(1000), 2000)
    expect(late.dropped()).toBe(590)
    // Of a process before this one.
    const other = await pageStream(front, cookie, ['Last-Event-ID: 99999'])
    await vi.waitFor(() => expect(other.entries()).toHaveLength(1000), 2000)
    expect((await pageStream(front, cookie, ['Last-Event-ID: x'])).status).toBe(400)
  })

  it('sends what was asked for alone', async () => {
    const front = await startConsole()
    const stream = await pageStream(front, await front.cookieOf(), [], '?user=bob')
    refuse(front, 1, 'alice')
    refuse(front, 1, 'bob')
    await vi.waitFor(() => expect(stream.entries().map(({ userName }) => userName)).toEqual(['bob']), 2000)
  })

  it('stays open at a management token too, and ends with it', async () => {
    const front = await startConsole()
    const bearer = await front.bearerOf()
    const stream = await openStream(front.port, '/management/events', [bearer])
    refuse(front, 1)
    await vi.waitFor(() => expect(stream.entries()).toHaveLength(1), 2000)
    const endedAt = performance.now()
    expect((await front.call('POST', '/management/logout', [bearer])).status).toBe(200)
    expect((await stream.ended) - endedAt).toBeLessThan(1500)
  })

  it.each<readonly [string, (front: ConsoleFront, cookie: string) => Promise<unknown>]>([
    ['the session is ended by an administrator', async (front) => front.security.tokens.revokeUser('admin')],
    ['the user signs out', async (front, cookie) => front.ask('POST', '/ops/logout', cookie)],
    [
      'the role is taken',
      async (front) => {
        const { name, password } = users.admin
        const internal_apis = { users: [{ user: { name, password, is_admin: false } }] }
        await front.security.reload({ ...document({ root: enabled }), internal_apis })
      },
    ],
    ['the page is switched off', async (front) => front.security.reload(document())],
    [
      'the address is not allowed any more',
      async (front) => {
        const admin_console = { control_access: { enable: true, allow: ['192.0.2.1'] } }
        await front.security.reload(document({ root: { ...enabled, admin_console } }))
      },
    ],
    ['the front is closed', async (front) => front.security.close()],
  ])('ends within a second when %s', async (_name, end) => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const stream = await pageStream(front, cookie)
    refuse(front, 1)
    await vi.waitFor(() => expect(stream.entries()).toHaveLength(1), 2000)
    const changedAt = performance.now()
    await end(front, cookie)
    expect((await stream.ended) - changedAt).toBeLessThan(1500)
    const again = await front.ask('GET', '/ops/api/events', cookie)
    expect(again.status).toBeGreaterThanOrEqual(400)
  })

  it('does not keep a session from being idle', async () => {
    const source = document({ root: { ...enabled, portal: { management_console: { session_timeout: '1s' } } } })
    const front = await startConsole({ source })
    const openedAt = performance.now()
    const stream = await pageStream(front, await front.cookieOf())
    const lasted = (await stream.ended) - openedAt
    expect(lasted).toBeGreaterThan(500)
    expect(lasted).toBeLessThan(3000)
  })

  it('is for scripts of the page alone', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const path = '/ops/api/events'
    expect((await openStream(front.port, path, [cookie, 'Sec-Fetch-Site: cross-site'])).status).toBe(403)
    expect((await openStream(front.port, path, [cookie, 'Origin: https://evil.example'])).status).toBe(403)
    expect((await openStream(front.port, path, [])).status).toBe(401)
    expect((await openStream(front.port, path, [await front.bearerOf()])).status).toBe(401)
    const other = await front.cookieOf('/publisher', users.reader)
    expect((await openStream(front.port, path, [other])).status).toBe(401)
    expect((await openStream(front.port, '/management/events', [await front.bearerOf(users.reader)])).status).toBe(403)
    expect((await openStream(front.port, path, [cookie, ...navigation])).headers['content-type']).toContain('json')
  })

  it('is not opened by a WebSocket', async () => {
    const front = await startConsole()
    front.server.on('upgrade', async (request, socket) => {
      const connection = await front.security.authenticateUpgrade(request, socket)
      if (connection !== undefined) socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    })
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Origin: ${origin}`]
    for (const path of ['/ops/api/events', '/ops/api/', '/ops/nowhere']) {
      const answer = await front.call('GET', path, [await front.cookieOf(), ...upgrade])
      expect([path, answer.status]).toEqual([path, 404])
    }
  })

  it('bounds what a flood of 10 000 events a second costs, and counts what it skips', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const stream = await pageStream(front, cookie)
    const slow = await pageStream(front, cookie)
    slow.pause()
    const memory = process.memoryUsage().heapUsed
    const startedAt = performance.now()
    let reported = 0
    while (performance.now() - startedAt < 3000) {
      const due = Math.floor((performance.now() - startedAt) * 10)
      refuse(front, due - reported, '<script>alert(1)</script>')
      reported = due
      await sleep(5)
    }
    await sleep(1500)
    expect(stream.entries().length).toBeLessThanOrEqual(50 * 6)
    expect(stream.entries().length + stream.dropped()).toBe(reported)
    expect(stream.text().length).toBeLessThan(200_000)
    expect(process.memoryUsage().heapUsed - memory).toBeLessThan(300e6)
    slow.resume()
    await vi.waitFor(() => expect(slow.entries().length + slow.dropped()).toBe(reported), 3000)
    // A name is a text in JSON, whatever it is.
    expect(stream.entries()[0]!['userName']).toBe('<script>alert(1)</script>')
  })

  it('lives through clients that end their connections at any time', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    for (let round = 0; round < 30; round++) {
      const stream = await pageStream(front, cookie)
      refuse(front, 20)
      stream.close()
    }
    await vi.waitFor(async () => expect((await pageStream(front, cookie)).status).toBe(200), 2000)
  })
})
