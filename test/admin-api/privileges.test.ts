import { describe, expect, it } from 'vitest'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { storeFailure } from '../helpers/memory-user-store.js'
import { type RawAnswer, requestBytes } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'

type Person = keyof typeof people

const fresh = 'A-new-password-9'

async function ask(
  front: ManagedFront,
  who: Person | string,
  method: string,
  path: string,
  body?: object,
): Promise<RawAnswer> {
  const token = who in people ? await front.login(people[who as Person]) : who
  const headers = [bearer(token), ...(body === undefined ? [] : ['Content-Type: application/json'])]
  return front.call(method, path, headers, body && JSON.stringify(body))
}

const password = (oldPassword?: string): object => ({ newPassword: fresh, confirmPassword: fresh, oldPassword })
const roles = (userId: string, addedRoles: string[], removedRoles: string[] = []): object => ({
  userId,
  addedRoles,
  removedRoles,
})
const added = (isAdmin: boolean): object => ({ userId: 'alice', password: fresh, isAdmin })

const isLive = async (front: ManagedFront, token: string): Promise<boolean> =>
  (await front.call('GET', '/apis', [bearer(token)])).status === 200

/** No rule protects anything: only what the resources themselves demand is left. */
const open = { document: { managementApi: { authorization_handler: { enable: false } } } }

/** Verb, path, body, and the status for a caller who is no administrator, where the rules let him pass and where not. */
const matrix: readonly (readonly [string, string, object | undefined, number, number])[] = [
  ['GET', '/users', undefined, 200, 403],
  ['GET', '/users/root', undefined, 200, 403],
  ['GET', '/roles', undefined, 200, 403],
  ['GET', '/users/nobody', undefined, 404, 403],
  ['POST', '/users', added(false), 200, 403],
  ['POST', '/users', added(true), 403, 403],
  ['DELETE', '/users/carol', undefined, 200, 403],
  ['DELETE', '/users/second', undefined, 403, 403],
  ['DELETE', '/users/nobody', undefined, 403, 403],
  ['DELETE', '/users/bob', undefined, 403, 403],
  ['PATCH', '/users/bob', password(people.bob.password), 200, 200],
  ['PATCH', '/users/BOB', password(people.bob.password), 200, 200],
  ['PATCH', '/users/bob', password('wrong-password'), 400, 400],
  ['PATCH', '/users/bob', password(), 400, 400],
  ['PATCH', '/users/carol', password(people.carol.password), 403, 403],
  ['PATCH', '/users/root', password(), 403, 403],
  ['PATCH', '/users/nobody', password(), 403, 403],
  ['PATCH', '/users/carol', { disabled: true }, 403, 403],
  ['PATCH', '/users/bob', { disabled: false }, 403, 403],
  ['PATCH', '/users', password(), 405, 403],
  ['PUT', '/roles', roles('carol', ['operators']), 200, 403],
  ['PUT', '/roles', roles('carol', ['viewers']), 403, 403],
  ['PUT', '/roles', roles('bob', ['viewers']), 403, 403],
  ['PUT', '/roles', roles('bob', ['admin']), 403, 403],
  ['PUT', '/roles', roles('bob', ['PRIMARY/Admin']), 403, 403],
  ['PUT', '/roles', roles('second', [], ['admin']), 403, 403],
  ['PUT', '/roles', roles('second', ['operators']), 403, 403],
  ['POST', '/roles', { role: 'testers' }, 200, 403],
  ['POST', '/roles', { role: 'admin', domain: 'Internal' }, 403, 403],
  ['DELETE', '/roles/admin', undefined, 403, 403],
]

