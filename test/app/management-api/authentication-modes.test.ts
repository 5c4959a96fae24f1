import { describe, expect, it } from 'vitest'
import { basic, bearer, document, fileUser, fileUsers, startFront, users } from '../../helpers/front.js'
import { pairSetUps, twoSetUps } from '../../helpers/set-ups.js'

const off = document({ jwt: { enable: false } })
const basicOn = document({ managementApi: { basic_security_handler: { enable: true } }, jwt: { enable: false } })
const asAdmin = basic(users.admin.name, users.admin.password)
const asReader = basic(users.reader.name, users.reader.password)

describe.each(pairSetUps)('with authentication off, on $name', (setUp) => {
  it('the start logs a line that cannot be missed', async () => {
    const front = await startFront(setUp, { source: off })
    const lines = front.entries.filter(({ message }) => message.includes('AUTHENTICATION IS OFF'))
    expect(lines.map(({ level }) => level)).toContain('error')
  })

  it('routes of the app pass without a caller', async () => {
    const front = await startFront(setUp, { source: off })
    const answer = await front.call('GET', '/apis', [asAdmin])
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ auth: null })
  })

  it.each(['/users', '/roles', '/configs', '/USERS/bob', '/users%2fbob'])(
    'the protected path %s is refused',
    async (path) => {
      const front = await startFront(setUp, { source: off })
      expect((await front.call('GET', path, [asAdmin])).status).toBe(403)
      expect(front.handled).toEqual([])
    },
  )

  it.each(['/login', '/logout', '/jwks'])('%s is not ours: the app gets it', async (path) => {
    const front = await startFront(setUp, { source: off })
    const answer = await front.call('GET', path, [asAdmin])
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ auth: null })
    expect(front.handled).toEqual([`GET ${path}`])
  })

  it('no answer has Access-Control-Allow-Origin: *', async () => {
    const front = await startFront(setUp, { source: off })
    const origin = 'Origin: https://any.example'
    const answers = [
      await front.call('GET', '/apis', [origin]),
      await front.call('GET', '/users', [origin]),
      await front.call('OPTIONS', '/apis', [origin, 'Access-Control-Request-Method: GET']),
    ]
    for (const answer of answers) expect(answer.header('access-control-allow-origin')).toBeUndefined()
  })

  it('origins that are listed by name keep their headers', async () => {
    const source = document({
      jwt: { enable: false },
      managementApi: { cors: { allowed_origins: 'https://one.example' } },
    })
    const front = await startFront(setUp, { source })
    const answer = await front.call('GET', '/apis', ['Origin: https://one.example'])
    expect(answer.header('access-control-allow-origin')).toBe('https://one.example')
  })

  it('a path that needs no more than a caller passes under default_policy = authenticated, and no other policy', async () => {
    for (const [policy, status] of [
      ['authenticated', 200],
      ['admin', 403],
      ['deny', 403],
    ] as const) {
      const source = document({
        jwt: { enable: false },
        managementApi: { authorization_handler: { default_policy: policy } },
      })
      const front = await startFront(setUp, { source })
      expect((await front.call('GET', '/apis')).status).toBe(status)
    }
  })

  it('make_non_admin_users_read_only refuses every write', async () => {
    const root = { user_access: { make_non_admin_users_read_only: true } }
    const front = await startFront(setUp, { source: document({ jwt: { enable: false }, root }) })
    expect((await front.call('POST', '/apis')).status).toBe(403)
    expect((await front.call('GET', '/apis')).status).toBe(200)
  })
})

