import { describe, expect, it } from 'vitest'
import type { RawAnswer } from '../helpers/raw-http.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { navigation, origin, ownForm, type PortalFront, startPortals } from './portal-front.js'

const start = Date.UTC(2026, 0, 1)

/** Portals with a clock that the test moves. */
async function startTimed(root: Record<string, unknown> = {}, portals?: Record<string, string>) {
  const time = { now: start }
  const options = { clock: () => time.now }
  const front = await startPortals({ root, options, ...(portals !== undefined && { portals }) })
  return { front, time }
}

const ended = expect.objectContaining({ code: 'ERR_SESSION_ENDED' })

describe('GET and POST /session', () => {
  it.each(serverSetUps)('say who is signed in and for how long, with $name', async (setUp) => {
    const front = await startPortals({ options: { clock: () => start } }, setUp)
    const cookie = await front.cookieOf('/publisher')
    for (const method of ['GET', 'POST']) {
      const answer = await front.call(method, '/publisher/session', [cookie, `Origin: ${origin}`])
      expect(answer.status).toBe(200)
      expect(answer.header('cache-control')).toBe('no-store')
      expect(answer.json()).toEqual({
        subject: 'admin',
        roles: ['admin'],
        isAdmin: true,
        idleRemainingMs: 1_800_000,
        absoluteRemainingMs: 43_200_000,
        idleTimeoutMs: 1_800_000,
        serverTimeMs: start,
      })
    }
    expect(front.handled).toEqual([])
  })

  // Covers: D05
  it('count as activity only by POST', async () => {
    const { front, time } = await startTimed()
    const cookie = await front.cookieOf('/publisher')
    const ask = async (method: string): Promise<unknown> =>
      (await front.call(method, '/publisher/session', [cookie, `Origin: ${origin}`])).json()['idleRemainingMs']
    time.now = start + 600_000
    expect(await ask('GET')).toBe(1_200_000)
    expect(await ask('GET')).toBe(1_200_000)
    expect(await ask('POST')).toBe(1_800_000)
    expect(await ask('GET')).toBe(1_800_000)
    time.now += 1_799_999
    expect(await ask('GET')).toBe(1)
    time.now += 1
    const over = await front.call('GET', '/publisher/session', [...navigation, cookie])
    expect(over.status).toBe(401)
    expect(over.header('www-authenticate')).toBe('Cookie realm="Sallyport"')
  })

  it('answer 401 JSON without a session', async () => {
    const front = await startPortals()
    for (const method of ['GET', 'POST']) {
      const answer = await front.call(method, '/publisher/session', [`Origin: ${origin}`])
      expect(answer.status).toBe(401)
      expect(answer.json()).toEqual({ Error: 'Sign in first.', code: 'ERR_AUTH_REQUIRED' })
    }
  })

  it('never say that more is left than until the absolute end', async () => {
    const { front, time } = await startTimed({ portal: { publisher: { absolute_timeout: '40m' } } })
    const cookie = await front.cookieOf('/publisher')
    time.now = start + 20 * 60_000
    const answer = await front.call('POST', '/publisher/session', [cookie, `Origin: ${origin}`])
    expect(answer.json()).toMatchObject({ idleRemainingMs: 1_200_000, absoluteRemainingMs: 1_200_000 })
  })
})

