import { describe, expect, it } from 'vitest'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { oneSetUp } from '../helpers/set-ups.js'

const json = ['Content-Type: application/json']
const fresh = { newPassword: 'A-new-password-9', confirmPassword: 'A-new-password-9' }

async function statusOf(front: ManagedFront, token: string, method: string, path: string, body = ''): Promise<number> {
  return (await front.call(method, path, [bearer(token), ...(body === '' ? [] : json)], body)).status
}

describe('weakness 8: tokens outlive the account', () => {
  it.each([
    ['a password change', 'PATCH', JSON.stringify(fresh)],
    ['the removal of the user', 'DELETE', ''],
  ])('they end with %s', async (_what, method, body) => {
    const front = await startManagedFront()
    const [root, bob] = [await front.login(people.root), await front.login(people.bob)]
    expect(await statusOf(front, root, method, '/users/bob', body)).toBe(200)
    expect(await statusOf(front, bob, 'GET', '/apis')).toBe(401)
  })
})

describe('weakness 21: the rules are tied to the literal name admin', () => {
  const users = {
    chief: { password: people.root.password, roles: ['Internal/bosses'] },
    deputy: { password: people.second.password, roles: ['Internal/bosses'] },
    admin: { password: people.bob.password, roles: [] },
  }
  const store = { users, adminRole: 'Internal/bosses', superAdmin: 'chief' }
  const [chief, deputy, admin] = (['chief', 'deputy', 'admin'] as const).map((name) => ({ name, ...users[name] }))

  it('a common user with that name has no rights', async () => {
    const front = await startManagedFront(oneSetUp, { store })
    const token = await front.login(admin)
    expect(await statusOf(front, token, 'GET', '/users')).toBe(403)
    expect(await statusOf(front, token, 'PATCH', '/users/deputy', JSON.stringify(fresh))).toBe(403)
  })

  it('another role of administrators protects them and itself', async () => {
    const front = await startManagedFront(oneSetUp, { store })
    const token = await front.login(deputy)
    expect(await statusOf(front, token, 'DELETE', '/users/chief')).toBe(403)
    expect(await statusOf(front, token, 'DELETE', '/roles/Internal/bosses')).toBe(403)
    expect(await statusOf(front, token, 'DELETE', '/users/admin')).toBe(200)
  })

  it.each(['chief', 'CHIEF', 'Chief/'])('nobody removes the own account as %s', async (name) => {
    const front = await startManagedFront(oneSetUp, { store })
    const token = await front.login({ ...chief!, name: 'Chief' })
    expect(await statusOf(front, token, 'DELETE', `/users/${name}`)).toBe(403)
    expect(await front.store.list({})).toContain('chief')
  })
})

describe('weakness 22: the status of a mistake', () => {
  it.each([
    ['POST', '/users'],
    ['PATCH', '/users/bob'],
    ['POST', '/roles'],
    ['PUT', '/roles'],
  ])('is 400 for %s %s without a body, not 200', async (method, path) => {
    const front = await startManagedFront()
    const answer = await front.call(method, path, [bearer(await front.login(people.root)), ...json])
    expect([answer.status, answer.json()]).toEqual([
      400,
      { Error: 'JSON payload is missing', code: 'ERR_REQUEST_INVALID' },
    ])
  })

  it.each([
    ['POST', '/users', '[]'],
    ['POST', '/users', '{"userId":"x","password":"A-new-password-9"}'],
    ['PATCH', '/users/bob', '{"newPassword":"A-new-password-9"}'],
    ['PATCH', '/users/root', JSON.stringify(fresh)],
    ['POST', '/roles', '{"role":"viewers"}'],
    ['PUT', '/roles', '{"userId":"bob","addedRoles":["nothing"]}'],
  ])('is 400 for %s %s %s, neither 500 nor silence', async (method, path, body) => {
    const front = await startManagedFront()
    expect(await statusOf(front, await front.login(people.root), method, path, body)).toBe(400)
  })
})
