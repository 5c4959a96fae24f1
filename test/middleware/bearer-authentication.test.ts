import http from 'node:http'
import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { getAuth } from '../../lib/core/auth.js'
import { HttpError, StoreError } from '../../lib/core/errors.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { createRecord } from '../../lib/testing.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import { expressVersions } from '../helpers/express-versions.js'
import { listen } from '../helpers/raw-socket.js'
import { standAloneParts } from '../helpers/stand-alone.js'

describe.each(expressVersions)('bearerAuthentication on %s', (_name, express) => {
  async function appWith(options: Partial<Parameters<typeof bearerAuthentication>[0]> = {}) {
    const parts = await standAloneParts()
    const errors: HttpError[] = []
    const app = express()
    app.use(bearerAuthentication({ tokens: parts.tokens, ...options }))
    app.use((incoming, response) => void response.json(getAuth(incoming).subject))
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    const account = parts.users.find('alice')!
    return { app, errors, ...parts, account, token: (await parts.tokens.issue(account)).token }
  }

  it('lets a good token pass and sets the caller', async () => {
    const { app, token } = await appWith()
    const response = await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(200, '"alice"')
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.headers).not.toHaveProperty('etag')
  })

  it('passes a refusal to next, with the challenge of its realm', async () => {
    const { app, errors } = await appWith({ realm: 'My API' })
    await request(app).get('/').expect(401)
    await request(app).get('/').set('Authorization', 'Bearer nothing').expect(401)
    expect(errors.every((error) => error instanceof HttpError)).toBe(true)
    expect(errors.map(({ code, headers }) => [code, headers['WWW-Authenticate']])).toEqual([
      ['ERR_AUTH_REQUIRED', 'Bearer realm="My API"'],
      ['ERR_TOKEN_INVALID', expect.stringMatching(/^Bearer realm="My API", error="invalid_token"/)],
    ])
  })

  it('passes 503 to next when the store fails', async () => {
    const { app, errors, store, token } = await appWith()
    store.find = () => {
      throw new StoreError('gone')
    }
    await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(503)
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE', headers: { 'Retry-After': '5' } }])
  })

  it('takes no token of another kind', async () => {
    const { app, tokens, store, account } = await appWith()
    for (const kind of ['portal', 'oauth', 'basic', 'sso'] as const) {
      const { token, id } = await tokens.issue(account)
      store.remove(id)
      store.add(createRecord('', { id: tokenId(kind, token), kind }))
      await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(401)
    }
  })

  it('lets requests to public paths pass without a caller, and answers 400 where readings disagree', async () => {
    const { app, errors } = await appWith({
      allowAnonymous: (method, path) => (path === '/twofold' ? 'ambiguous' : method === 'GET' && path === '/open'),
    })
    await request(app).get('/open').expect(401)
    expect(errors[0]?.headers['WWW-Authenticate']).toBe('Bearer realm="Sallyport"')
    await request(app).get('/twofold').expect(400)
    await request(app).post('/open').expect(401)
    expect(errors.map(({ code }) => code)).toEqual(['ERR_AUTH_REQUIRED', 'ERR_PATH_AMBIGUOUS', 'ERR_AUTH_REQUIRED'])
  })

  it('asks the store at every request of one connection', async () => {
    const { app, tokens, token, account } = await appWith()
    const other = await tokens.issue(account)
    await using server = await listen(app)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()
    const statusWith = (value: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = value === '' ? {} : { authorization: `Bearer ${value}` }
        const outgoing = http.get({ port: server.port, host: '127.0.0.1', agent, headers }, (answer) => {
          sockets.add(answer.socket)
          answer.resume().on('end', () => resolve(answer.statusCode))
        })
        outgoing.on('error', reject)
      })
    expect(await statusWith(token)).toBe(200)
    expect(await statusWith(token)).toBe(200)
    expect(await statusWith(''), 'without a header the last one is not used').toBe(401)
    expect(await statusWith(other.token)).toBe(200)
    expect(await statusWith(token)).toBe(200)
    await tokens.revoke((await tokens.verify(token)).tokenId!)
    expect(await statusWith(token)).toBe(401)
    expect(await statusWith(other.token)).toBe(200)
    expect(sockets.size).toBe(1)
    agent.destroy()
  })

  it('asks the verify of an app that wraps the tokens', async () => {
    const { tokens, token, account } = await appWith()
    const asked: unknown[] = []
    const verify: typeof tokens.verify = (...values) => {
      asked.push(values)
      return tokens.verify(...values)
    }
    for (const wrapped of [{ ...tokens, verify }, Object.assign(Object.create(tokens) as typeof tokens, { verify })]) {
      const { app } = await appWith({ tokens: wrapped })
      await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(200, JSON.stringify(account.subject))
    }
    expect(asked).toEqual([
      [token, { audience: undefined }],
      [token, { audience: undefined }],
    ])
  })

  it.each(['/?access_token=x', '/?a=1&access_token=x', '/?access%5Ftoken=x', '/?access_token'])(
    'refuses a token in the header beside one in the query: %s',
    async (url) => {
      const { app, token, errors } = await appWith()
      await request(app).get(url).set('Authorization', `Bearer ${token}`).expect(400)
      expect(errors[0]?.headers['WWW-Authenticate']).toContain('error="invalid_request"')
    },
  )

  it('ends the token of a user whose password has changed', async () => {
    const { app, token, users } = await appWith()
    await users.replace([{ name: 'alice', password: 'another-password', isAdmin: false, roles: [] }])
    await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(401)
  })
})
