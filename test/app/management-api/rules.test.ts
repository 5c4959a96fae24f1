import { describe, expect, it } from 'vitest'
import { bearer, document, type Front, fileUser, fileUsers, startFront, users } from '../../helpers/front.js'
import { oneSetUp, twoSetUps } from '../../helpers/set-ups.js'

const ruled = (handler: Record<string, unknown>, managementApi: Record<string, unknown> = {}): object =>
  document({ managementApi: { authorization_handler: handler, ...managementApi } })

async function statusOf(front: Front, method: string, path: string, token?: string): Promise<number> {
  return (await front.call(method, path, token === undefined ? [] : [bearer(token)])).status
}

describe.each(twoSetUps)('on $name', (setUp) => {
  describe('resources: false', () => {
    it('leaves /users and /roles to the app, authorized', async () => {
      const front = await startFront(setUp, { mount: { resources: false } })
      const [admin, reader] = [await front.login(), await front.login(users.reader)]
      expect(await statusOf(front, 'GET', '/users')).toBe(401)
      expect(await statusOf(front, 'GET', '/users', reader)).toBe(403)
      expect(await statusOf(front, 'GET', '/roles/Internal/everyone', reader)).toBe(403)
      expect(front.handled).toEqual([])
      expect(await statusOf(front, 'POST', '/users', admin)).toBe(200)
      expect(await statusOf(front, 'GET', '/roles/Internal/everyone', admin)).toBe(200)
      expect(front.handled).toEqual(['POST /users', 'GET /roles/Internal/everyone'])
    })
  })

  // Covers: E08
  describe('public_paths', () => {
    const source = document({ managementApi: { public_paths: ['/health', '/docs/index'] } })

    it.each(['GET', 'HEAD'])('let %s pass without a caller, exactly as spelled', async (method) => {
      const front = await startFront(setUp, { source })
      expect(await statusOf(front, method, '/health')).toBe(200)
      expect(await statusOf(front, method, '/health?verbose=1')).toBe(200)
      expect(front.handled).toHaveLength(2)
    })

    it.each([
      ['POST', '/health', 401],
      ['OPTIONS', '/health', 401],
      ['GET', '/health/', 401],
      ['GET', '/Health', 401],
      ['GET', '/health/more', 401],
      ['GET', '/healthy', 401],
      // Three, because Express 4 takes the first of two for the end of the mount path: guard and routes get '/health'.
      ['GET', '///health', 400],
      ['GET', '/%68ealth', 400],
      ['GET', '/users/../health', 400],
      ['GET', '/health;x', 400],
      ['GET', '/health%00', 401],
    ])('do not let %s %s pass: %i', async (method, path, status) => {
      const front = await startFront(setUp, { source })
      expect(await statusOf(front, method, path)).toBe(status)
      expect(front.handled).toEqual([])
    })

    it('check a credential that is sent all the same', async () => {
      const front = await startFront(setUp, { source })
      expect(await statusOf(front, 'GET', '/health', 'some.bad.token')).toBe(401)
      const answer = await front.call('GET', '/health', [bearer(await front.login())])
      expect(answer.json()).toMatchObject({ auth: { subject: 'admin' } })
    })
  })

  // Covers: E05
  describe('default_policy', () => {
    it.each([
      ['authenticated', 200, 200],
      ['admin', 200, 403],
      ['deny', 403, 403],
    ])('%s answers an administrator with %i and a reader with %i', async (policy, ofAdmin, ofReader) => {
      const front = await startFront(setUp, { source: ruled({ default_policy: policy }) })
      expect(await statusOf(front, 'GET', '/apis')).toBe(401)
      expect(await statusOf(front, 'GET', '/apis', await front.login())).toBe(ofAdmin)
      expect(await statusOf(front, 'GET', '/apis', await front.login(users.reader))).toBe(ofReader)
    })

    it.each(['admin', 'deny'])('%s leaves login and logout open', async (policy) => {
      const front = await startFront(setUp, { source: ruled({ default_policy: policy }) })
      expect(await statusOf(front, 'GET', '/logout', await front.login(users.reader))).toBe(200)
    })
  })

  describe('the listed resources', () => {
    it('replace the default ones, and /users covers /roles', async () => {
      const front = await startFront(setUp, { source: ruled({ resources: [{ path: '/users' }, { path: '/apis' }] }) })
      const reader = await front.login(users.reader)
      for (const path of ['/users', '/roles', '/apis', '/apis/one', '/APIS/']) {
        expect(await statusOf(front, 'GET', path, reader), path).toBe(403)
      }
      for (const path of ['/configs', '/apis-x', '/apisx']) {
        expect(await statusOf(front, 'GET', path, reader), path).toBe(200)
      }
    })

    it.each(['/users', '/roles', '/configs'])('are %s and others by default', async (path) => {
      const front = await startFront(setUp, { mount: { resources: false } })
      expect(await statusOf(front, 'GET', path, await front.login(users.reader))).toBe(403)
      expect(await statusOf(front, 'GET', path, await front.login())).toBe(200)
    })

    it('bind the methods they name, GET with HEAD', async () => {
      const resources = [{ path: '/users' }, { path: '/apis', methods: ['GET', 'post'] }]
      const front = await startFront(setUp, { source: ruled({ resources }) })
      const reader = await front.login(users.reader)
      for (const method of ['GET', 'HEAD', 'POST']) expect(await statusOf(front, method, '/apis', reader)).toBe(403)
      for (const method of ['PUT', 'DELETE', 'OPTIONS'])
        expect(await statusOf(front, method, '/apis', reader)).toBe(200)
    })

    it('let callers with one of their roles pass, and administrators', async () => {
      const source = document({
        managementApi: {
          authorization_handler: { resources: [{ path: '/users' }, { path: '/apis', roles: ['publisher', 'viewer'] }] },
        },
        internalApis: { users: [...fileUsers, fileUser('guest', 'a-guest-password', { roles: ['Viewer'] })] },
      })
      const front = await startFront(setUp, { source })
      expect(await statusOf(front, 'GET', '/apis', await front.login())).toBe(200)
      expect(await statusOf(front, 'GET', '/apis', await front.login(users.reader))).toBe(200)
      const guest = await front.login({ name: 'guest', password: 'a-guest-password' })
      const answer = await front.call('GET', '/apis', [bearer(guest), 'Accept: application/json'])
      expect(answer.status).toBe(403)
      expect(answer.json()).toMatchObject({ code: 'ERR_ROLE_REQUIRED' })
      expect(answer.header('www-authenticate')).toContain('insufficient_scope')
    })
  })

  describe('make_non_admin_users_read_only', () => {
    it('lets readers read only', async () => {
      const source = document({ root: { user_access: { make_non_admin_users_read_only: true } } })
      const front = await startFront(setUp, { source })
      const [admin, reader] = [await front.login(), await front.login(users.reader)]
      for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(await statusOf(front, method, '/apis', reader)).toBe(200)
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(await statusOf(front, method, '/apis', reader)).toBe(403)
        expect(await statusOf(front, method, '/apis', admin)).toBe(200)
      }
      const refusal = await front.call('POST', '/apis', [bearer(reader)])
      expect(refusal.body).toBe('')
      expect(await statusOf(front, 'POST', '/logout', reader)).toBe(200)
    })
  })

  describe('apply_to_file_users = false', () => {
    it('lets every user of the file pass the protected paths, and still nobody without a token', async () => {
      const front = await startFront(setUp, {
        source: ruled({ apply_to_file_users: false }),
        mount: { resources: false },
      })
      expect(await statusOf(front, 'GET', '/configs')).toBe(401)
      expect(await statusOf(front, 'GET', '/configs', await front.login(users.reader))).toBe(200)
      expect(front.entries.some(({ message }) => message.includes('apply_to_file_users'))).toBe(true)
    })

    it('is nothing to users of another store', async () => {
      const front = await startFront(setUp, {
        source: ruled({ apply_to_file_users: false }),
        options: {
          userStore: {
            authenticate: async () => ({ account: { subject: 'reader', roles: [], isAdmin: false, version: '1' } }),
            find: () => ({ subject: 'reader', roles: [], isAdmin: false, version: '1' }),
            close() {},
          },
        },
      })
      expect(await statusOf(front, 'GET', '/users', await front.login(users.reader))).toBe(403)
    })
  })

  describe('authorization_handler.enable = false', () => {
    it('lets every caller pass everywhere, and still nobody without a token', async () => {
      const front = await startFront(setUp, { source: ruled({ enable: 'false' }), mount: { resources: false } })
      expect(await statusOf(front, 'GET', '/configs')).toBe(401)
      expect(await statusOf(front, 'GET', '/configs', await front.login(users.reader))).toBe(200)
    })
  })
})

// Covers: E06
describe('a right', () => {
  it('that a reload takes away ends with the next request, and the token stays good', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    const token = await front.login()
    expect(await statusOf(front, 'GET', '/users', token)).toBe(200)
    const [, reader] = fileUsers
    const demoted = fileUser('admin', users.admin.password, { is_admin: false })
    await front.security.reload(document({ internalApis: { users: [demoted, reader!] } }))
    expect(await statusOf(front, 'GET', '/users', token)).toBe(403)
    expect(await statusOf(front, 'GET', '/apis', token)).toBe(200)
  })
})
