import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { NextFunction, Request, Response } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getAuth } from '../../lib/index.js'
import {
  createAuthenticator,
  createSessions,
  errorResponses,
  MemoryTokenStore,
  portalSession,
} from '../../lib/middleware.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { serverSetUps } from '../helpers/set-ups.js'

const origin = 'Origin: http://front.test'

it.each(['', 'sso', 'a b', 'a; Domain=example.com', 'a'.repeat(65)])('refuses the name %j for a portal', (name) => {
  const store = new MemoryTokenStore()
  const sessions = createSessions({ store, portal: 'shop', idleTimeoutMs: 900_000, absoluteTimeoutMs: 43_200_000 })
  const authenticator = createAuthenticator({ users: new MemoryUserStore({ users: {} }) })
  expect(() => portalSession({ name, sessions, authenticator })).toThrow(/^"name" option must be 1 to 64 letters/)
})

it.each([[[]], [['fr']]])('refuses the languages %j, in which there is no page', (languages) => {
  const store = new MemoryTokenStore()
  const sessions = createSessions({ store, portal: 'shop', idleTimeoutMs: 900_000, absoluteTimeoutMs: 43_200_000 })
  const authenticator = createAuthenticator({ users: new MemoryUserStore({ users: {} }) })
  const options = { name: 'shop', sessions, authenticator, languages: languages as never[] }
  expect(() => portalSession(options)).toThrow(/^"languages" option must list some of en, de/)
})

describe.each(serverSetUps.filter(({ usesCreateServer }) => !usesCreateServer))(
  'portalSession by hand, $name',
  ({ express }) => {
    it('signs in and out, and passes refusals to next', async () => {
      const store = new MemoryTokenStore()
      const users = new MemoryUserStore({ users: { alice: { password: 'Correct-horse-1', roles: [] } } })
      const sessions = createSessions({ store, portal: 'shop', idleTimeoutMs: 900_000, absoluteTimeoutMs: 43_200_000 })
      const authenticator = createAuthenticator({ users, failureFloorMs: 0 })
      const passed: unknown[] = []
      const app = express()
      app.use(
        '/shop',
        portalSession({ name: 'shop', sessions, authenticator }),
        (request: Request, response: Response) => {
          response.json(getAuth(request))
        },
      )
      app.use((error: unknown, _request: Request, _response: Response, next: NextFunction) => {
        passed.push(error)
        next(error)
      })
      app.use(errorResponses())
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => {
        server.closeAllConnections()
        server.close()
        store.close()
      })
      const { port } = server.address() as AddressInfo
      const call = (method: string, path: string, headers: readonly string[], body?: string) =>
        sendRaw(port, requestBytes(method, path, headers, body))

      const refused = await call('GET', '/shop/cart', ['Accept: application/json'])
      expect(refused.status).toBe(401)
      expect(passed).toMatchObject([{ status: 401, code: 'ERR_AUTH_REQUIRED' }])

      const form = [origin, 'Content-Type: application/x-www-form-urlencoded']
      const signedIn = await call('POST', '/shop/login', form, 'username=alice&password=Correct-horse-1')
      expect(signedIn.status).toBe(303)
      const cookie = `Cookie: ${signedIn.header('set-cookie')!.split(';')[0]}`
      expect((await call('GET', '/shop/cart', [cookie])).json()).toMatchObject({ subject: 'alice', kind: 'portal' })
      expect((await call('POST', '/shop/logout', [cookie, origin])).status).toBe(204)
      expect((await call('GET', '/shop/cart', [cookie])).status).toBe(401)
    })
  },
)
