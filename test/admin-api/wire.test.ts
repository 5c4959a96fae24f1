import { describe, expect, it } from 'vitest'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { storeFailure } from '../helpers/memory-user-store.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp, twoSetUps } from '../helpers/set-ups.js'

const json = ['Content-Type: application/json', 'Accept: application/json']

/** Sends a request as an administrator, with a JSON body for a write. */
async function ask(front: ManagedFront, method: string, path: string, body?: object): Promise<RawAnswer> {
  const token = await front.login(people.root)
  const headers = body === undefined ? [bearer(token)] : [bearer(token), ...json]
  return front.call(method, path, headers, body === undefined ? undefined : JSON.stringify(body))
}

const rob = { userId: 'robert', password: 'Robert-pass-5', isAdmin: 'false', domain: '' }

/** Verb, path, body, and the whole body of the answer, which has status 200. */
const answers: readonly (readonly [string, string, object | undefined, object])[] = [
  ['GET', '/users', undefined, listOf('userId', 'bob', 'carol', 'root', 'second')],
  ['GET', '/users/', undefined, listOf('userId', 'bob', 'carol', 'root', 'second')],
  ['GET', '/Users?pattern=', undefined, listOf('userId', 'bob', 'carol', 'root', 'second')],
  ['GET', '/users?pattern=%2Ao%2A', undefined, listOf('userId', 'bob', 'carol', 'root', 'second')],
  ['GET', '/users?pattern=b*', undefined, listOf('userId', 'bob')],
  ['GET', '/users?pattern=*&role=admin', undefined, listOf('userId', 'root', 'second')],
  ['GET', '/users?role=nothing', undefined, listOf('userId')],
  ['GET', '/users?role=Internal/everyone&searchKey=OO', undefined, listOf('userId', 'root')],
  ['GET', '/users?searchKey=%20', undefined, listOf('userId', 'bob', 'carol', 'root', 'second')],
  ['GET', '/users/bob', undefined, { userId: 'bob', isAdmin: false, roles: ['Internal/everyone', 'operators'] }],
  ['GET', '/users/BOB/', undefined, { userId: 'bob', isAdmin: false, roles: ['Internal/everyone', 'operators'] }],
  ['GET', '/users/root?domain=', undefined, { userId: 'root', isAdmin: true, roles: ['Internal/everyone', 'admin'] }],
  [
    'GET',
    '/users/root?domain=PRIMARY',
    undefined,
    { userId: 'root', isAdmin: true, roles: ['Internal/everyone', 'admin'] },
  ],
  ['GET', '/users/PRIMARY/carol', undefined, { userId: 'carol', isAdmin: false, roles: ['Internal/everyone'] }],
  ['GET', '/users/primary%2Fcarol', undefined, { userId: 'carol', isAdmin: false, roles: ['Internal/everyone'] }],
  ['POST', '/users', rob, { userId: 'robert', status: 'Added' }],
  ['POST', '/users/', { userId: 'robert', password: rob.password }, { userId: 'robert', status: 'Added' }],
  ['POST', '/users', { ...rob, isAdmin: true, domain: 'primary' }, { userId: 'robert', status: 'Added' }],
  ['PATCH', '/users/bob', changeOf('New-password-6'), { userId: 'bob', status: 'User password updated successfully.' }],
  ['PATCH', '/users/bob', { disabled: true }, { userId: 'bob', status: 'Disabled' }],
  ['PATCH', '/users/bob', { disabled: 'false' }, { userId: 'bob', status: 'Enabled' }],
  ['DELETE', '/users/bob', undefined, { userId: 'bob', status: 'Deleted' }],
  ['DELETE', '/users/second', undefined, { userId: 'second', status: 'Deleted' }],
  ['DELETE', '/users/bob?domain=PRIMARY', undefined, { userId: 'bob', status: 'Deleted' }],
  ['DELETE', '/users/primary/bob', undefined, { userId: 'bob', status: 'Deleted' }],
  [
    'PATCH',
    '/users/bob?domain=primary',
    changeOf('New-password-6'),
    { userId: 'bob', status: 'User password updated successfully.' },
  ],
  ['GET', '/roles', undefined, listOf('role', 'Internal/everyone', 'admin', 'operators', 'viewers')],
  ['GET', '/roles/?searchKey=ER', undefined, listOf('role', 'Internal/everyone', 'operators', 'viewers')],
  ['GET', '/roles/admin', undefined, { role: 'admin', users: ['root', 'second'] }],
  ['GET', '/roles/viewers', undefined, { role: 'viewers', users: [] }],
  [
    'GET',
    '/roles/Internal/everyone',
    undefined,
    { role: 'Internal/everyone', users: ['bob', 'carol', 'root', 'second'] },
  ],
  [
    'GET',
    '/roles/Internal%2feveryone',
    undefined,
    { role: 'Internal/everyone', users: ['bob', 'carol', 'root', 'second'] },
  ],
  [
    'GET',
    '/roles/everyone?domain=Internal',
    undefined,
    { role: 'Internal/everyone', users: ['bob', 'carol', 'root', 'second'] },
  ],
  ['POST', '/roles', { role: 'testers', domain: '' }, { role: 'testers', status: 'Added' }],
  ['POST', '/roles', { role: 'testers', domain: 'internal' }, { role: 'Internal/testers', status: 'Added' }],
  ['POST', '/roles', { role: 'Internal/x' }, { role: 'Internal/x', status: 'Added' }],
  ['POST', '/roles', { role: 'x', domain: 'Internal' }, { role: 'Internal/x', status: 'Added' }],
  ['POST', '/roles', { role: 'internal/x', domain: 'internal' }, { role: 'Internal/x', status: 'Added' }],
  ['GET', '/roles/viewers?domain=PRIMARY', undefined, { role: 'viewers', users: [] }],
  ['DELETE', '/roles/viewers?domain=PRIMARY', undefined, { role: 'viewers', status: 'Deleted' }],
  [
    'PUT',
    '/roles',
    { ...rolesOf(['PRIMARY/viewers'], []), domain: 'PRIMARY' },
    { userId: 'bob', status: 'Added/removed the roles' },
  ],
  ['PUT', '/roles', rolesOf(['viewers'], ['operators']), { userId: 'bob', status: 'Added/removed the roles' }],
  ['PUT', '/roles/', rolesOf([], []), { userId: 'bob', status: 'Added/removed the roles' }],
  ['DELETE', '/roles/viewers', undefined, { role: 'viewers', status: 'Deleted' }],
]

