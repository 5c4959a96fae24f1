import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventNames } from '../../lib/core/events.js'
import { document, users } from '../helpers/front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { secret } from '../helpers/recorded-log.js'
import { type ConsoleFront, enabled, navigation, origin, ownScript, startConsole } from './console-front.js'
import { changingRoutes, type OperatorRoute, operatorRoutes } from './routes.js'

/** Users in a store that can be managed, so that each change would be one. */
async function startManaged(root: Record<string, unknown> = {}): Promise<ConsoleFront> {
  const { admin, reader } = users
  const userStore = new MemoryUserStore({
    users: {
      [admin.name]: { password: admin.password, roles: ['admin'] },
      [reader.name]: { password: reader.password, roles: ['viewer'] },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), 'console-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const audit_trail = { file: join(folder, 'audit.log') }
  return startConsole({ source: document({ root: { ...enabled, audit_trail, ...root } }), options: { userStore } })
}

/** What has changed anything since the call: everything but logins and refusals. */
function watchChanges(front: ConsoleFront): readonly string[] {
  const changes: string[] = []
  for (const name of eventNames) {
    if (!['login', 'loginRefused', 'refusal'].includes(name)) front.security.events.on(name, () => changes.push(name))
  }
  return changes
}

function send(front: ConsoleFront, base: string, route: OperatorRoute, headers: readonly string[]) {
  const { method, path, body } = route
  const type = body === undefined ? [] : ['Content-Type: application/json']
  return front.call(method, base + path, [...headers, ...type], body && JSON.stringify(body))
}

const ownOrigin = `Origin: ${origin}`

describe('every route of operators', () => {
  it('is answered to an administrator', async () => {
    const front = await startManaged()
    for (const route of operatorRoutes.filter(({ method }) => method === 'GET')) {
      const answer = await send(front, '/ops/api', route, [await front.cookieOf(), ...ownScript])
      expect([route.path, answer.status]).toEqual([route.path, route.status ?? 200])
      expect([route.path, answer.header('cache-control')]).toEqual([route.path, 'no-store'])
    }
  })

  it('refuses who is not signed in', async () => {
    const front = await startManaged()
    const changes = watchChanges(front)
    for (const route of operatorRoutes) {
      const page = await send(front, '/ops/api', route, [...ownScript, ownOrigin])
      expect([route, page.status]).toEqual([route, 401])
      if (route.isOfPage !== true) expect((await send(front, '/management', route, [])).status).toBe(401)
    }
    expect([changes, front.behind]).toEqual([[], []])
  })

  it('refuses users who are no administrators', async () => {
    const front = await startManaged({ portal: { management_console: { roles: ['viewer'] } } })
    const changes = watchChanges(front)
    const bearer = await front.bearerOf(users.reader)
    const cookie = await front.cookieOf('/carbon', users.reader)
    for (const route of operatorRoutes) {
      const page = await send(front, '/ops/api', route, [cookie, ...ownScript, ownOrigin])
      expect([route, page.status, page.json()['code']]).toEqual([route, 404, 'ERR_NOT_FOUND'])
      if (route.isOfPage !== true) expect((await send(front, '/management', route, [bearer])).status).toBe(403)
    }
    expect([changes, front.behind]).toEqual([[], []])
  })

  it('takes no other credential than the session of the portal', async () => {
    const front = await startManaged()
    const bearer = await front.bearerOf()
    const publisher = await front.cookieOf('/publisher')
    const renamed = publisher.replace('publisher', 'management_console')
    const basic = `Authorization: Basic ${Buffer.from(`admin:${users.admin.password}`).toString('base64')}`
    secret(basic)
    const token = `Cookie: __Host-sallyport-management_console=${bearer.split(' ')[2]}`
    const changes = watchChanges(front)
    for (const headers of [[bearer], [publisher], [renamed], [basic], [token], [bearer, publisher]]) {
      for (const route of operatorRoutes) {
        const answer = await send(front, '/ops/api', route, [...headers, ...ownScript, ownOrigin])
        expect([route, answer.status]).toEqual([route, 401])
      }
    }
    const session = (await front.cookieOf()).split('=')[1]
    const asBearer = await front.call('GET', '/management/sessions', [`Authorization: Bearer ${session}`])
    expect([asBearer.status, changes, front.behind]).toEqual([401, [], []])
  })

  it.each<readonly [string, readonly string[]]>([
    [
      'a script of another site',
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors', 'Origin: https://evil.example'],
    ],
    ['an image or a link of another site', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors']],
    ['a page of a neighbour', ['Sec-Fetch-Site: same-site', 'Origin: http://other.front.test']],
    ['a link of another site that is opened', ['Sec-Fetch-Site: cross-site', ...navigation]],
    ['an origin that is forged', ['Origin: https://evil.example']],
    ['an origin that is forged, with the right site', ['Origin: http://front.test.evil.example']],
    ['the right host over another scheme', ['Origin: https://front.test:1']],
    ['a sandboxed page', ['Origin: null']],
  ])('refuses %s, whoever is signed in', async (_name, headers) => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    const changes = watchChanges(front)
    for (const route of operatorRoutes) {
      const answer = await send(front, '/ops/api', route, [cookie, ...headers])
      expect([route, answer.status]).toEqual([route, 403])
      expect(answer.header('access-control-allow-origin')).toBeUndefined()
    }
    expect(changes).toEqual([])
  })

  it('refuses a change that says nothing of where it comes from', async () => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    const changes = watchChanges(front)
    for (const route of changingRoutes) {
      expect([route, (await send(front, '/ops/api', route, [cookie])).status]).toEqual([route, 403])
    }
    expect(changes).toEqual([])
  })

  it('changes nothing by GET or HEAD, nor by another method in its place', async () => {
    const front = await startManaged()
    const headers = [await front.cookieOf(), ...ownScript, ownOrigin]
    const bearer = await front.bearerOf()
    const changes = watchChanges(front)
    for (const { method, path, body } of changingRoutes) {
      const joint = path.includes('?') ? '&' : '?'
      for (const read of ['GET', 'HEAD']) {
        await send(front, '/ops/api', { method: read, path }, headers)
        await send(front, '/management', { method: read, path }, [bearer])
      }
      const override = [`X-HTTP-Method-Override: ${method}`, `X-HTTP-Method: ${method}`, `X-Method-Override: ${method}`]
      await send(front, '/ops/api', { method: 'GET', path: `${path}${joint}_method=${method}` }, [
        ...headers,
        ...override,
      ])
      if (method === 'DELETE') {
        const posted = { method: 'POST', path: `${path}${joint}_method=DELETE`, body: body ?? {} }
        const answer = await send(front, '/ops/api', posted, [...headers, ...override])
        expect([path, answer.status]).toEqual([path, 405])
      }
    }
    expect([changes, front.behind]).toEqual([[], []])
  })

  it('takes a change as JSON alone, which no form can send', async () => {
    const front = await startManaged()
    const headers = [await front.cookieOf(), ...ownScript, ownOrigin]
    const changes = watchChanges(front)
    for (const { method, path, body } of changingRoutes) {
      if (method === 'DELETE') continue
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        const answer = await front.call(
          method,
          `/ops/api${path}`,
          [...headers, `Content-Type: ${type}`],
          JSON.stringify(body ?? {}),
        )
        expect([path, type, answer.status]).toEqual([path, type, 415])
      }
    }
    expect(changes).toEqual([])
  })

  it('is not reached by another spelling of its path', async () => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    const changes = watchChanges(front)
    const spellings = (path: string): readonly string[] => [
      `/ops//api${path}`,
      `/ops/api/${path}`,
      `/ops/%61pi${path}`,
      `/ops/x/../api${path}`,
      `/ops/api/..${path}`,
      `/ops/api/%2e%2e${path}`,
      `/ops/api/%2e${path}`,
      `/ops/api;x${path}`,
      `/ops/api%2f${path.slice(1)}`,
      `/ops\\api${path}`,
      `/ops/apis${path}`,
      `http://front.test/ops//api${path}`,
    ]
    for (const route of operatorRoutes.filter(({ path }) => path !== '/')) {
      for (const path of spellings(route.path)) {
        const answer = await send(front, '', { ...route, path }, [cookie, ...ownScript, ownOrigin])
        expect([path, answer.status]).toEqual([path, 404])
        const anonymous = await send(front, '', { ...route, path }, [...ownScript, ownOrigin])
        expect([path, anonymous.status >= 400]).toEqual([path, true])
      }
      // As a router would take it.
      const upper = { ...route, path: `/OPS/API${route.path}` }
      expect((await send(front, '', upper, [...ownScript, ownOrigin])).status).toBe(401)
    }
    expect([changes, front.behind]).toEqual([[], []])
  })

  it('echoes nothing by TRACE, and tells a preflight of another site nothing', async () => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    for (const { path, method } of operatorRoutes) {
      const traced = await front.call('TRACE', `/ops/api${path}`, [cookie])
      expect([traced.status, traced.body.includes('Cookie')]).toEqual([405, false])
      const preflight = ['Origin: https://evil.example', `Access-Control-Request-Method: ${method}`]
      const answer = await front.call('OPTIONS', `/ops/api${path}`, [...preflight, 'Sec-Fetch-Site: cross-site'])
      expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([401, undefined])
    }
  })

  it('answers JSON in which a name that is HTML is a text', async () => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    const name = '<img src=x onerror=alert(1)>'
    const body = new URLSearchParams({ username: name, password: 'x' }).toString()
    const form = ['Content-Type: application/x-www-form-urlencoded', ...ownScript, ownOrigin]
    for (let at = 0; at < 6; at++) await front.call('POST', '/ops/login', form, body)
    for (const path of [
      '/events',
      '/locks',
      `/users/${encodeURIComponent(name)}`,
      `/sessions?user=${encodeURIComponent(name)}`,
    ]) {
      for (const headers of [ownScript, ['Accept: text/html', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors']]) {
        const answer = await front.call('GET', `/ops/api${path}`, [cookie, ...headers])
        expect(answer.header('content-type')).toMatch(/^application\/json/)
        expect(answer.header('x-content-type-options')).toBe('nosniff')
      }
    }
    expect((await front.ask('GET', '/ops/api/locks', cookie)).body).toContain(JSON.stringify(name))
  })
})

