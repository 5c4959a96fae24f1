import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { document, fileUser, users } from '../helpers/front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { enabled, ownScript, startConsole } from './console-front.js'
import { openStream, pageStream } from './event-stream.js'

const other = { name: 'other', password: 'Other-password-3' }
const third = { name: 'third', password: 'Third-password-4' }
const administrators = document({
  root: enabled,
  internalApis: {
    users: [users.admin, other, third].map(({ name, password }) => fileUser(name, password, { is_admin: true })),
  },
})

describe('the streams of events', () => {
  it('has at most twenty readers, and takes another when one has gone', async () => {
    const front = await startConsole({ source: administrators })
    const cookies = await Promise.all(
      [users.admin, users.admin, other, other].map((user) => front.cookieOf('/ops', user)),
    )
    const open = (cookie: string) => Promise.all(Array.from({ length: 5 }, () => pageStream(front, cookie)))
    const streams = (await Promise.all(cookies.map(open))).flat()
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const cookie = await front.cookieOf('/ops', third)
    const refused = await pageStream(front, cookie)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
    expect((await front.ask('GET', '/ops/api/events', cookie)).status).toBe(200)
    streams[0]!.close()
    await vi.waitFor(async () => expect((await pageStream(front, cookie)).status).toBe(200), 2000)
  })

  it('leaves room for others: five are of one session, ten of one user', async () => {
    const front = await startConsole({ source: administrators })
    const statuses = async (open: () => Promise<{ readonly status: number }>): Promise<readonly number[]> =>
      (await Promise.all(Array.from({ length: 6 }, open))).map(({ status }) => status).sort()
    const five = [200, 200, 200, 200, 200, 503]
    const cookie = await front.cookieOf()
    const bearer = await front.bearerOf()
    expect(await statuses(() => pageStream(front, cookie))).toEqual(five)
    expect(await statuses(() => openStream(front.port, '/management/events', [bearer]))).toEqual(five)
    const again = await front.cookieOf()
    const refused = await pageStream(front, again)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
    expect((await pageStream(front, await front.cookieOf('/ops', other))).status).toBe(200)
  })

  it('counts no reader who has gone before it was let in', async () => {
    const front = await startConsole({
      // As a store that takes its time to find the session.
      prepare: (app) => app.use((request, _response, next) => void setTimeout(next, request.get('x-slow') ? 50 : 0)),
    })
    const cookie = await front.cookieOf()
    const bytes = requestBytes('GET', '/ops/api/events', [
      cookie,
      ...ownScript,
      'Accept: text/event-stream',
      'X-Slow: 1',
    ])
    for (let at = 0; at < 20; at++) {
      const socket = connect(front.port, '127.0.0.1', () => socket.write(bytes, () => socket.destroySoon()))
      await once(socket, 'close')
    }
    await sleep(200)
    expect((await pageStream(front, cookie)).status).toBe(200)
  })
})