function listOf(member: string, ...names: string[]): object {
  return { count: names.length, list: names.map((name) => ({ [member]: name })) }
}

function changeOf(newPassword: string): object {
  return { newPassword, confirmPassword: newPassword, oldPassword: '' }
}

function rolesOf(addedRoles: readonly string[], removedRoles: readonly string[]): object {
  return { userId: 'bob', domain: '', addedRoles, removedRoles }
}

describe.each(twoSetUps)('on $name', (setUp) => {
  it.each(answers)('%s %s is answered to the byte', async (method, path, body, expected) => {
    const front = await startManagedFront(setUp)
    const answer = await ask(front, method, path, body)
    expect([answer.statusLine, answer.body]).toEqual(['HTTP/1.1 200 OK', JSON.stringify(expected)])
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.header('cache-control')).toBe('no-store')
    expect(front.handled).toEqual([])
  })
})

const noUser = 'Requested resource not found. User: nobody cannot be found.'
const noRole = 'Requested resource not found. Role: nothing cannot be found.'
const missing = "Missing one or more of the fields, 'userId', 'password' in the payload."

/** Verb, path, body, status, `Error` and `code`. */
const refusals: readonly (readonly [string, string, object | undefined, number, string, string])[] = [
  ['GET', '/users/nobody', undefined, 404, noUser, 'ERR_NOT_FOUND'],
  ['DELETE', '/users/nobody', undefined, 404, noUser, 'ERR_NOT_FOUND'],
  ['PATCH', '/users/nobody', changeOf('New-password-6'), 404, noUser, 'ERR_NOT_FOUND'],
  ['PUT', '/roles', { ...rolesOf([], []), userId: 'nobody' }, 404, noUser, 'ERR_NOT_FOUND'],
  ['GET', '/users/bob?domain=NOPE', undefined, 404, noUser.replace('nobody', 'NOPE/bob'), 'ERR_NOT_FOUND'],
  ['GET', '/users/NOPE/bob', undefined, 404, noUser.replace('nobody', 'NOPE/bob'), 'ERR_NOT_FOUND'],
  ['GET', '/users/a%00b', undefined, 404, noUser.replace('nobody', 'a\0b'), 'ERR_NOT_FOUND'],
  ['GET', '/roles/nothing', undefined, 404, noRole, 'ERR_NOT_FOUND'],
  ['DELETE', '/roles/nothing', undefined, 404, noRole, 'ERR_NOT_FOUND'],
  ['GET', '/users/bob?domain=a&domain=b', undefined, 400, "'domain' must be given once.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', {}, 400, missing, 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { userId: 'robert' }, 400, missing, 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, userId: '' }, 400, missing, 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, password: null }, 400, missing, 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, password: { $ne: '' } }, 400, "'password' must be a text.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, userId: ['robert'] }, 400, "'userId' must be a text.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, userId: 7 }, 400, "'userId' must be a text.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, domain: 7 }, 400, "'domain' must be a text.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, isAdmin: 'yes' }, 400, "'isAdmin' must be true or false.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, isAdmin: 1 }, 400, "'isAdmin' must be true or false.", 'ERR_REQUEST_INVALID'],
  ['POST', '/users', { ...rob, userId: 'bob' }, 400, 'User: bob already exists.', 'ERR_USER_EXISTS'],
  ['POST', '/users', { ...rob, userId: 'BOB' }, 400, 'User: BOB already exists.', 'ERR_USER_EXISTS'],
  ['POST', '/users', { ...rob, userId: 'a:b:c' }, 400, 'Invalid username', 'ERR_NAME_INVALID'],
  ['POST', '/users', { ...rob, userId: 'x'.repeat(256) }, 400, 'Invalid username', 'ERR_NAME_INVALID'],
  ['POST', '/users', { ...rob, userId: 'rob\nert' }, 400, 'Invalid username', 'ERR_NAME_INVALID'],
  ['POST', '/users', { ...rob, userId: 'ab' }, 400, 'The user name is not allowed.', 'ERR_NAME_INVALID'],
  ['POST', '/users', { ...rob, domain: 'NOPE' }, 400, 'There is no user store with this domain.', 'ERR_NAME_INVALID'],
  ['POST', '/users', { ...rob, password: 'has blank in' }, 400, 'The password is not allowed.', 'ERR_PASSWORD_INVALID'],
  [
    'PATCH',
    '/users/bob',
    {},
    400,
    'New password or re-typed password is missing in the payload.',
    'ERR_REQUEST_INVALID',
  ],
  [
    'PATCH',
    '/users/bob',
    { newPassword: 'New-password-6', confirmPassword: 'New-password-7' },
    400,
    'New password and re-typed password does not match.',
    'ERR_REQUEST_INVALID',
  ],
  [
    'PATCH',
    '/users/root',
    changeOf('New-password-6'),
    400,
    "Missing the field 'oldPassword' in the payload.",
    'ERR_REQUEST_INVALID',
  ],
  ['DELETE', '/users/root', undefined, 403, 'You cannot remove your own account.', 'ERR_USER_PROTECTED'],
  ['DELETE', '/users/ROOT', undefined, 403, 'You cannot remove your own account.', 'ERR_USER_PROTECTED'],
  ['DELETE', '/users/PRIMARY%2FRoot', undefined, 403, 'You cannot remove your own account.', 'ERR_USER_PROTECTED'],
  ['POST', '/roles', {}, 400, 'Missing role name in the payload.', 'ERR_REQUEST_INVALID'],
  ['POST', '/roles', { role: ['x'] }, 400, "'role' must be a text.", 'ERR_REQUEST_INVALID'],
  ['POST', '/roles', { role: 'viewers' }, 400, 'Role: viewers already exists.', 'ERR_ROLE_EXISTS'],
  [
    'POST',
    '/roles',
    { role: 'testers', domain: 'NOPE' },
    400,
    'There is no user store with this domain.',
    'ERR_NAME_INVALID',
  ],
  ['POST', '/roles', { role: 'a\nb' }, 400, 'Invalid role name', 'ERR_NAME_INVALID'],
  ['DELETE', '/roles/admin', undefined, 403, 'The role of administrators cannot be removed.', 'ERR_USER_PROTECTED'],
  ['DELETE', '/roles/Admin', undefined, 403, 'The role of administrators cannot be removed.', 'ERR_USER_PROTECTED'],
  ['DELETE', '/roles/Internal/everyone', undefined, 403, 'Everybody has this role, always.', 'ERR_USER_PROTECTED'],
  ['PUT', '/roles', rolesOf(['nothing'], []), 400, 'There is no such role.', 'ERR_REQUEST_INVALID'],
  [
    'PUT',
    '/roles',
    rolesOf(['viewers'], ['viewers']),
    400,
    'A role cannot be added and removed.',
    'ERR_REQUEST_INVALID',
  ],
  [
    'PUT',
    '/roles',
    { userId: 'bob', addedRoles: 'viewers' },
    400,
    "'addedRoles' must be a list of texts.",
    'ERR_REQUEST_INVALID',
  ],
  [
    'PUT',
    '/roles',
    { userId: 'bob', addedRoles: [{}] },
    400,
    "'addedRoles' must be a list of texts.",
    'ERR_REQUEST_INVALID',
  ],
]