describe('an administrator', () => {
  it('who signs out in one tab is out in the other', async () => {
    const front = await startManaged()
    const cookie = await front.cookieOf()
    expect((await front.ask('GET', '/ops/api/sessions', cookie)).status).toBe(200)
    await front.ask('POST', '/ops/logout', cookie)
    expect((await front.ask('GET', '/ops/api/sessions', cookie)).status).toBe(401)
    expect((await front.call('GET', '/ops/', [cookie, ...navigation])).header('location')).toBe('/ops/login')
  })

  it('ends a session on the page, and it is refused at its next request in another browser', async () => {
    const front = await startManaged()
    const [own, other] = [await front.cookieOf(), await front.cookieOf('/publisher', users.reader)]
    expect((await front.call('GET', '/publisher/', [other])).status).toBe(200)
    const { list } = (await front.ask('GET', '/ops/api/sessions?user=reader', own)).json<{ list: { id: string }[] }>()
    const ended = await front.ask('DELETE', `/ops/api/sessions/${list[0]!.id}`, own)
    expect([ended.status, ended.json()]).toEqual([200, { id: list[0]!.id, status: 'Ended' }])
    expect((await front.call('GET', '/publisher/', [other])).status).toBe(401)
    const again = await front.cookieOf('/publisher', users.reader)
    const all = await front.ask('DELETE', '/ops/api/users/reader/sessions', own)
    expect(all.json()).toEqual({ user: 'reader', count: 1, status: 'Ended' })
    expect((await front.call('GET', '/publisher/', [again])).status).toBe(401)
  })

  it('whose role is taken on the page is out at the next request', async () => {
    const front = await startManaged()
    await front.ask('PUT', '/ops/api/roles', await front.cookieOf(), { userId: 'reader', addedRoles: ['admin'] })
    const second = await front.cookieOf('/ops', users.reader)
    expect((await front.ask('GET', '/ops/api/sessions', second)).status).toBe(200)
    const own = await front.cookieOf()
    const change = await front.ask('PUT', '/ops/api/roles', own, { userId: 'reader', removedRoles: ['admin'] })
    expect(change.status, change.body).toBe(200)
    expect([401, 404]).toContain((await front.ask('GET', '/ops/api/sessions', second)).status)
    expect([303, 404]).toContain((await front.call('GET', '/ops/', [second, ...navigation])).status)
  })

  it('is named by the events of what was done on the page', async () => {
    const front = await startManaged()
    const own = await front.cookieOf()
    await front.ask('POST', '/ops/api/users', own, { userId: 'carol', password: 'Long-enough-1' })
    await front.ask('DELETE', '/ops/api/users/reader/sessions', own)
    await front.ask('DELETE', '/ops/api/locks?user=reader', own)
    const { list } = (await front.ask('GET', '/ops/api/events?user=admin', own)).json<{ list: { event: string }[] }>()
    expect(list.map(({ event }) => event)).toEqual(['unlock', 'revocation', 'revocation', 'userAdded', 'login'])
    expect(list[0]).toMatchObject({ by: 'admin', address: '127.0.0.1', userName: 'reader' })
  })
})
