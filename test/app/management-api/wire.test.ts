import { describe, expect, it } from 'vitest'
import { basic, bearer, type Front, startFront, users } from '../../helpers/front.js'
import type { RawAnswer } from '../../helpers/raw-http.js'
import { allSetUps, oneSetUp, twoSetUps } from '../../helpers/set-ups.js'

const cors = [
  'Access-Control-Allow-Origin: *',
  'Access-Control-Allow-Methods: GET, POST, PUT, DELETE,OPTIONS, PATCH',
  'Access-Control-Allow-Headers: Authorization, Content-Type',
]
const closing = ['Connection: close']
const noBody = ['Cache-Control: no-store', 'Content-Length: 0']

/** Header lines in any order, without those that Express and Node add by themselves. */
function linesOf(answer: RawAnswer): readonly string[] {
  return answer.headerLines.filter((line) => !/^(?:Date|X-Powered-By): /.test(line)).toSorted()
}

const notManageable =
  'User management is not supported with the file-based user store. Please plug in a user store for the correct functionality'

describe.each(allSetUps)('without Accept, on $name', (setUp) => {
  it('answers a login with 200 and an object of texts', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/login', [basic(users.admin.name, users.admin.password)])
    expect(answer.statusLine).toBe('HTTP/1.1 200 OK')
    expect(answer.body).toMatch(/^\{"AccessToken":"[\w-]+\.[\w-]+\.[\w-]+"\}$/)
    expect(linesOf(answer)).toEqual(
      [
        ...cors,
        ...closing,
        'Cache-Control: no-store',
        'Content-Type: application/json; charset=utf-8',
        'X-Content-Type-Options: nosniff',
        `Content-Length: ${answer.body.length}`,
      ].toSorted(),
    )
    bearer(answer.json<{ AccessToken: string }>().AccessToken)
  })

  it('answers a logout with 200 and no body, and the next one with 401', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const first = await front.call('GET', '/logout', [bearer(token)])
    expect(first.statusLine).toBe('HTTP/1.1 200 OK')
    expect(first.body).toBe('')
    expect(linesOf(first)).toEqual([...cors, ...closing, ...noBody].toSorted())
    const second = await front.call('GET', '/logout', [bearer(token)])
    expect(second.statusLine).toBe('HTTP/1.1 401 Unauthorized')
    expect(second.body).toBe('')
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(401)
    expect(front.handled).toEqual([])
  })

  it('answers 401 without a body', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/apis')
    expect(answer.statusLine).toBe('HTTP/1.1 401 Unauthorized')
    expect(answer.body).toBe('')
    expect(linesOf(answer)).toEqual(
      [...cors, ...closing, ...noBody, 'WWW-Authenticate: Bearer realm="Sallyport"'].toSorted(),
    )
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
  })

  // Covers: E07
  it.each(['/users', '/roles', '/users/bob', '/users?pattern=*'])(
    'answers 403 without a body to a reader at %s',
    async (path) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', path, [bearer(await front.login(users.reader))])
      expect(answer.statusLine).toBe('HTTP/1.1 403 Forbidden')
      expect(answer.body).toBe('')
      expect(linesOf(answer)).toEqual(
        [
          ...cors,
          ...closing,
          ...noBody,
          'WWW-Authenticate: Bearer realm="Sallyport", error="insufficient_scope"',
        ].toSorted(),
      )
      expect(front.handled).toEqual([])
      expect(front.appErrors).toEqual([])
    },
  )

  it.each([
    ['GET', '/users'],
    ['GET', '/users/bob?domain=SEC'],
    ['POST', '/users'],
    ['DELETE', '/users/SEC/bob'],
    ['GET', '/roles'],
    ['PUT', '/roles/'],
    ['GET', '/roles/Internal/everyone'],
    ['PATCH', '/Users/bob'],
  ])('tells an administrator at %s %s that file users are not managed', async (method, path) => {
    const front = await startFront(setUp)
    const answer = await front.call(method, path, [bearer(await front.login())])
    expect(answer.statusLine).toBe('HTTP/1.1 403 Forbidden')
    expect(answer.json()).toEqual({ Error: notManageable, code: 'ERR_USERS_NOT_MANAGEABLE' })
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(front.handled).toEqual([])
  })
})

