import { METHODS } from 'node:http'
import { describe, expect, it } from 'vitest'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { oneSetUp, serverSetUps } from '../helpers/set-ups.js'

/** Every method that Node reads, but for the one that is no request for a resource. */
const methods = METHODS.filter((method) => method !== 'CONNECT')
const overrides = ['X-HTTP-Method-Override: GET', 'X-HTTP-Method: GET', 'X-Method-Override: GET']

describe.each(serverSetUps)('the method of a request, on $name', (setUp) => {
  // Covers: E03 E05
  it('opens nothing to anybody without a token', async () => {
    const front = await startFront(setUp)
    const answers = await Promise.all(
      methods.flatMap((method) =>
        ['/apis', '/users', '/nothing/here'].map(async (path) => {
          const { status } = await front.call(method, path, overrides)
          return { method, path, status }
        }),
      ),
    )
    expect(answers.filter(({ status }) => status !== 401)).toEqual([])
    expect(front.handled).toEqual([])
  })

  // Covers: E03
  it('opens no protected path to a user who is no administrator', async () => {
    const front = await startFront(setUp)
    const token = bearer(await front.login(users.reader))
    const answers = await Promise.all(
      methods.map(async (method) => ({
        method,
        status: (await front.call(method, '/configs', [token, ...overrides])).status,
      })),
    )
    expect(answers.filter(({ method, status }) => status !== (method === 'TRACE' ? 405 : 403))).toEqual([])
    expect(front.handled).toEqual([])
  })

  // Covers: E03
  it('is refused when it is TRACE, which would send the token back', async () => {
    const open = await startFront(setUp, { source: document({ jwt: { enable: false } }) })
    expect((await open.call('TRACE', '/apis')).status).toBe(405)
    expect(open.handled).toEqual([])
    const front = await startFront(setUp)
    const answer = await front.call('TRACE', '/apis', [bearer(await front.login())])
    expect(answer.status).toBe(405)
    expect(answer.header('allow')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    expect(front.handled).toEqual([])
  })

  // Covers: E03
  it('is not answered when it is CONNECT', async () => {
    const front = await startFront(setUp)
    const token = bearer(await front.login())
    for (const target of ['/management/apis', 'front.test:80']) {
      await expect(front.send(requestBytes('CONNECT', target, [token]))).rejects.toThrow('without an answer')
    }
    expect(front.handled).toEqual([])
  })

  // Covers: E03
  it('is judged as GET when it is HEAD, and no other header chooses it', async () => {
    const source = document({
      managementApi: {
        authorization_handler: {
          resources: [
            { path: '/apis', methods: ['GET'] },
            { path: '/keys', methods: ['POST'] },
          ],
        },
      },
    })
    const front = await startFront(setUp, { source })
    const token = bearer(await front.login(users.reader))
    expect((await front.call('HEAD', '/apis', [token])).status).toBe(403)
    expect((await front.call('POST', '/keys', [token, ...overrides])).status).toBe(403)
    expect((await front.call('POST', '/keys?_method=GET', [token])).status).toBe(403)
    expect(front.handled).toEqual([])
  })
})

/** Texts that a loose comparison would take for a path that needs no token. */
const nearMisses = ['/login', '/jwks', '/open'].flatMap((path) => [
  `${path}/x`,
  `${path}x`,
  `${path}//`,
  `/${path}`,
  `${path};x`,
  `${path};/`,
  `${path}%2f`,
  `${path}%00`,
  `${path}.json`,
  `${path}/..`,
  `${path}/../apis`,
  `${path}/..;/apis`,
  `${path}/%2e%2e/apis`,
  `${path}\\..\\apis`,
  `${path}\\`,
  `/.${path}`,
  `/apis/..${path}`,
  `/apis?x=${path}`,
  `/apis#${path}`,
  `${path.slice(0, 2)}%${path.charCodeAt(2).toString(16)}${path.slice(3)}`,
])

// Covers: E08
describe('a path that needs no token', () => {
  const source = document({ managementApi: { public_paths: ['/open'] } })

  it.each(nearMisses)('is not %s, for nobody and for a good name and password', async (path) => {
    const front = await startFront(oneSetUp, { source })
    for (const lines of [[], [basic(users.admin.name, users.admin.password)], ['X-Original-URL: /management/open']]) {
      for (const method of ['GET', 'POST']) {
        const answer = await front.call(method, path, lines)
        expect([400, 401]).toContain(answer.status)
        expect(answer.body).not.toMatch(/AccessToken|"keys"/)
      }
    }
    expect(front.handled).toEqual([])
  })

  it.each(['', '/', '?/open', '#/open'])('is not the mount itself, here with %j', async (rest) => {
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', rest)).status).toBe(401)
    const absolute = `GET http://open/management${rest} HTTP/1.1\r\nHost: open\r\nConnection: close\r\n\r\n`
    expect((await front.send(absolute)).status).toBe(401)
    expect(front.handled).toEqual([])
  })

  it('is the one that is written, in an absolute target too', async () => {
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', '/open')).status).toBe(200)
    const absolute = 'GET http://elsewhere/management/open HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n'
    expect((await front.send(absolute)).status).toBe(200)
    expect((await front.call('POST', '/open')).status).toBe(401)
    expect(front.handled).toEqual(['GET /open', 'GET /open'])
  })
})
