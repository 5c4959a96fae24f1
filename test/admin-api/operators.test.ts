import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findSessions, type SessionPage } from '../../lib/admin-api/sessions.js'
import type { UserAccount } from '../../lib/users/user-store.js'
import { basic, bearer, document, type Front, startFront, users } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { startManagedFront } from '../helpers/managed-front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { secret } from '../helpers/recorded-log.js'
import { oneSetUp } from '../helpers/set-ups.js'

const form = 'Content-Type: application/x-www-form-urlencoded'

/** Each route with what it answers to an administrator. */
const routes: readonly (readonly [string, string, number])[] = [
  ['GET', '/sessions', 200],
  ['GET', '/Sessions/', 200],
  ['HEAD', '/sessions', 200],
  ['DELETE', '/sessions?user=nobody', 200],
  ['DELETE', '/sessions', 400],
  ['DELETE', '/sessions/no-such-id', 404],
  ['GET', '/sessions/no-such-id', 405],
  ['POST', '/sessions', 405],
  ['GET', '/locks', 200],
  ['DELETE', '/locks?user=nobody', 200],
  ['DELETE', '/locks?address=192.0.2.1', 200],
  ['DELETE', '/locks', 400],
  ['DELETE', '/locks?user=a&address=192.0.2.1', 400],
  ['DELETE', '/locks/alice', 405],
  ['POST', '/reload', 400],
  ['GET', '/reload', 400],
  ['DELETE', '/reload', 405],
  ['GET', '/configuration', 200],
  ['HEAD', '/Configuration/', 200],
  ['GET', '/configuration/x', 404],
  ['POST', '/configuration', 405],
  ['GET', '/api-tokens?limit=1', 200],
  ['GET', '/api-tokens?limit=0', 400],
  ['DELETE', '/api-tokens/deploy', 404],
  ['POST', '/api-tokens', 405],
  ['GET', '/service-providers', 200],
  ['PUT', '/service-providers', 405],
]

const isOpen = { managementApi: { authorization_handler: { enable: false } } }

describe('the routes of operators', () => {
  it.each(routes)(
    'answer %s %s: an administrator gets %i, a user 403, anybody else 401',
    async (method, path, status) => {
      // Neither file users, whom no path rule binds, nor rules that are off change it.
      const front = await startFront(oneSetUp, { source: document(isOpen) })
      expect((await front.call(method, path)).status).toBe(401)
      const user = await front.call(method, path, [bearer(await front.login(users.reader)), 'Accept: application/json'])
      expect([user.status, method === 'HEAD' || user.json()['code']]).toEqual([
        403,
        method === 'HEAD' || 'ERR_ADMIN_REQUIRED',
      ])
      const answer = await front.call(method, path, [bearer(await front.login())])
      expect(answer.status).toBe(status)
      expect(answer.header('cache-control')).toBe('no-store')
      expect(front.handled).toEqual([])
    },
  )

  it('are open to nobody by public_paths', async () => {
    const source = document({ managementApi: { public_paths: ['/sessions', '/locks'] } })
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', '/sessions')).status).toBe(401)
    expect((await front.call('GET', '/locks')).status).toBe(401)
  })

  it.each(['/sessions', '/locks', '/reload'])('leave %s to the app where it says so', async (path) => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    expect((await front.call('GET', path, [bearer(await front.login())])).status).toBe(200)
    expect(front.handled).toEqual([`GET ${path}`])
  })

  it('leave them to the app where authentication is off', async () => {
    const source = document({ managementApi: { jwt_token_security_handler: { enable: false } } })
    const front = await startFront(oneSetUp, { source })
    await front.call('GET', '/sessions')
    expect(front.handled).toEqual(['GET /sessions'])
  })

  it('take no form, whatever it was sent by', async () => {
    const front = await startFront()
    const token = bearer(await front.login())
    for (const path of ['/reload', '/sessions?user=reader', '/locks?user=reader']) {
      const method = path === '/reload' ? 'POST' : 'DELETE'
      const answer = await front.call(method, path, [token, form, 'Origin: https://evil.example'], 'user=reader')
      expect(answer.status).toBe(415)
    }
  })

  it('refuse what the page of another site sends with remembered Basic credentials', async () => {
    const source = document({ managementApi: { basic_security_handler: { enable: true } } })
    const front = await startFront(oneSetUp, { source })
    const login = basic(users.admin.name, users.admin.password)
    expect((await front.call('GET', '/sessions', [login])).status).toBe(200)
    for (const origin of ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']) {
      for (const [method, path] of [
        ['POST', '/reload'],
        ['DELETE', '/sessions?user=reader'],
        ['GET', '/locks'],
      ] as const) {
        const answer = await front.call(method, path, [login, origin, 'Accept: application/json'])
        expect([answer.status, answer.json()['code']]).toEqual([403, 'ERR_CROSS_SITE'])
      }
    }
  })

  it('let no page of another origin read their answers', async () => {
    const source = document({ managementApi: { cors: { enabled: true, allowed_origins: 'https://ops.example' } } })
    const front = await startFront(oneSetUp, { source })
    const answer = await front.call('GET', '/sessions', [bearer(await front.login()), 'Origin: https://evil.example'])
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
  })

  it('are answered beside users in a store', async () => {
    const front = await startManagedFront()
    const token = await front.login({ name: 'root', password: 'Root-password-1' })
    expect((await front.call('GET', '/sessions', [bearer(token)])).json<SessionPage>().list[0]).toMatchObject({
      user: 'root',
    })
  })
})