describe.each(twoSetUps)('the verbs of login and logout on $name', (setUp) => {
  it.each(['GET', 'POST'])('takes %s', async (method) => {
    const front = await startFront(setUp)
    const login = await front.call(method, '/login', [basic(users.admin.name, users.admin.password)])
    expect(login.status).toBe(200)
    const { AccessToken } = login.json<{ AccessToken: string }>()
    expect((await front.call(method, '/logout', [bearer(AccessToken)])).status).toBe(200)
  })

  it.each(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('answers 405 to %s', async (method) => {
    const front = await startFront(setUp)
    const login = await front.call(method, '/login', [basic(users.admin.name, users.admin.password)])
    expect(login.status).toBe(405)
    expect(login.header('allow')).toBe('GET, POST')
    expect(login.body === '' || 'Error' in login.json()).toBe(true)

    const token = await front.login()
    const logout = await front.call(method, '/logout', [bearer(token)])
    expect(logout.status).toBe(405)
    expect(logout.header('allow')).toBe('GET, POST')
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
  })

  it.each(['/login/', '/LOGIN', '/Login/', '/login?next=/'])(
    'answers a login at %s, as a router would',
    async (path) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', path, [basic(users.admin.name, users.admin.password)])
      expect(answer.status).toBe(200)
      bearer(answer.json<{ AccessToken: string }>().AccessToken)
    },
  )

  it('ignores credentials in the query and in the body', async () => {
    const front = await startFront(setUp)
    const { name, password } = users.admin
    const form = `username=${name}&password=${password}`
    const type = ['Content-Type: application/x-www-form-urlencoded']
    expect((await front.call('POST', `/login?${form}`, type, form)).status).toBe(401)
  })
})

describe.each(twoSetUps)('tokens of one user on $name', (setUp) => {
  it('are good side by side, and a logout ends its own only', async () => {
    const front = await startFront(setUp)
    const tokens = [await front.login(), await front.login(), await front.login()]
    expect(new Set(tokens).size).toBe(3)
    expect((await front.call('GET', '/logout', [bearer(tokens[1]!)])).status).toBe(200)
    const statuses = await Promise.all(tokens.map((token) => front.call('GET', '/whoami', [bearer(token)])))
    expect(statuses.map(({ status }) => status)).toEqual([200, 401, 200])
  })
})

describe('the form of an error', () => {
  interface Case {
    readonly of: string
    readonly ask: (front: Front, accept: readonly string[]) => Promise<RawAnswer>
    readonly status: number
  }
  const cases: readonly Case[] = [
    { of: 'no token', status: 401, ask: (front, accept) => front.call('GET', '/apis', accept) },
    {
      of: 'a login with a wrong password',
      status: 401,
      ask: (front, accept) => front.call('GET', '/login', [...accept, basic('admin', 'no-such-password')]),
    },
    {
      of: 'a path for administrators',
      status: 403,
      ask: async (front, accept) => front.call('GET', '/users', [...accept, bearer(await front.login(users.reader))]),
    },
    { of: 'a wrong verb', status: 405, ask: (front, accept) => front.call('PUT', '/login', accept) },
    {
      of: 'two credentials',
      status: 400,
      ask: (front, accept) => front.call('GET', '/apis', [...accept, bearer('first.token'), bearer('second.token')]),
    },
  ]

  it.each(cases)('is a flat object of texts for Accept: application/json ($of)', async ({ ask, status }) => {
    const answer = await ask(await startFront(), ['Accept: application/json'])
    expect(answer.status).toBe(status)
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.json()).toEqual({ Error: expect.any(String), code: expect.stringMatching(/^ERR_[A-Z_]+$/) })
  })

  it.each(cases)('is RFC 9457 for Accept: application/problem+json ($of)', async ({ ask, status }) => {
    const answer = await ask(await startFront(), ['Accept: application/problem+json'])
    expect(answer.status).toBe(status)
    expect(answer.header('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: answer.statusLine.split(' ').slice(2).join(' '),
      status,
      detail: expect.any(String),
      code: expect.stringMatching(/^ERR_[A-Z_]+$/),
    })
  })

  const others = [
    'text/html',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    '*/*',
    'image/png',
    'application/json;q=0',
    ';;;',
  ]
  it.each(cases.flatMap((one) => others.map((accept) => ({ ...one, accept }))))(
    'is never HTML, here for Accept: $accept ($of)',
    async ({ ask, status, accept }) => {
      const answer = await ask(await startFront(oneSetUp), [`Accept: ${accept}`])
      expect(answer.status).toBe(status)
      expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
      expect(Object.keys(answer.json())).toEqual(['Error', 'code'])
    },
  )
})
