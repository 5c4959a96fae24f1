import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { ForbiddenError, StoreError, UnauthorizedError, UnavailableError } from '../../lib/core/errors.js'
import { SecurityEvents } from '../../lib/core/events.js'
import { errorResponses } from '../../lib/middleware/error-responses.js'
import { expressVersions } from '../helpers/express-versions.js'
import { recordedLog } from '../helpers/recorded-log.js'

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="Test"' } }

describe.each(expressVersions)('errorResponses on %s', (_name, express) => {
  function appThatFailsWith(error: unknown) {
    const passedOn: unknown[] = []
    const app = express()
    app.use((_request, _response, next) => next(error))
    app.use(errorResponses({ events: new SecurityEvents(recordedLog().logger) }))
    const note: ErrorRequestHandler = (reason, _request, response, _next) => {
      passedOn.push(reason)
      response.status(500).send('the app')
    }
    app.use(note)
    return { app, passedOn }
  }

  it('answers 401 with the challenge, bare without Accept', async () => {
    const { app, passedOn } = appThatFailsWith(new UnauthorizedError('ERR_AUTH_REQUIRED', 'Who is it?', challenge))
    const bare = await request(app).get('/').expect(401, '')
    expect(bare.headers).toMatchObject({ 'www-authenticate': 'Bearer realm="Test"', 'cache-control': 'no-store' })
    const json = await request(app).get('/').set('Accept', 'application/json').expect(401)
    expect(json.body).toEqual({ Error: 'Who is it?', code: 'ERR_AUTH_REQUIRED' })
    expect(passedOn).toEqual([])
  })

  it('answers as RFC 9457 when it is asked for', async () => {
    const { app } = appThatFailsWith(new ForbiddenError('ERR_ADMIN_REQUIRED', 'No.'))
    const response = await request(app).get('/').set('Accept', 'application/problem+json').expect(403)
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(JSON.parse(response.text)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'No.',
      code: 'ERR_ADMIN_REQUIRED',
    })
  })

  it('answers 503 to an error of a store, without its message', async () => {
    const { app } = appThatFailsWith(new StoreError('redis://10.0.0.9 is gone'))
    const response = await request(app).get('/').expect(503)
    expect(response.headers['retry-after']).toBe('5')
    expect(response.text).not.toContain('redis')
  })

  it('sends the headers of the error', async () => {
    const error = new UnavailableError('ERR_TOKEN_STORE_FULL', 'Full.', { headers: { 'Retry-After': '60' } })
    const response = await request(appThatFailsWith(error).app).get('/').expect(503)
    expect(response.headers['retry-after']).toBe('60')
  })

  it.each([
    [new Error('of the app')],
    [Object.assign(new Error('like ours'), { status: 403, code: 'ERR_X' })],
    ['text'],
  ])('passes what is not ours on, untouched: %s', async (error) => {
    const { app, passedOn } = appThatFailsWith(error)
    await request(app).get('/').expect(500, 'the app')
    expect(passedOn).toEqual([error])
  })

  it('ends the connection when the answer has begun already', async () => {
    const app = express()
    app.use((_request, response, next) => {
      response.write('the beginning')
      next(new ForbiddenError('ERR_ADMIN_REQUIRED', 'No.'))
    })
    app.use(errorResponses())
    await expect(request(app).get('/')).rejects.toThrow()
  })
})
