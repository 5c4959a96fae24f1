import { describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { basic, bearer, document, type Front, type FrontOptions, startFront, users } from '../helpers/front.js'
import { oneSetUp } from '../helpers/set-ups.js'

/**
 * What the middlewares do in a mount, each branch once on one set-up: quick enough to be run against every change that
 * mutation testing makes.
 */
const start = (options: FrontOptions = {}): Promise<Front> => startFront(oneSetUp, options)
const { admin, reader } = users
const json = 'Accept: application/json'
const basicMode = {
  managementApi: { basic_security_handler: { enable: true }, public_paths: ['/open'] },
  jwt: { enable: false },
}

describe('basicAuthentication in a mount', () => {
  it.each([
    [200, 'Sec-Fetch-Site: same-origin'],
    [200, 'Sec-Fetch-Site: none'],
    [403, 'Sec-Fetch-Site: same-site'],
    [403, 'Sec-Fetch-Site: cross-site'],
    [200, 'Origin: http://front.test'],
    [403, 'Origin: http://evil.test'],
    [403, 'Origin: http://front.test:81'],
    [403, 'Origin: null'],
    [403, 'Origin: front.test'],
    [200, 'X-Nothing: special'],
  ])('answers %d to a good password with %s', async (status, line) => {
    const front = await start({ source: document(basicMode) })
    const answer = await front.call('GET', '/whoami', [line, json, basic(admin.name, admin.password)])
    expect(answer.status).toBe(status)
    if (status === 403)
      expect(answer.json()).toMatchObject({ code: 'ERR_CROSS_SITE', Error: expect.stringMatching(/./) })
    expect(front.handled).toHaveLength(status === 200 ? 1 : 0)
  })

  it.each([
    ['Origin: http://front.test', false],
    ['Sec-Fetch-Mode: cors', false],
    ['X-Sec-Fetch-: a', true],
  ])('with %s names Basic in its challenge: %j', async (line, namesBasic) => {
    const front = await start({ source: document(basicMode) })
    for (const lines of [[line], [line, basic(admin.name, 'a-wrong-password')]]) {
      const answer = await front.call('GET', '/whoami', [...lines, json])
      expect(answer.status).toBe(401)
      expect(answer.json()).toMatchObject({ Error: expect.stringMatching(/./) })
      expect(answer.header('www-authenticate')?.includes('Basic realm')).toBe(namesBasic)
    }
  })

  it('lets nobody in but on a public path, and checks a password that is sent there', async () => {
    const front = await start({ source: document(basicMode) })
    expect((await front.call('GET', '/open')).status).toBe(200)
    expect((await front.call('GET', '/open', [basic(admin.name, 'a-wrong-password')])).status).toBe(401)
    expect((await front.call('GET', '/apis')).status).toBe(401)
    expect((await front.call('GET', '/x/../open')).status).toBe(400)
    const twice = [basic(admin.name, admin.password), basic(admin.name, admin.password)]
    expect((await front.call('GET', '/apis', twice)).status).toBe(400)
    expect(front.handled).toEqual(['GET /open'])
  })

  it('tells of a login, and whose right it is', async () => {
    const front = await start({ source: document(basicMode) })
    const answers = [
      await front.call('GET', '/whoami', [basic(admin.name, admin.password)]),
      await front.call('GET', '/whoami', [basic(reader.name, reader.password)]),
      await front.call('GET', '/whoami', [basic(reader.name, 'a-wrong-password')]),
    ]
    expect(answers.slice(0, 2).map((answer) => answer.json())).toMatchObject([
      { auth: { subject: 'admin', scope: 'admin', kind: 'basic', isAdmin: true } },
      { auth: { subject: 'reader', scope: 'default', kind: 'basic', isAdmin: false } },
    ])
    expect(front.events).toMatchObject([
      { name: 'login', subject: 'admin', kind: 'basic', address: '127.0.0.1', at: expect.any(Number) },
      { name: 'login', subject: 'reader', kind: 'basic' },
      { name: 'loginRefused', userName: 'reader', reason: 'wrong-password', address: '127.0.0.1' },
    ])
  })
})

describe('basicLogin in a mount', () => {
  const good = basic(admin.name, admin.password)

  it('tells of a login with the address it came from', async () => {
    const front = await start()
    await front.login()
    expect(front.events).toMatchObject([
      {
        name: 'login',
        subject: 'admin',
        kind: 'management',
        address: '127.0.0.1',
        tokenId: expect.stringMatching(/^.{43}$/),
      },
    ])
    expect(await front.security.tokens.list()).toMatchObject([{ address: '127.0.0.1' }])
    expect(front.events).toHaveLength(1)
  })

  it('tells apart who sent nothing, and what cannot be read', async () => {
    const front = await start()
    const nothing = await front.call('GET', '/login', [json])
    expect(nothing.json()).toMatchObject({ code: 'ERR_AUTH_REQUIRED', Error: expect.stringMatching(/./) })
    expect(front.events.filter(({ name }) => name === 'loginRefused')).toEqual([])
    const unreadable = await front.call('GET', '/login', [json, 'Authorization: Basic !!!'])
    expect(unreadable.json()).toMatchObject({ code: 'ERR_AUTH_INVALID_CREDENTIALS', Error: expect.stringMatching(/./) })
    expect(front.events.filter(({ name }) => name === 'loginRefused')).toMatchObject([
      { userName: '', reason: 'malformed', address: '127.0.0.1' },
    ])
    expect((await front.call('GET', '/login', [good, good])).status).toBe(400)
  })

  it.each([
    ['token-store-full', 'ERR_TOKEN_STORE_FULL', new MemoryTokenStore({ maxSize: 1, removeOldestOnOverflow: false })],
    ['store-unavailable', 'ERR_STORE_UNAVAILABLE', brokenStore()],
  ])('tells once of a login that failed by %s', async (reason, code, tokenStore) => {
    const front = await start({ options: { tokenStore } })
    await front.call('GET', '/login', [good]).then(({ status, body }) => {
      if (status === 200) bearer((JSON.parse(body) as { AccessToken: string }).AccessToken)
    })
    const before = front.events.length
    const answer = await front.call('GET', '/login', [good, json])
    expect(answer.status).toBe(503)
    expect(answer.json()).toMatchObject({ code })
    expect(front.events.slice(before)).toMatchObject([{ name: 'loginRefused', userName: 'admin', reason }])
  })
})

function brokenStore(): MemoryTokenStore {
  return Object.assign(new MemoryTokenStore(), {
    add: () => Promise.reject(new StoreError('gone')),
  })
}

describe('bearerAuthentication in a mount', () => {
  it('takes one token, from one header, and no other parameter of a query for one', async () => {
    const front = await start({ source: document({ managementApi: { public_paths: ['/open'] } }) })
    const token = bearer(await front.login())
    expect((await front.call('GET', '/apis', [token, token])).status).toBe(400)
    expect((await front.call('GET', '/apis?x=1', [token])).status).toBe(200)
    expect((await front.call('GET', '/apis?x=1&access_token=a', [token])).status).toBe(400)
    expect((await front.call('GET', '/open', [bearer('no.good.token')])).status).toBe(401)
    expect((await front.call('GET', '/open')).status).toBe(200)
    const nothing = await front.call('GET', '/apis', [json])
    expect(nothing.json()).toMatchObject({ code: 'ERR_AUTH_REQUIRED', Error: expect.stringMatching(/./) })
    expect(front.handled).toEqual(['GET /apis', 'GET /open'])
  })
})

describe('bearerAuthentication with a store that answers later', () => {
  it('waits for the answer, whatever it is', async () => {
    const memory = new MemoryTokenStore()
    const tokenStore: TokenStore = Object.assign(Object.create(memory) as TokenStore, {
      add: async (record: TokenRecord) => memory.add(record),
      find: async (id: string) => memory.find(id),
      touch: async (id: string, at: number) => memory.touch(id, at),
      remove: async (id: string) => memory.remove(id),
    })
    const front = await start({ options: { tokenStore } })
    const token = await front.login(reader)
    const answer = await front.call('GET', '/whoami', [bearer(token)])
    expect(answer.json()).toMatchObject({ auth: { subject: 'reader', isAdmin: false } })
    const refused = await front.call('GET', '/whoami', [bearer('no.good.token')])
    expect(refused.status).toBe(401)
    expect(refused.header('www-authenticate')).toContain('error="invalid_token"')
    expect((await front.call('GET', '/users', [bearer(token)])).status).toBe(403)
    expect(front.handled).toEqual(['GET /whoami'])
  })
})

describe('logout in a mount', () => {
  it('tells of it, and answers 401 to a token that ended at the same moment', async () => {
    const store = new MemoryTokenStore()
    let isGone = false
    const remove = store.remove.bind(store)
    store.remove = (id) => !isGone && remove(id)
    const front = await start({ options: { tokenStore: store } })
    const [one, other] = [await front.login(), await front.login()]
    expect((await front.call('GET', '/logout', [bearer(one)])).status).toBe(200)
    expect(front.events.slice(2)).toMatchObject([
      { name: 'logout', subject: 'admin', address: '127.0.0.1', at: expect.any(Number), tokenId: expect.any(String) },
    ])
    isGone = true
    const answer = await front.call('GET', '/logout', [bearer(other), json])
    expect(answer.status).toBe(401)
    expect(answer.json()).toMatchObject({ code: 'ERR_TOKEN_INVALID', Error: expect.stringMatching(/./) })
    expect(answer.header('www-authenticate')).toContain('error="invalid_token"')
    expect(front.events.filter(({ name }) => name === 'logout')).toHaveLength(1)
  })
})

describe('pathAuthorization in a mount', () => {
  it.each([
    ['ERR_ADMIN_REQUIRED', 'GET', '/configs'],
    ['ERR_ROLE_REQUIRED', 'GET', '/apis'],
    ['ERR_PATH_DENIED', 'GET', '/elsewhere'],
    ['ERR_READ_ONLY', 'POST', '/keys'],
  ])('says why in a sentence: %s', async (code, method, path) => {
    const source = document({
      managementApi: {
        authorization_handler: {
          default_policy: 'deny',
          resources: [
            { path: '/configs' },
            { path: '/apis', roles: ['publisher'] },
            { path: '/keys', roles: ['viewer'] },
          ],
        },
      },
      root: { user_access: { make_non_admin_users_read_only: true } },
    })
    const front = await start({ source })
    const answer = await front.call(method, path, [bearer(await front.login(reader)), json])
    expect(answer.status).toBe(403)
    expect(answer.json()).toMatchObject({ code, Error: expect.stringMatching(/^[A-Z].+\.$/) })
    expect(front.handled).toEqual([])
  })
})

describe('a mount', () => {
  it('tells of each refusal once, with the whole path and no query', async () => {
    const front = await start()
    const token = bearer(await front.login(reader))
    await front.call('GET', '/users/42?secret=abc', [token])
    await front.call('GET', '/login', [basic(admin.name, 'a-wrong-password')])
    expect(front.events.slice(1)).toEqual([
      {
        name: 'refusal',
        at: expect.any(Number),
        address: '127.0.0.1',
        method: 'GET',
        path: '/management/users/42',
        status: 403,
        code: 'ERR_ADMIN_REQUIRED',
        subject: 'reader',
        cause: undefined,
        rule: expect.any(String),
      },
      expect.objectContaining({ name: 'loginRefused' }),
    ])
  })

  it('refuses TRACE, and names the methods that there are', async () => {
    const front = await start()
    const answer = await front.call('TRACE', '/apis', [bearer(await front.login()), json])
    expect(answer.status).toBe(405)
    expect(answer.header('allow')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    expect(answer.json()).toMatchObject({
      Error: 'Use one of these methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.',
    })
  })

  it('takes two lines of another name as long as Authorization for what they are', async () => {
    const front = await start()
    const lines = ['X-Custom-Head: a', 'X-Custom-Head: b', bearer(await front.login())]
    expect((await front.call('GET', '/apis', lines)).status).toBe(200)
    const more = ['Accept: */*', 'X-Long-Header-Name: b', bearer(await front.login())]
    expect((await front.call('GET', '/apis', more)).status).toBe(200)
  })

  it('says how a password is accepted, when it came over plain HTTP from elsewhere', async () => {
    const front = await start()
    const answer = await front.call('GET', '/login', ['Via: 1.1 proxy', basic(admin.name, admin.password)])
    expect(answer.status).toBe(403)
    expect(answer.json()).toMatchObject({
      code: 'ERR_HTTPS_REQUIRED',
      Error: expect.stringMatching(/HTTPS.*protocols/),
    })
  })
})

describe('corsPolicy in a mount', () => {
  it('has answered a preflight, and takes no other OPTIONS for one', async () => {
    const front = await start()
    const method = 'Access-Control-Request-Method: PUT'
    expect((await front.call('OPTIONS', '/apis', [method, 'Origin: http://a.example'])).status).toBe(200)
    expect(front.events).toEqual([])
    expect((await front.call('OPTIONS', '/apis', [method])).status).toBe(401)
    expect((await front.call('OPTIONS', '/apis', ['Origin: http://a.example'])).status).toBe(401)
  })
})