// Covers: E07
describe('a caller who is no administrator', () => {
  // Covers: A08 E07
  it.each(matrix)(
    'is answered %s %s %j with %i where no rule holds, and %i by default',
    async (method, path, body, ...statuses) => {
      const answers = []
      for (const options of [open, {}])
        answers.push(await ask(await startManagedFront(oneSetUp, options), 'bob', method, path, body))
      expect(answers.map(({ status }) => status)).toEqual(statuses)
    },
  )

  it('gets 403 without a body', async () => {
    const answer = await ask(await startManagedFront(), 'bob', 'GET', '/users')
    expect([answer.statusLine, answer.body]).toEqual(['HTTP/1.1 403 Forbidden', ''])
  })

  it('may set the own password where users are read-only, and nothing else', async () => {
    const document = { root: { user_access: { make_non_admin_users_read_only: true } } }
    const front = await startManagedFront(oneSetUp, { document: { ...open.document, ...document } })
    expect((await ask(front, 'carol', 'POST', '/users', added(false))).status).toBe(403)
    expect((await ask(front, 'bob', 'PATCH', '/users/bob', password(people.bob.password))).status).toBe(200)
  })

  it.each([
    ['default_policy = deny', { default_policy: 'deny', resources: [{ path: '/apis' }] }],
    ['a rule that names a role', { resources: [{ path: '/users', roles: ['viewers'] }] }],
  ])('has the own password changed by the rules of %s only when they deny all', async (name, authorization_handler) => {
    const front = await startManagedFront(oneSetUp, { document: { managementApi: { authorization_handler } } })
    const { status } = await ask(front, 'bob', 'PATCH', '/users/bob', password(people.bob.password))
    expect(status).toBe(name.includes('deny') ? 403 : 200)
  })

  it('is not exempt from the rules where the app answers /users', async () => {
    const front = await startManagedFront(oneSetUp, { mount: { resources: false } })
    expect((await ask(front, 'bob', 'PATCH', '/users/bob', password(people.bob.password))).status).toBe(403)
    expect(front.handled).toEqual([])
  })

  it.each(['/configs', '/users/../configs', '/users%2Fbob', '//users/bob', '/users;x/bob'])(
    'does not get to the app by PATCH %s',
    async (path) => {
      const front = await startManagedFront()
      expect((await ask(front, 'bob', 'PATCH', path, password())).status).toBe(403)
      expect(front.handled).toEqual([])
    },
  )
})

describe('an administrator', () => {
  // Covers: A08
  it('sets the password of others without the old one, and the own one only with it', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.root)
    expect((await ask(front, token, 'PATCH', '/users/bob', password())).status).toBe(200)
    expect((await ask(front, token, 'PATCH', '/users/second', password())).status).toBe(200)
    expect((await ask(front, token, 'PATCH', '/users/Root', password('wrong-password'))).json()).toEqual({
      Error: 'The current password is wrong.',
      code: 'ERR_PASSWORD_WRONG',
    })
    expect((await ask(front, token, 'PATCH', '/users/root', password(people.root.password))).status).toBe(200)
    expect(await isLive(front, token)).toBe(false)
    expect((await front.store.authenticate('root', fresh)).account).toBeDefined()
  })

  it('who was demoted elsewhere a moment ago makes no administrator', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.second)
    await front.store.changeRoles('second', { added: [], removed: ['admin'] })
    expect((await ask(front, token, 'POST', '/users', added(true))).status).toBe(403)
    expect(await front.store.find('alice')).toBeUndefined()
  })

  it('who was removed elsewhere a moment ago is not known', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.second)
    await front.store.remove('second')
    expect((await ask(front, token, 'DELETE', '/users/nobody')).status).toBe(401)
  })

  it('removes a user who is disabled', async () => {
    const front = await startManagedFront()
    front.store.disable('bob')
    expect((await ask(front, 'root', 'DELETE', '/users/bob')).status).toBe(200)
    expect(await front.store.list({})).not.toContain('bob')
  })
})

