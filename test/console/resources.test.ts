import { describe, expect, it } from 'vitest'
import type { UserAccount, UserStore } from '../../lib/users/user-store.js'
import { document, fileUser, users } from '../helpers/front.js'
import { enabled, startConsole } from './console-front.js'

const readOnly = { status: 403, code: 'ERR_USERS_NOT_MANAGEABLE' }

describe('users and roles on the page', () => {
  it('are those of the file, which are shown and cannot be changed', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const ask = async (path: string) => (await front.ask('GET', `/ops/api${path}`, cookie)).json()
    expect(await ask('/users')).toEqual({ count: 2, list: [{ userId: 'admin' }, { userId: 'reader' }] })
    expect(await ask('/users?pattern=re*')).toEqual({ count: 1, list: [{ userId: 'reader' }] })
    expect(await ask('/users?searchKey=ADM')).toEqual({ count: 1, list: [{ userId: 'admin' }] })
    expect(await ask('/users?role=viewer')).toEqual({ count: 1, list: [{ userId: 'reader' }] })
    expect(await ask('/users/reader')).toEqual({ userId: 'reader', isAdmin: false, roles: ['viewer'] })
    expect(await ask('/users/nobody')).toMatchObject({ code: 'ERR_NOT_FOUND' })
    expect(await ask('/roles')).toEqual({ count: 2, list: [{ role: 'admin' }, { role: 'viewer' }] })
    expect(await ask('/roles/viewer')).toEqual({ role: 'viewer', users: ['reader'] })
    expect(await ask('/roles/none')).toMatchObject({ code: 'ERR_NOT_FOUND' })
    const changes = [
      ['POST', '/users'],
      ['PATCH', '/users/reader'],
      ['DELETE', '/users/reader'],
      ['POST', '/roles'],
      ['PUT', '/roles'],
      ['DELETE', '/roles/viewer'],
    ] as const
    for (const [method, path] of changes) {
      const answer = await front.ask(method, `/ops/api${path}`, cookie, {})
      expect({ status: answer.status, code: answer.json()['code'] }).toEqual(readOnly)
    }
    // WSO2's clients are told that they cannot even be listed.
    const listed = await front.call('GET', '/management/users', [await front.bearerOf()])
    expect({ status: listed.status, code: listed.json()['code'] }).toEqual(readOnly)
  })

  it('follow a reload of the file', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const { admin } = users
    const list = [fileUser(admin.name, admin.password, { is_admin: true }), fileUser('zoe', 'Long-enough-1')]
    await front.security.reload(document({ internalApis: { users: list }, root: enabled }))
    expect((await front.ask('GET', '/ops/api/users', cookie)).json()['list']).toEqual([
      { userId: 'admin' },
      { userId: 'zoe' },
    ])
  })

  it('are found by their whole name in a store of the app that cannot list them', async () => {
    const account: UserAccount = { subject: 'admin', isAdmin: true, roles: ['ops'], version: '1' }
    const userStore: UserStore = {
      authenticate: async (_name, password) =>
        password === users.admin.password ? { account } : { failure: 'wrong-password' },
      find: (name) => (name === 'admin' ? account : undefined),
      close: () => undefined,
    }
    const front = await startConsole({ source: document({ root: enabled }), options: { userStore } })
    const cookie = await front.cookieOf()
    const ask = async (path: string) => (await front.ask('GET', `/ops/api${path}`, cookie)).json()
    expect((await ask('/'))['features']).toMatchObject({ users: 'read-only' })
    expect(await ask('/users')).toEqual({ count: 0, list: [] })
    expect(await ask('/users?pattern=admin')).toEqual({ count: 1, list: [{ userId: 'admin' }] })
    expect(await ask('/users?searchKey=admin')).toEqual({ count: 1, list: [{ userId: 'admin' }] })
    expect(await ask('/users/admin')).toEqual({ userId: 'admin', isAdmin: true, roles: ['ops'] })
    expect((await front.ask('DELETE', '/ops/api/users/admin', cookie)).status).toBe(403)
  })
})

describe('DELETE /users/NAME/sessions', () => {
  it('ends all sessions of a user, by both mounts, also where the users are those of the file', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    await front.cookieOf('/publisher', users.reader)
    await front.bearerOf(users.reader)
    const ended = await front.ask('DELETE', '/ops/api/users/reader/sessions', cookie)
    expect([ended.status, ended.json()]).toEqual([200, { user: 'reader', count: 2, status: 'Ended' }])
    const bearer = await front.bearerOf()
    await front.cookieOf('/publisher', users.reader)
    const again = await front.call('DELETE', '/management/Users/reader/Sessions/', [bearer])
    expect([again.status, again.json()]).toEqual([200, { user: 'reader', count: 1, status: 'Ended' }])
    const domain = await front.call('DELETE', '/management/users/CORP/a%20b/sessions', [bearer])
    expect(domain.json()).toEqual({ user: 'CORP/a b', count: 0, status: 'Ended' })
    const named = await front.call('DELETE', '/management/users/reader/sessions?domain=CORP', [bearer])
    expect(named.json()).toEqual({ user: 'CORP/reader', count: 0, status: 'Ended' })
    await front.cookieOf('/publisher', users.reader)
    const primary = await front.call('DELETE', '/management/users/reader/sessions?domain=primary', [bearer])
    expect(primary.json()).toEqual({ user: 'reader', count: 1, status: 'Ended' })
    expect((await front.call('DELETE', '/management/users/%ff/sessions', [bearer])).status).toBe(400)
    expect(
      (await front.call('DELETE', '/management/users/reader/sessions', [await front.bearerOf(users.reader)])).status,
    ).toBe(403)
  })
})

describe('a session in the list', () => {
  it('shows what was shown at the login', async () => {
    const front = await startConsole()
    const { list } = (await front.ask('GET', '/ops/api/sessions', await front.cookieOf())).json<{ list: object[] }>()
    expect(list).toMatchObject([{ user: 'admin', kind: 'portal', client: 'management_console', factors: ['password'] }])
    expect(list[0]).not.toHaveProperty('impersonator')
  })
})