const account = (subject: string): UserAccount => ({ subject, isAdmin: false, roles: [], version: '1' }) as UserAccount

async function list(front: Front, token: string, query = ''): Promise<SessionPage> {
  const answer = await front.call('GET', `/sessions${query}`, [bearer(token)])
  expect(answer.status, answer.body).toBe(200)
  return answer.json<SessionPage>()
}

const names = ({ list }: SessionPage): readonly string[] => list.map(({ user }) => user)

describe('the list of sessions', () => {
  async function start(): Promise<{ front: Front; token: string }> {
    const front = await startFront()
    for (const [index, name] of ['ann', 'Bob', 'bonny', '<b>\u001b[2J'].entries()) {
      await front.security.tokens.issue(account(name), { address: `192.0.2.${index}` })
    }
    return { front, token: await front.login() }
  }

  it('has what a session is, and nothing that opens it', async () => {
    const { front, token } = await start()
    const page = await list(front, token, '?user=admin')
    expect(page).toMatchObject({ count: 1, total: 1, isComplete: true })
    expect(page.list[0]).toEqual({
      id: expect.stringMatching(/^[\w-]{43}$/),
      user: 'admin',
      factors: ['password'],
      kind: 'management',
      client: null,
      address: '127.0.0.1',
      scope: 'admin',
      issuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastAccessAt: expect.stringMatching(/Z$/),
      expiresAt: expect.stringMatching(/Z$/),
    })
    expect(JSON.stringify(page)).not.toContain(token)
  })

  it.each([
    ['', ['admin', '<b>\u001b[2J', 'bonny', 'Bob', 'ann']],
    ['?user=ann', ['ann']],
    ['?user=Ann', []],
    ['?user=b*', ['bonny', 'Bob']],
    ['?user=*NN*', ['bonny', 'ann']],
    ['?user=*n', ['admin', 'ann']],
    ['?user=b*n*n*', ['bonny']],
    ['?user=a*n*n*n', []],
    ['?address=192.0.2.1', ['Bob']],
    ['?address=192.0.*&user=*y', ['bonny']],
    ['?kind=portal', []],
    ['?client=x', []],
    ['?kind=management&limit=2', ['admin', '<b>\u001b[2J']],
    ['?limit=2&offset=2', ['bonny', 'Bob']],
    ['?sort=address&limit=2', ['admin', 'ann']],
    ['?sort=-address&limit=2', ['<b>\u001b[2J', 'bonny']],
    ['?sort=user', ['<b>\u001b[2J', 'Bob', 'admin', 'ann', 'bonny']],
  ])('is searched, sorted and cut into pages by %s', async (query, expected) => {
    const { front, token } = await start()
    expect(names(await list(front, token, query))).toEqual(expected)
  })

  it('is of the very user whose name has a star, where that is asked for', async () => {
    const { front, token } = await start()
    for (const name of ['a*', 'anna']) await front.security.tokens.issue(account(name))
    expect(await list(front, token, '?exactUser=a*&limit=1')).toMatchObject({ total: 1, list: [{ user: 'a*' }] })
    expect(names(await list(front, token, '?exactUser=a*&user=b*'))).toEqual([])
    expect(names(await list(front, token, '?exactUser=A*'))).toEqual([])
  })

  it('takes no longer for many stars than for one', async () => {
    const times = { issuedAt: 0, lastAccessAt: 0, expiresAt: 1 }
    const info = {
      subject: 'ann',
      kind: 'portal',
      scope: '',
      audience: undefined,
      address: undefined,
      ...times,
    } as const
    const infos = Array.from({ length: 20_000 }, (_, index) => ({ ...info, id: String(index) }))
    // One by one, the test would not end in its time.
    const query = { user: `a${'*'.repeat(1_000_000)}n`, offset: 0, limit: 1 }
    expect((await findSessions({ list: async () => infos }, query)).total).toBe(20_000)
  })

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?offset=-1', '?sort=scope', '?kind=x', '?user=a&user=b'])(
    'refuses %s',
    async (query) => {
      const { front, token } = await start()
      const answer = await front.call('GET', `/sessions${query}`, [bearer(token)])
      expect([answer.status, answer.json()['code']]).toEqual([400, 'ERR_REQUEST_INVALID'])
    },
  )
})