// Covers: E07
describe('the last administrator', () => {
  it('stays one', async () => {
    const front = await startManagedFront(oneSetUp, { store: { superAdmin: 'nobody' } })
    front.store.disable('second')
    const token = await front.login(people.root)
    for (const role of ['admin', 'Admin', 'PRIMARY/admin']) {
      const { status, body } = await ask(front, token, 'PUT', '/roles', roles('root', [], [role]))
      expect([status, body]).toEqual([
        403,
        '{"Error":"The last administrator must stay one.","code":"ERR_USER_PROTECTED"}',
      ])
    }
    expect(await isLive(front, token)).toBe(true)
  })

  it('is left when two remove each other by two mounts', async () => {
    const front = await startManagedFront(oneSetUp, { store: { superAdmin: 'nobody' } })
    front.app.use('/other', front.security.managementApi())
    const [one, two] = [await front.login(people.root), await front.login(people.second)]
    const strip = (mount: string, token: string, name: string) => {
      const body = JSON.stringify(roles(name, [], ['admin']))
      return front.send(requestBytes('PUT', `${mount}/roles`, [bearer(token), 'Content-Type: application/json'], body))
    }
    const answers = await Promise.all([strip('/management', one, 'second'), strip('/other', two, 'root')])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await front.store.listMembers('admin')).toHaveLength(1)
  })

  it('is left when two remove each other at the same time', async () => {
    const front = await startManagedFront(oneSetUp, { store: { superAdmin: 'nobody' } })
    const [one, two] = [await front.login(people.root), await front.login(people.second)]
    const answers = await Promise.all([
      ask(front, one, 'PUT', '/roles', roles('second', [], ['admin'])),
      ask(front, two, 'PUT', '/roles', roles('root', [], ['admin'])),
    ])
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1)
    expect(await front.store.listMembers('admin')).toHaveLength(1)
  })

  it('and the configured super admin cannot be removed by another', async () => {
    const front = await startManagedFront()
    expect((await ask(front, 'second', 'DELETE', '/users/root')).json()).toMatchObject({ code: 'ERR_USER_PROTECTED' })
    expect((await ask(front, 'second', 'PUT', '/roles', roles('root', [], ['admin']))).status).toBe(403)
  })
})

describe('the tokens of a user', () => {
  /** What an administrator does to `second`. */
  const ends: readonly (readonly [string, string, object | undefined])[] = [
    ['PATCH', '/users/second', password()],
    ['DELETE', '/users/second', undefined],
    ['PUT', '/roles', roles('second', [], ['admin'])],
  ]

  // Covers: E06
  it.each(ends)('end at once with %s %s', async (...change) => {
    const front = await startManagedFront()
    const [root, ...tokens] = [
      await front.login(people.root),
      await front.login(people.second),
      await front.login(people.second),
    ]
    expect((await ask(front, root!, ...change)).status).toBe(200)
    for (const token of tokens) expect(await isLive(front, token)).toBe(false)
    expect(await isLive(front, root!)).toBe(true)
  })

  it.each(ends)('end when nobody knows what became of %s %s', async (...change) => {
    const front = await startManagedFront()
    const [root, token] = [await front.login(people.root), await front.login(people.second)]
    front.store.lostAnswer = storeFailure()
    expect((await ask(front, root, ...change)).status).toBe(503)
    expect(await isLive(front, token)).toBe(false)
  })

  it('stay when the change is refused', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.second)
    expect(
      (
        await ask(front, 'root', 'PATCH', '/users/second', {
          newPassword: 'has a blank',
          confirmPassword: 'has a blank',
        })
      ).status,
    ).toBe(400)
    expect(await isLive(front, token)).toBe(true)
  })

  it.each<readonly [string, string, object | undefined]>([
    ['PUT', '/roles', roles('bob', ['viewers'], ['operators'])],
    ['DELETE', '/roles/operators', undefined],
  ])('stay with %s %s, and lose the role with the next request', async (...change) => {
    const front = await startManagedFront()
    const token = await front.login(people.bob)
    const rolesNow = async (): Promise<unknown> =>
      (await front.call('GET', '/apis', [bearer(token)])).json<{ auth: { roles: string[] } }>().auth.roles
    expect(await rolesNow()).toContain('operators')
    expect((await ask(front, 'root', ...change)).status).toBe(200)
    expect(await rolesNow()).not.toContain('operators')
  })
})