describe.each(pairSetUps)('with Basic on every resource, on $name', (setUp) => {
  it.each(['/login', '/logout', '/jwks', '/LOGIN/'])('%s is 404', async (path) => {
    const front = await startFront(setUp, { source: basicOn })
    for (const lines of [[], [asAdmin]]) expect((await front.call('GET', path, lines)).status).toBe(404)
    expect(front.handled).toEqual([])
  })

  it('a name and a password are asked of every request', async () => {
    const front = await startFront(setUp, { source: basicOn })
    const answer = await front.call('GET', '/apis', [asReader])
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({
      auth: {
        subject: 'reader',
        roles: ['viewer'],
        isAdmin: false,
        scope: 'default',
        kind: 'basic',
        issuedAt: expect.any(Number),
      },
    })
    expect((await front.call('GET', '/apis')).status).toBe(401)
    expect((await front.call('GET', '/apis', [basic('reader', 'a-wrong-password')])).status).toBe(401)
    expect((await front.call('GET', '/users', [asReader])).status).toBe(403)
    expect((await front.call('GET', '/users', [asAdmin])).body).toContain('User management is not supported')
    expect(front.handled).toEqual(['GET /apis'])
  })

  it('a token is no credential', async () => {
    const front = await startFront(setUp, { source: basicOn })
    const account = await front.security.users.find('admin')
    const { token } = await front.security.tokens.issue(account!)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })

  it('two Authorization lines are 400', async () => {
    const front = await startFront(setUp, { source: basicOn })
    expect((await front.call('GET', '/apis', [asAdmin, asReader])).status).toBe(400)
  })

  it.each([
    [['Sec-Fetch-Site: cross-site'], 403],
    [['Sec-Fetch-Site: same-site'], 403],
    [['Origin: https://evil.example'], 403],
    [['Origin: null'], 403],
    [['Sec-Fetch-Site: same-origin', 'Origin: https://front.test'], 200],
    [['Sec-Fetch-Site: none'], 200],
    [['Origin: http://front.test'], 200],
  ])('a request with %j is answered with %i', async (lines, status) => {
    const front = await startFront(setUp, { source: basicOn })
    expect((await front.call('POST', '/apis', [...lines, asAdmin])).status).toBe(status)
    expect(front.handled).toHaveLength(status === 200 ? 1 : 0)
  })
})

// Covers: A17
describe.each(twoSetUps)('a remembered Basic caller on $name', (setUp) => {
  it('ends with a changed password, a changed right and a removed user, at the next request', async () => {
    const front = await startFront(setUp, { source: basicOn })
    const withUsers = (list: readonly object[]): object =>
      document({
        managementApi: { basic_security_handler: { enable: true } },
        jwt: { enable: false },
        internalApis: { users: list },
      })
    const [admin] = fileUsers
    expect((await front.call('GET', '/apis', [asReader])).status).toBe(200)

    await front.security.reload(withUsers([admin!, fileUser('reader', users.reader.password, { is_admin: true })]))
    expect((await front.call('GET', '/apis', [asReader])).json()).toMatchObject({ auth: { isAdmin: true } })

    await front.security.reload(withUsers([admin!, fileUser('reader', 'another-password-3')]))
    expect((await front.call('GET', '/apis', [asReader])).status).toBe(401)
    expect((await front.call('GET', '/apis', [basic('reader', 'another-password-3')])).status).toBe(200)

    await front.security.reload(withUsers([admin!]))
    expect((await front.call('GET', '/apis', [basic('reader', 'another-password-3')])).status).toBe(401)
  })

  it('is told once as a login, not at every request', async () => {
    const front = await startFront(setUp, { source: basicOn })
    for (let count = 0; count < 5; count++) await front.call('GET', '/apis', [asAdmin])
    expect(front.events.filter(({ name }) => name === 'login')).toMatchObject([{ subject: 'admin', kind: 'basic' }])
  })

  it('is asked for the password again after a minute', async () => {
    let now = Date.parse('2026-03-01T12:00:00Z')
    const front = await startFront(setUp, { source: basicOn, options: { clock: () => now } })
    await front.call('GET', '/apis', [asAdmin])
    now += 59_999
    await front.call('GET', '/apis', [asAdmin])
    expect(front.events).toHaveLength(1)
    now += 1
    await front.call('GET', '/apis', [asAdmin])
    expect(front.events).toHaveLength(2)
  })

  it('ends with revokeUser', async () => {
    const front = await startFront(setUp, { source: basicOn })
    await front.call('GET', '/apis', [asAdmin])
    await front.security.tokens.revokeUser('admin')
    await front.call('GET', '/apis', [asAdmin])
    expect(front.events.filter(({ name }) => name === 'login')).toHaveLength(2)
  })
})