describe('the end of a session', () => {
  it('refuses its token at the next request, and is in the audit trail', async () => {
    const front = await startFront()
    const [reader, token] = [await front.login(users.reader), await front.login()]
    const [session] = (await list(front, token, '?user=reader')).list
    const answer = await front.call('DELETE', `/sessions/${session!.id}`, [bearer(token)])
    expect(answer.json()).toEqual({ id: session!.id, status: 'Ended' })
    expect((await front.call('GET', '/apis', [bearer(reader)])).status).toBe(401)
    expect(front.events).toContainEqual(
      expect.objectContaining({ name: 'revocation', by: 'admin', address: '127.0.0.1', subject: 'reader', count: 1 }),
    )
  })

  it('is the end of all of a user', async () => {
    const front = await startFront()
    const [first, second, token] = [
      await front.login(users.reader),
      await front.login(users.reader),
      await front.login(),
    ]
    const answer = await front.call('DELETE', '/sessions?user=reader', [bearer(token)])
    expect(answer.json()).toEqual({ user: 'reader', count: 2, status: 'Ended' })
    for (const ended of [first, second]) expect((await front.call('GET', '/apis', [bearer(ended)])).status).toBe(401)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
  })
})

describe('the locks', () => {
  const guess = (front: Front, name = 'reader'): Promise<RawAnswer> =>
    front.call('GET', '/login', [basic(name, 'Wrong-password-1')])

  it('are listed with who is locked and from where, and lifted', async () => {
    const front = await startFront()
    const token = await front.login()
    const locks = async () => (await front.call('GET', '/locks', [bearer(token)])).json<{ list: object[] }>()
    expect(await locks()).toEqual({ count: 0, total: 0, list: [] })
    await Promise.all(Array.from({ length: 5 }, () => guess(front)))
    expect((await front.call('GET', '/login', [basic(users.reader.name, users.reader.password)])).status).toBe(429)
    expect(await locks()).toMatchObject({
      count: 1,
      total: 1,
      list: [
        { scope: 'pair', user: 'reader', address: '127.0.0.1', since: expect.any(String), until: expect.any(String) },
      ],
    })
    expect((await front.call('DELETE', '/locks?user=nobody-there', [bearer(token)])).json()).toEqual({
      user: 'nobody-there',
      status: 'NotLocked',
    })
    const lifted: unknown[] = []
    front.security.events.on('unlock', (event) => lifted.push(event))
    const answer = await front.call('DELETE', '/locks?user=reader', [bearer(token)])
    expect(answer.json()).toEqual({ user: 'reader', status: 'Lifted' })
    expect(lifted).toEqual([expect.objectContaining({ by: 'admin', address: '127.0.0.1', userName: 'reader' })])
    expect(await locks()).toMatchObject({ total: 0 })
    await front.login(users.reader)
    const again = await front.call('DELETE', '/locks?user=reader', [bearer(token)])
    expect(again.json()).toEqual({ user: 'reader', status: 'NotLocked' })
  })

  it('are an empty list where nothing is ever locked', async () => {
    const source = document({ managementApi: { login_throttle: { enable: false } } })
    const front = await startFront(oneSetUp, { source })
    const token = await front.login()
    expect((await front.call('GET', '/locks', [bearer(token)])).json()).toMatchObject({ total: 0 })
    expect((await front.call('DELETE', '/locks?user=reader', [bearer(token)])).status).toBe(200)
  })
})