describe('time-outs', () => {
  const get = (front: PortalFront, path: string, cookie: string, headers: string[] = []): Promise<RawAnswer> =>
    front.call('GET', path, [cookie, ...headers])

  // Covers: D03
  it.each([
    ['management_console', {}, 15 * 60_000],
    ['publisher', {}, 30 * 60_000],
    ['management_console', { tomcat: { management_console: { session_timeout: '20s' } } }, 20_000],
    ['management_console', { tomcat: { global: { session_timeout: '20s' } } }, 15 * 60_000],
    ['devportal', { tomcat: { global: { session_timeout: '1.5m' } } }, 90_000],
    ['admin', { portal: { admin: { session_timeout: '2500ms' } } }, 2500],
    ['shop', { portal: { shop: {} }, tomcat: { global: { session_timeout: 2 } } }, 120_000],
  ])('of %s with %j', async (name, root, idleMs) => {
    const { front, time } = await startTimed(root, { [name]: '/portal' })
    const cookie = await front.cookieOf('/portal')
    time.now += idleMs - 1000
    expect((await get(front, '/portal/', cookie)).status).toBe(200)
    time.now += idleMs
    expect((await get(front, '/portal/', cookie)).json()).toEqual(ended)
    const other = await front.cookieOf('/portal')
    time.now += idleMs + 1000
    expect((await get(front, '/portal/', other)).json()).toEqual(ended)
  })

  it('follow only the requests of the same portal', async () => {
    const { front, time } = await startTimed({}, { publisher: '/publisher', devportal: '/devportal' })
    const publisher = await front.cookieOf('/publisher')
    const devportal = await front.cookieOf('/devportal')
    for (let minutes = 1; minutes <= 30; minutes++) {
      time.now = start + minutes * 60_000
      expect((await front.call('GET', '/publisher/', [`${publisher}; ${devportal.slice(8)}`])).status).toBe(200)
    }
    expect((await get(front, '/devportal/', devportal)).json()).toEqual(ended)
  })

  // Covers: D04
  it('have an absolute end that no activity puts off', async () => {
    const { front, time } = await startTimed({ portal: { absolute_timeout: '1h' } })
    const cookie = await front.cookieOf('/publisher')
    for (time.now = start; time.now < start + 3_600_000; time.now += 600_000) {
      expect((await get(front, '/publisher/', cookie)).status).toBe(200)
    }
    expect((await get(front, '/publisher/', cookie)).json()).toEqual(ended)
  })

  it('are not put off by requests that are marked as background', async () => {
    const { front, time } = await startTimed()
    const cookie = await front.cookieOf('/publisher')
    for (let minutes = 1; minutes < 30; minutes++) {
      time.now = start + minutes * 60_000
      expect((await get(front, '/publisher/poll', cookie, ['Sallyport-Background: ?1'])).status).toBe(200)
    }
    time.now = start + 30 * 60_000
    expect((await get(front, '/publisher/', cookie)).json()).toEqual(ended)
  })

  it.each(['?0', '1', 'true', ''])('are put off by a request with the mark %j', async (mark) => {
    const { front, time } = await startTimed()
    const cookie = await front.cookieOf('/publisher')
    time.now = start + 29 * 60_000
    await get(front, '/publisher/', cookie, [`Sallyport-Background: ${mark}`])
    time.now = start + 31 * 60_000
    expect((await get(front, '/publisher/', cookie)).status).toBe(200)
  })

  it('that are changed by reload hold for new sessions', async () => {
    const { front, time } = await startTimed()
    const before = await front.cookieOf('/publisher')
    const { document } = await import('../helpers/front.js')
    await front.security.reload(document({ root: { tomcat: { global: { session_timeout: '10s' } } } }))
    const after = await front.cookieOf('/publisher')
    time.now += 10_000
    expect((await get(front, '/publisher/', after)).json()).toEqual(ended)
    expect((await get(front, '/publisher/', before)).status).toBe(200)
  })
})

// Covers: D13
describe('200 requests with a logout in the middle', () => {
  it('leave no session behind', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const work = (): Promise<RawAnswer>[] =>
      Array.from({ length: 100 }, (_, number) =>
        number % 3 === 0
          ? front.call('POST', '/publisher/session', [cookie, `Origin: ${origin}`])
          : front.call('GET', '/publisher/', [cookie]),
      )
    const first = work()
    const logout = front.call('POST', '/publisher/logout', [...ownForm, cookie])
    const answers = await Promise.all([...first, logout, ...work()])
    expect(answers.filter(({ status }) => ![200, 303, 401].includes(status))).toEqual([])
    expect((await front.call('GET', '/publisher/', [cookie])).json()).toEqual(ended)
    expect(await front.security.tokens.list()).toEqual([])
  })
})
