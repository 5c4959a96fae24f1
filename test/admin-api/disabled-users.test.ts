import { describe, expect, it } from 'vitest'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'

/** Asks as an administrator. */
async function ask(front: ManagedFront, method: string, path: string, body?: object): Promise<RawAnswer> {
  const token = await front.login(people.root)
  return front.call(method, path, [bearer(token), 'Content-Type: application/json'], body && JSON.stringify(body))
}

describe('a user who is disabled over HTTP', () => {
  it('loses the tokens at once, is shown as disabled, and keeps roles that can be changed', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.bob)
    expect((await ask(front, 'PATCH', '/users/bob', { disabled: true })).json()).toEqual({
      userId: 'bob',
      status: 'Disabled',
    })
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    await expect(front.login(people.bob)).rejects.toThrow()
    expect((await ask(front, 'GET', '/users/bob')).json()).toEqual({
      userId: 'bob',
      isAdmin: false,
      roles: ['Internal/everyone', 'operators'],
      isDisabled: true,
    })
    const roles = { userId: 'bob', addedRoles: ['viewers'], removedRoles: [] }
    expect((await ask(front, 'PUT', '/roles', roles)).status).toBe(200)
    await ask(front, 'PATCH', '/users/bob', { disabled: false })
    expect((await ask(front, 'GET', '/users/bob')).json()).not.toHaveProperty('isDisabled')
    expect(await front.login(people.bob)).toMatch(/./)
    expect(front.entries.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['user disabled', 'user enabled']),
    )
  })

  it.each([
    ['/users/root', { disabled: true }, 403],
    ['/users/nobody', { disabled: true }, 404],
    ['/users/bob', { disabled: 'perhaps' }, 400],
    ['/users/bob', { disabled: null }, 400],
    ['/users/bob', { disabled: false, newPassword: 'Some-new-password' }, 400],
  ])('PATCH %s %j is answered with %i', async (path, body, status) => {
    const front = await startManagedFront()
    expect((await ask(front, 'PATCH', path, body)).status).toBe(status)
    expect(await front.login(people.bob)).toMatch(/./)
  })

  it('is never the last administrator who can log in', async () => {
    const front = await startManagedFront(oneSetUp, { store: { superAdmin: 'nobody' } })
    front.store.disable('second')
    expect((await ask(front, 'DELETE', '/users/second')).status).toBe(200)
    expect((await ask(front, 'PATCH', '/users/ROOT', { disabled: true })).status).toBe(403)
  })

  it('cannot be where the store has no place for it', async () => {
    const front = await startManagedFront()
    Object.assign(front.store, { setDisabled: undefined })
    const answer = await ask(front, 'PATCH', '/users/bob', { disabled: true })
    expect(answer.status).toBe(403)
    expect(answer.json()).toMatchObject({ Error: expect.stringContaining('cannot be disabled or enabled here') })
  })
})