describe('a mistake of a client', () => {
  it.each(refusals)('%s %s %j is answered with %i', async (method, path, body, status, text, code) => {
    const front = await startManagedFront()
    const before = await front.store.list({})
    const answer = await ask(front, method, path, body)
    expect([answer.status, answer.body]).toEqual([status, JSON.stringify({ Error: text, code })])
    expect(front.handled).toEqual([])
    expect(await front.store.list({})).toEqual(before)
  })

  it('names the role lists when both are missing', async () => {
    const answer = await ask(await startManagedFront(), 'PUT', '/roles', { userId: 'bob' })
    expect(answer.status).toBe(400)
    expect(answer.json()['Error']).toContain("'addedRoles', 'removedRoles'")
  })

  it.each([
    ['PUT', '/users', 'GET, HEAD, POST'],
    ['DELETE', '/users', 'GET, HEAD, POST'],
    ['PATCH', '/users/', 'GET, HEAD, POST'],
    ['PUT', '/users/bob', 'GET, HEAD, PATCH, DELETE'],
    ['POST', '/users/bob', 'GET, HEAD, PATCH, DELETE'],
    ['OPTIONS', '/users/bob', 'GET, HEAD, PATCH, DELETE'],
    ['DELETE', '/roles', 'GET, HEAD, POST, PUT'],
    ['PATCH', '/roles', 'GET, HEAD, POST, PUT'],
    ['PUT', '/roles/viewers', 'GET, HEAD, DELETE'],
  ])('%s %s is answered with 405, and Allow has %s', async (method, path, allow) => {
    const front = await startManagedFront()
    const answer = await ask(front, method, path)
    expect([answer.status, answer.header('allow'), answer.json()['code']]).toEqual([
      405,
      allow,
      'ERR_METHOD_NOT_ALLOWED',
    ])
    expect(front.handled).toEqual([])
  })

  it('HEAD is answered like GET, without the body', async () => {
    const front = await startManagedFront()
    const answer = await ask(front, 'HEAD', '/users/bob')
    const { body } = await ask(front, 'GET', '/users/bob')
    expect([answer.status, answer.body, answer.header('content-length')]).toEqual([200, '', String(body.length)])
  })

  it('an escape that cannot be decoded is answered with 400 when the rules let it pass', async () => {
    const document = { managementApi: { authorization_handler: { enable: false } } }
    const answer = await ask(await startManagedFront(oneSetUp, { document }), 'GET', '/users/%e4')
    expect([answer.status, answer.json()['code']]).toEqual([400, 'ERR_PATH_AMBIGUOUS'])
  })
})