describe('a password', () => {
  it.each([
    ['seven77', 400],
    ['eight888', 200],
    ['fourteen-signs', 200],
    ['all-lower-case-too', 200],
    ['\u{1f511}\u{1f511}\u{1f511}\u{1f511}\u{1f511}\u{1f511}\u{1f511}', 400],
  ])('%s is answered with %i', async (newPassword, status) => {
    const front = await startManagedFront()
    const body = { newPassword, confirmPassword: newPassword }
    expect((await ask(front, 'root', 'PATCH', '/users/bob', body)).status).toBe(status)
    expect((await ask(front, 'root', 'POST', '/users', { userId: 'alice', password: newPassword })).status).toBe(status)
  })

  it('of a list of common ones is refused, without a word of it', async () => {
    const acceptPassword = async (text: string): Promise<boolean> => text !== fresh
    const front = await startManagedFront(oneSetUp, { options: { acceptPassword } })
    const answer = await ask(front, 'root', 'POST', '/users', added(false))
    expect(answer.json()).toEqual({
      Error: 'The password is not allowed: it is too short or too common.',
      code: 'ERR_PASSWORD_INVALID',
    })
    expect((await ask(front, 'root', 'PATCH', '/users/bob', password())).status).toBe(400)
  })

  it.each([undefined, 'too common', 1, { score: 0 }])(
    'is refused where the rule of the app answers %j',
    async (verdict) => {
      const front = await startManagedFront(oneSetUp, {
        options: { acceptPassword: (async () => verdict) as never },
      })
      expect((await ask(front, 'root', 'PATCH', '/users/bob', password())).status).toBe(400)
    },
  )

  // Covers: A08 A12
  it("of one's own is guessed as slowly as at a login", async () => {
    const front = await startManagedFront()
    const token = await front.login(people.bob)
    const guess = () => ask(front, token, 'PATCH', '/users/bob', password('wrong-password'))
    const statuses = (await Promise.all(Array.from({ length: 7 }, guess))).map(({ status }) => status)
    expect(statuses.sort()).toEqual([400, 400, 400, 400, 400, 429, 429])
    expect((await ask(front, token, 'PATCH', '/users/bob', password(people.bob.password))).status).toBe(429)
  })
})

it('every change is an event that says who did it', async () => {
  const front = await startManagedFront()
  const seen: unknown[] = []
  const names = ['userAdded', 'userRemoved', 'passwordChanged', 'rolesChanged', 'roleAdded', 'roleRemoved'] as const
  for (const name of names)
    front.security.events.on(name, ({ at: _at, ...event }: { at: number }) => void seen.push([name, event]))
  const revoked: unknown[] = []
  front.security.events.on('revocation', ({ subject, by, reason }) => void revoked.push([subject, by, reason]))
  const token = await front.login(people.root)
  await ask(front, token, 'POST', '/users', added(true))
  await ask(front, token, 'PATCH', '/users/alice', password())
  await ask(front, token, 'PUT', '/roles', roles('alice', ['viewers'], ['admin']))
  await ask(front, token, 'DELETE', '/users/alice')
  await ask(front, token, 'POST', '/roles', { role: 'testers' })
  await ask(front, token, 'DELETE', '/roles/testers')
  const by = { by: 'root', address: '127.0.0.1' }
  expect(seen).toEqual([
    ['userAdded', { ...by, subject: 'alice', isAdmin: true }],
    ['passwordChanged', { ...by, subject: 'alice' }],
    ['rolesChanged', { ...by, subject: 'alice', added: ['viewers'], removed: ['admin'] }],
    ['userRemoved', { ...by, subject: 'alice' }],
    ['roleAdded', { ...by, role: 'testers' }],
    ['roleRemoved', { ...by, role: 'testers' }],
  ])
  const reasons = ['user added', 'password changed', 'roles changed', 'user removed']
  expect(revoked).toEqual(reasons.map((reason) => ['alice', 'root', reason]))
})
