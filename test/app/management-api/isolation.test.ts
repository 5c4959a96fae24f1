import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ErrorRequestHandler } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import { basic, bearer, document, startFront, users } from '../../helpers/front.js'
import { requestBytes, sendRaw } from '../../helpers/raw-http.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { allSetUps, oneSetUp, twoSetUps } from '../../helpers/set-ups.js'

describe.each(allSetUps)('the app behind the front on $name', (setUp) => {
  it('runs for none of the requests that are refused, and its error handler neither', async () => {
    const front = await startFront(setUp)
    const reader = await front.login(users.reader)
    const refusals = [
      await front.call('GET', '/apis'),
      await front.call('GET', '/apis', [bearer('some.bad.token')]),
      await front.call('GET', '/apis', [bearer(reader), bearer(reader)]),
      await front.call('GET', '/users', [bearer(reader)]),
      await front.call('GET', '/users', [bearer(await front.login())]),
      await front.call('GET', '/login', [basic('admin', 'a-wrong-password')]),
      await front.call('DELETE', '/login'),
      await front.call('DELETE', '/logout', [bearer(reader)]),
      await front.call('GET', '/logout'),
      await front.call('DELETE', '/jwks'),
      await front.call('OPTIONS', '/apis'),
    ]
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 400, 403, 403, 401, 405, 405, 401, 405, 401])
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
  })

  it('keeps its own errors: the front neither answers nor reports them', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/fail', [bearer(await front.login()), 'Accept: application/json'])
    if (setUp.hasErrorHandler) {
      expect(answer.status).toBe(500)
      expect(answer.json()).toEqual({ answeredBy: 'the app' })
      expect(front.appErrors).toMatchObject([{ message: 'an error of the app', status: 418 }])
    } else {
      // What Express answers by itself.
      expect(answer.status).toBe(418)
      expect(answer.header('content-type')).toContain('text/html')
    }
    expect(front.events.filter(({ name }) => name === 'refusal')).toEqual([])
  })

  it('sees who is calling', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/whoami', [bearer(await front.login(users.reader))])
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.json()).toEqual({
      auth: {
        subject: 'reader',
        roles: ['viewer'],
        isAdmin: false,
        scope: 'default',
        tokenId: expect.stringMatching(/^[\w-]{43}$/),
        kind: 'management',
        factors: ['password'],
        issuedAt: expect.any(Number),
        expiresAt: expect.any(Number),
      },
    })
  })

  it('is alone outside of the mount path', async () => {
    const front = await startFront(setUp)
    const answer = await front.send(requestBytes('GET', '/elsewhere'))
    expect(answer.status).toBe(404)
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
    expect(front.events).toEqual([])
  })
})

describe.each(twoSetUps)('GET /jwks on $name', (setUp) => {
  it('gives the public key to everybody, and nothing of the private one', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/jwks')
    expect(answer.status).toBe(200)
    expect(answer.header('content-type')).toContain('application/jwk-set+json')
    const { keys } = answer.json<{ keys: Record<string, unknown>[] }>()
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        alg: 'ES256',
        use: 'sig',
      },
    ])
  })
})

describe('the order of handlers', () => {
  it('holds for an error handler that stands before the routes, and for a second mount elsewhere', async () => {
    await using security = await createSecurity(document(), { logger: recordedLog().logger })
    const seen: unknown[] = []
    const noteError: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.sendStatus(500)
    }
    const app = oneSetUp.express()
    app.use('/one', security.managementApi(), noteError)
    app.use('/two', security.managementApi({ resources: false }), noteError)
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const login = await sendRaw(
      port,
      requestBytes('GET', '/one/login', [basic(users.admin.name, users.admin.password)]),
    )
    const token = bearer(login.json<{ AccessToken: string }>().AccessToken)
    expect((await sendRaw(port, requestBytes('GET', '/two/apis'))).status).toBe(401)
    expect((await sendRaw(port, requestBytes('GET', '/two/users', [token]))).status).toBe(404)
    expect((await sendRaw(port, requestBytes('GET', '/one/users', [token]))).status).toBe(403)
    expect(seen).toEqual([])
  })
})