describe('the reload', () => {
  const toml = (rules = '', password = users.reader.password): string => `
[management_api.jwt_token_security_handler]
token_config.algorithm = "ES256"
${rules}
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
[[internal_apis.users]]
user.name = "reader"
user.password = "${secret(password)}"
`

  it('takes over the changed file, and says what has changed', async () => {
    const folder = folderWith({ 'deployment.toml': toml() })
    const file = join(folder, 'deployment.toml')
    const front = await startFront(oneSetUp, { source: file })
    const token = bearer(await front.login())
    const rules = 'token_config.expiry = 60\n[[management_api.authorization_handler.resources]]\npath = "/apis"'
    writeFileSync(file, toml(rules))
    const reloads: unknown[] = []
    front.security.events.on('reload', (event) => reloads.push(event))
    expect((await front.call('POST', '/reload', [token])).json()).toEqual({
      status: 'Reloaded',
      changed: [
        'management_api.authorization_handler.resources',
        'management_api.jwt_token_security_handler.token_config',
      ],
      atNextStart: ['management_api.jwt_token_security_handler.token_config.expiry'],
    })
    expect(reloads).toEqual([expect.objectContaining({ by: 'admin', address: '127.0.0.1', file })])
  })

  it.each([
    ['a mistake', 'expry = 1\n[management_api.cors]\nallowed_origins = 7', 'deployment.toml:4:1'],
    ['broken TOML', '[broken', 'deployment.toml:'],
  ])('keeps all as it was on %s, and names it without a secret', async (_name, rules, where) => {
    const folder = folderWith({ 'deployment.toml': toml() })
    const file = join(folder, 'deployment.toml')
    const front = await startFront(oneSetUp, { source: file })
    const token = bearer(await front.login())
    writeFileSync(file, toml(rules, 'A-password-of-the-new-file'))
    const answer = await front.call('POST', '/reload', [token])
    const { Error: message, code } = answer.json<{ Error: string; code: string }>()
    expect([answer.status, code]).toEqual([400, 'ERR_CONFIG_INVALID'])
    expect(message).toContain(where)
    for (const password of [users.admin.password, users.reader.password, 'A-password-of-the-new-file']) {
      expect(answer.body).not.toContain(password)
    }
    await front.login(users.reader)
  })

  it('says where there is no file', async () => {
    const front = await startFront()
    const answer = await front.call('POST', '/reload', [bearer(await front.login())])
    expect(answer.json()['Error']).toContain('no file')
  })
})
