import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { type Auth, setAuth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { logout } from '../../lib/middleware/logout.js'
import { expressVersions } from '../helpers/express-versions.js'
import { standAloneParts } from '../helpers/stand-alone.js'

describe.each(expressVersions)('logout on %s', (_name, express) => {
  async function appWith() {
    const parts = await standAloneParts()
    const errors: unknown[] = []
    const app = express()
    app.use('/unguarded', logout({ tokens: parts.tokens }))
    app.use(
      '/basic',
      (incoming, _response, next) => {
        setAuth(incoming, { subject: 'alice', tokenId: undefined } as Auth)
        next()
      },
      logout({ tokens: parts.tokens }),
    )
    app.use('/logout', bearerAuthentication({ tokens: parts.tokens }), logout({ tokens: parts.tokens }))
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    const account = parts.users.find('alice')!
    const issue = async (): Promise<string> => `Bearer ${(await parts.tokens.issue(account)).token}`
    return { app, errors, ...parts, issue }
  }

  it.each(['get', 'post'] as const)('answers %s with 200 and no body, and ends this token only', async (method) => {
    const { app, store, issue } = await appWith()
    const [mine, other] = [await issue(), await issue()]
    await request(app)[method]('/logout').set('Authorization', mine).expect(200, '')
    expect(store.size).toBe(1)
    await request(app)[method]('/logout').set('Authorization', mine).expect(401)
    await request(app)[method]('/logout').set('Authorization', other).expect(200)
  })

  it('lets one of two logouts at the same time end the token', async () => {
    const { app, issue } = await appWith()
    const token = await issue()
    const answers = await Promise.all([1, 2].map(() => request(app).get('/logout').set('Authorization', token)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401])
  })

  it('passes 405, 404 and 401 to next', async () => {
    const { app, errors, issue } = await appWith()
    await request(app)
      .put('/logout')
      .set('Authorization', await issue())
      .expect(405)
    await request(app).get('/basic').expect(404)
    await request(app).get('/unguarded').expect(401)
    expect(errors).toMatchObject([
      { code: 'ERR_METHOD_NOT_ALLOWED', headers: { Allow: 'GET, POST' } },
      { code: 'ERR_NOT_FOUND', message: 'There is no token to end.' },
      { code: 'ERR_AUTH_REQUIRED' },
    ])
  })

  it('passes 503 to next when the token cannot be ended', async () => {
    const { app, errors, store, issue } = await appWith()
    const token = await issue()
    const { remove } = store
    store.remove = () => {
      throw new StoreError('gone')
    }
    await request(app).get('/logout').set('Authorization', token).expect(503)
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
    store.remove = remove
    await request(app).get('/logout').set('Authorization', token).expect(401)
    expect(await store.list()).toEqual([])
  })
})