describe('a store', () => {
  it('that is read-only refuses every change with 403 and says so', async () => {
    const front = await startManagedFront(oneSetUp, { store: { isReadOnly: true } })
    for (const [method, path, body] of answers.filter(([method]) => method !== 'GET')) {
      if (method === 'PUT' && path === '/roles/') continue
      const answer = await ask(front, method, path, body)
      const expected = { Error: 'The user store cannot be changed.', code: 'ERR_USERS_NOT_MANAGEABLE' }
      expect([answer.status, answer.json()], `${method} ${path}`).toEqual([403, expected])
    }
  })

  it.each(answers.filter(([, path]) => !path.startsWith('/Users')))(
    'that fails gives %s %s 503',
    async (method, path, body) => {
      const front = await startManagedFront()
      const token = await front.login(people.root)
      front.store.failure = storeFailure()
      const answer = await front.call(
        method,
        path,
        [bearer(token), ...(body ? json : [])],
        body && JSON.stringify(body),
      )
      expect([answer.status, answer.json()['code'], answer.header('retry-after')]).toEqual([
        503,
        'ERR_STORE_UNAVAILABLE',
        '5',
      ])
    },
  )

  it('of the developer that cannot be managed leaves /users and /roles to the app', async () => {
    const account = { subject: 'root', roles: [], isAdmin: true, version: '1' }
    const userStore = { authenticate: async () => ({ account }), find: () => account, close() {} }
    const front = await startManagedFront(oneSetUp, { options: { userStore } })
    await ask(front, 'PATCH', '/users/bob', {})
    await ask(front, 'GET', '/roles')
    expect(front.handled).toEqual(['PATCH /users/bob', 'GET /roles'])
  })
})
