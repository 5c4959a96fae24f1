import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { basic, bearer, document, fileUser, fileUsers, startFront, users } from '../../helpers/front.js'
import { people, startManagedFront } from '../../helpers/managed-front.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const start = Date.parse('2026-03-01T12:00:00Z')
const asAdmin = basic(users.admin.name, users.admin.password)

function smallStore(store: Record<string, unknown>): object {
  return document({ jwt: { token_store_config: store, token_config: { algorithm: 'ES256' } } })
}

/** The weaknesses of WSO2's own management API, by number; each test shows that it is not ours. */
describe('a weakness of the management API of WSO2 that is not ours', () => {
  it('C1: an expired token is refused at once, before any sweep', async () => {
    let now = start
    const front = await startFront(oneSetUp, { options: { clock: () => now } })
    const token = await front.login()
    now += 3_600_000
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })

  it('C2: an expired token is refused even when no sweep ever runs, and a store of such tokens takes new ones', async () => {
    let now = start
    const source = smallStore({ max_size: 2, clean_up_interval: 86_400, remove_oldest_token_on_overflow: false })
    const front = await startFront(oneSetUp, { source, options: { clock: () => now } })
    const tokens = [await front.login(), await front.login()]
    now += 3_600_000
    await front.login()
    for (const token of tokens) expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })

  it('C3: a token with its claims and another signature is refused', async () => {
    const front = await startFront()
    const [header, payload] = (await front.login()).split('.')
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signature = sign('sha256', Buffer.from(`${header}.${payload}`), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    const forged = `${header}.${payload}.${signature.toString('base64url')}`
    expect((await front.call('GET', '/apis', [bearer(forged)])).status).toBe(401)
  })

  it('C4: logins share one key, whose public half is published under the kid of the tokens', async () => {
    const front = await startFront()
    const kids = await Promise.all(
      [1, 2, 3].map(async () => {
        const [header] = (await front.login()).split('.')
        return (JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string }).kid
      }),
    )
    const { keys } = (await front.call('GET', '/jwks')).json<{ keys: { kid: string }[] }>()
    expect(new Set([...kids, ...keys.map(({ kid }) => kid)]).size).toBe(1)
  })

  it('C5: who loops logins puts out own tokens, not those of others', async () => {
    let now = start
    const front = await startFront(oneSetUp, { source: smallStore({ max_size: 4 }), options: { clock: () => now } })
    const ofAdmin = await front.login()
    for (let count = 0; count < 12; count++) {
      now += 1000
      await front.login(users.reader)
    }
    expect((await front.call('GET', '/apis', [bearer(ofAdmin)])).status).toBe(200)
  })

  it('C5: a full store in which every token was used at this very moment takes a login all the same', async () => {
    const front = await startFront(oneSetUp, { source: smallStore({ max_size: 1 }), options: { clock: () => start } })
    const [first, second] = [await front.login(), await front.login(users.reader)]
    expect((await front.call('GET', '/apis', [bearer(first)])).status).toBe(401)
    expect((await front.call('GET', '/apis', [bearer(second)])).status).toBe(200)
  })

  it('C5: max_size = 0 is a mistake of the configuration, not a crash at the first login', () => {
    expect(() => parseConfig(smallStore({ max_size: 0 }))).toThrow(ConfigError)
  })

  it('C6: max_size holds although a request with a token came before the first login', async () => {
    const front = await startFront(oneSetUp, {
      source: smallStore({ max_size: 1, remove_oldest_token_on_overflow: false }),
    })
    await front.call('GET', '/apis', [bearer('some.bad.token')])
    await front.login()
    expect((await front.call('GET', '/login', [asAdmin])).status).toBe(503)
  })

  it('C7: logins at the same time do not pass max_size together', async () => {
    const front = await startFront(oneSetUp, {
      source: smallStore({ max_size: 3, remove_oldest_token_on_overflow: false }),
    })
    const answers = await Promise.all(Array.from({ length: 12 }, () => front.call('GET', '/login', [asAdmin])))
    const tokens = answers.filter(({ status }) => status === 200)
    for (const answer of tokens) bearer(answer.json<{ AccessToken: string }>().AccessToken)
    expect(tokens).toHaveLength(3)
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(9)
  })

  it('C8: a changed password, a removed user and a lost right reach the tokens that are out, at the next request', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    const [ofAdmin, ofReader] = [await front.login(), await front.login(users.reader)]
    const [, reader] = fileUsers
    const reload = (...list: object[]) => front.security.reload(document({ internalApis: { users: list } }))

    await reload(fileUser('admin', users.admin.password), reader!)
    expect((await front.call('GET', '/users', [bearer(ofAdmin)])).status).toBe(403)
    await reload(fileUser('admin', 'a-changed-password'), reader!)
    expect((await front.call('GET', '/apis', [bearer(ofAdmin)])).status).toBe(401)
    expect((await front.call('GET', '/apis', [bearer(ofReader)])).status).toBe(200)
    await reload(fileUser('admin', 'a-changed-password'))
    expect((await front.call('GET', '/apis', [bearer(ofReader)])).status).toBe(401)
  })

  it('C8: all tokens of a user can be ended at once', async () => {
    const front = await startFront()
    const tokens = [await front.login(), await front.login()]
    expect(await front.security.tokens.revokeUser('admin')).toBe(2)
    for (const token of tokens) expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })

  it('C9: a rule covers whole segments only: /users is not /users-x', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    const token = bearer(await front.login(users.reader))
    for (const path of ['/users-x', '/usersx', '/users.json', '/x/users']) {
      expect((await front.call('GET', path, [token])).status, path).toBe(200)
    }
  })

  it.each([
    '/Users',
    '/USERS/bob',
    '//users',
    '/./users',
    '/x/../users',
    '/%75sers',
    '/users%2fbob',
    '/users;a=1',
    '/users/',
    '/users?x=/apis',
    '/%2e/users',
    '/x/%2e%2e/users',
    '/\\users',
    '/%5cusers',
    '/apis/..;/users',
  ])('C9: the spelling %s is still the protected path', async (path) => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    const token = bearer(await front.login(users.reader))
    expect([400, 403]).toContain((await front.call('GET', path, [token])).status)
    expect(front.handled).toEqual([])
  })

  it('C9: PATCH below /users needs an administrator like every other verb', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    const token = bearer(await front.login(users.reader))
    for (const path of ['/users', '/users/bob', '/users-and-more/../users']) {
      expect((await front.call('PATCH', path, [token])).status, path).toBe(403)
    }
  })

  it('C10: a request without a caller at a protected path is 401, and a fault of ours is answered', async () => {
    const broken = {
      authenticate: () => Promise.reject(new TypeError('a bug')),
      find: () => undefined,
      close() {},
    }
    const front = await startFront(oneSetUp, { options: { userStore: broken } })
    expect((await front.call('GET', '/users')).status).toBe(401)
    const answer = await front.call('GET', '/login', [asAdmin])
    expect(answer.status).toBe(500)
    expect(answer.json()).toMatchObject({ code: 'ERR_INTERNAL' })
    expect(answer.body).not.toContain('a bug')
  })

  it('C11: the challenge is spelled WWW-Authenticate, comes with every 401, and names the scheme that is taken', async () => {
    const front = await startFront()
    for (const lines of [[], ['Authorization: Negotiate abcdef'], [bearer('some.bad.token')]]) {
      expect((await front.call('GET', '/apis', lines)).header('www-authenticate')).toMatch(/^Bearer /)
      expect((await front.call('GET', '/login', lines)).header('www-authenticate')).toMatch(/^Basic /)
    }
  })

  it('C12: Basic and Bearer are never taken for each other, and the scheme is case-insensitive', async () => {
    const front = await startFront()
    const token = await front.login()
    const credentials = asAdmin.slice('Authorization: Basic '.length)
    expect((await front.call('GET', '/login', [`Authorization: Bearer ${credentials}`])).status).toBe(401)
    expect((await front.call('GET', '/apis', [`Authorization: Basic ${token}`])).status).toBe(401)
    expect((await front.call('GET', '/apis', [`Authorization: Bearer${token}`])).status).toBe(401)
    expect((await front.call('GET', '/apis', [`Authorization: BearerX${token}`])).status).toBe(401)
    expect((await front.call('GET', '/apis', [`Authorization: bEARER ${token}`])).status).toBe(200)
    const login = await front.call('GET', '/login', [`Authorization: bASIC ${credentials}`])
    expect(login.status).toBe(200)
    bearer(login.json<{ AccessToken: string }>().AccessToken)
  })

  it('C12: a password may have colons', async () => {
    const source = document({ internalApis: { users: [fileUser('admin', 'with:many:colons', { is_admin: true })] } })
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', '/login', [basic('admin', 'with:many:colons')])).status).toBe(200)
    expect((await front.call('GET', '/login', [basic('admin', 'with')])).status).toBe(401)
  })

  it('C13: a plain password is warned about, is nowhere in the log, and a hash works in its place', async () => {
    const { hashPassword } = await import('../../../lib/users/passwords/password-hash.js')
    const hashed = await hashPassword(secret('a-hashed-password'))
    const source = document({ internalApis: { users: [...fileUsers, fileUser('hashed', hashed)] } })
    const front = await startFront(oneSetUp, { source })
    expect(front.entries.some(({ message }) => /admin, reader are in plain text/.test(message))).toBe(true)
    await front.login({ name: 'hashed', password: 'a-hashed-password' })
    expect((await front.call('GET', '/login', [basic('hashed', hashed)])).status, 'the hash is no password').toBe(401)
  })

  it('C13: an unknown user and a wrong password get the same answer', async () => {
    const front = await startFront()
    const lines = ['Accept: application/json']
    const [unknown, wrong] = await Promise.all([
      front.call('GET', '/login', [...lines, basic('nobody', 'a-wrong-password')]),
      front.call('GET', '/login', [...lines, basic('admin', 'a-wrong-password')]),
    ])
    expect(unknown.body).toBe(wrong.body)
    expect(unknown.status).toBe(401)
    expect(unknown.headerLines.filter((line) => !line.startsWith('Date'))).toEqual(
      wrong.headerLines.filter((line) => !line.startsWith('Date')),
    )
  })

  it('C14: guessing is throttled after five failures, told in the log, and a good login is not written raw', async () => {
    let now = start
    const front = await startFront(oneSetUp, { options: { clock: () => now } })
    const wrong = basic('admin', 'a-wrong-password')
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await front.call('GET', '/login', [wrong])).status),
    )
    expect(statuses).toEqual([401, 401, 401, 401, 401])
    const locked = await front.call('GET', '/login', [asAdmin])
    expect(locked.status).toBe(429)
    expect(locked.header('retry-after')).toBe('60')
    expect(front.events.filter(({ name }) => name === 'loginRefused')).toHaveLength(6)
    now += 60_000
    await front.login()
  })

  it('C15: there are no default credentials and no shipped key', async () => {
    const { mkdtemp, rm } = await import('node:fs/promises')
    const { tmpdir } = await import('node:os')
    const home = await mkdtemp(`${tmpdir()}/sallyport-test-`)
    try {
      const front = await startFront(oneSetUp, { source: { management_api: {} }, options: { home } })
      const answer = await front.call('GET', '/login', [
        `Authorization: Basic ${Buffer.from('admin:admin').toString('base64')}`,
      ])
      expect(answer.status).toBe(401)
    } finally {
      await rm(home, { recursive: true })
    }
  })

  it('C16: a password over plain HTTP from elsewhere is refused unless the file has http', async () => {
    const front = await startFront()
    const answer = await front.call('GET', '/login', [asAdmin, 'X-Forwarded-For: 192.0.2.1'])
    expect(answer.status).toBe(403)
    expect(answer.json()).toMatchObject({ code: 'ERR_HTTPS_REQUIRED' })
  })

  it('C17: the root tells nothing without authentication', async () => {
    const front = await startFront()
    for (const path of ['', '/', '?x', '/?x']) {
      const answer = await front.call('GET', path)
      expect(answer.status, path).toBe(401)
      expect(answer.body).toBe('')
    }
  })

  it('C18: no cache may keep an answer that has a token, or a refusal', async () => {
    const front = await startFront()
    const login = await front.call('POST', '/login', [asAdmin])
    const token = bearer(login.json<{ AccessToken: string }>().AccessToken)
    const answers = [
      login,
      await front.call('GET', '/apis'),
      await front.call('GET', '/apis', [token]),
      await front.call('POST', '/logout', [token]),
    ]
    for (const answer of answers) expect(answer.header('cache-control')).toBe('no-store')
    expect(login.header('x-content-type-options')).toBe('nosniff')
  })

  it('C19: no header of the request comes back in the answer', async () => {
    const front = await startFront()
    const lines = [bearer(await front.login()), 'User-Agent: my-own-agent', 'Cookie: a=1', 'X-Mine: yes']
    const { headerLines } = await front.call('GET', '/apis', lines)
    expect(headerLines.filter((line) => /^(?:authorization|host|user-agent|cookie|x-mine):/i.test(line))).toEqual([])
  })

  it('C20: cors.enabled is read, a list is trimmed, Vary is sent, and OPTIONS is no way around authentication', async () => {
    const off = await startFront(oneSetUp, { source: document({ managementApi: { cors: { enabled: 'false' } } }) })
    expect((await off.call('GET', '/apis')).header('access-control-allow-methods')).toBeUndefined()
    const cors = { allowed_origins: ' https://one.example , https://two.example ' }
    const front = await startFront(oneSetUp, { source: document({ managementApi: { cors } }) })
    const answer = await front.call('GET', '/apis', ['Origin: https://two.example'])
    expect(answer.header('access-control-allow-origin')).toBe('https://two.example')
    expect(answer.header('vary')).toContain('Origin')
    expect((await front.call('OPTIONS', '/apis')).status).toBe(401)
    expect(front.handled).toEqual([])
  })

  it('C22: a mistake of the client is never 200 or 500, and no message tells what went wrong inside', async () => {
    const front = await startManagedFront()
    const lines = [bearer(await front.login(people.root)), 'Content-Type: application/json']
    const answers = [
      await front.call('POST', '/users', lines),
      await front.call('POST', '/users', lines, 'not json'),
      await front.call('PUT', '/roles', lines, '[]'),
      await front.call('DELETE', '/users', lines),
      await front.call('DELETE', '/users/no-such-user', lines),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 405, 404])
    for (const { body } of answers) expect(body).not.toMatch(/not json|Unexpected|\bat |Error:|undefined|null/)
    expect(front.entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('C23: a secret that cannot be resolved is a mistake of the configuration, not the password', () => {
    const source = document({
      internalApis: { users: [{ user: { name: 'admin', password: '$secret{no_such_alias}' } }] },
    })
    expect(() => parseConfig(source)).toThrow(ConfigError)
  })

  it('C24: two users of one name are a mistake of the configuration', () => {
    const twins = [fileUser('admin', 'a-first-password'), fileUser('admin', 'a-second-password')]
    expect(() => parseConfig(document({ internalApis: { users: twins } }))).toThrow(/must not be the name of two users/)
  })

  it('C25: a name with markup is a name like any other', async () => {
    const name = '<admin>&"\''
    const source = document({ internalApis: { users: [fileUser(name, 'a-quiet-password')] } })
    const front = await startFront(oneSetUp, { source })
    const token = await front.login({ name, password: 'a-quiet-password' })
    expect((await front.call('GET', '/whoami', [bearer(token)])).json()).toMatchObject({ auth: { subject: name } })
  })

  it('C30: a control that is switched on and that nothing enforces stops createServer', async () => {
    const root = { web_app: { control_access: { enable: true, allow: ['127.0.0.1'] } } }
    await expect(startFront(oneSetUp, { source: document({ root }) })).rejects.toMatchObject({
      problems: [{ key: 'web_app.control_access.enable' }],
    })
  })

  it('C31: addresses are addresses, not expressions, and a quoted "true" switches the list on', async () => {
    const source = document({ managementApi: { control_access: { enable: 'true', allow: ['10.1.2.3'] } } })
    const front = await startFront(oneSetUp, { source, prepare: (app) => void app.set('trust proxy', 'loopback') })
    const statusOf = async (address: string) =>
      (await front.call('GET', '/apis', [`X-Forwarded-For: ${address}`])).status
    expect(await statusOf('10.1.2.3')).toBe(401)
    for (const other of ['10.1.2.30', '110.1.2.3', '10.112.3', '10a1b2c3']) expect(await statusOf(other)).toBe(403)
  })

  it('C33: refusals are told as well, with who and from where', async () => {
    const front = await startFront()
    await front.call('DELETE', '/users/bob', [bearer(await front.login(users.reader))])
    expect(front.events.at(-1)).toMatchObject({
      name: 'refusal',
      subject: 'reader',
      address: '127.0.0.1',
      method: 'DELETE',
      path: '/management/users/bob',
    })
  })

  it('C34: rights that cannot be read are 503, neither 403 nor a pass', async () => {
    const { StoreError } = await import('../../../lib/core/errors.js')
    let now = start
    const account = { subject: 'admin', roles: [], isAdmin: true, version: '1' }
    const userStore = {
      authenticate: async () => ({ account }),
      find: () => Promise.reject(new StoreError('the directory is gone')),
      close() {},
    }
    const front = await startFront(oneSetUp, { options: { userStore, clock: () => now } })
    const token = await front.login()
    now += 3_000_000
    expect((await front.call('GET', '/users', [bearer(token)])).status).toBe(503)
  })
})
