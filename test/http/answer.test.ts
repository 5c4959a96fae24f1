import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { HttpError, type HttpErrorOptions } from '../../lib/core/errors.js'
import { answerEmpty, answerJson, answerRefusal } from '../../lib/http/answer.js'
import { expressVersions } from '../helpers/express-versions.js'

describe.each(expressVersions)('on %s', (_name, express) => {
  it('answerJson answers with an object that no cache may keep, its length in bytes', async () => {
    const app = express()
    app.use((_request, response) => answerJson(response, 201, { name: 'J\u00f6rg \u{1f600}' }))
    const response = await request(app).get('/').expect(201, { name: 'J\u00f6rg \u{1f600}' })
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-length': String(Buffer.byteLength(response.text)),
    })
    await request(app)
      .head('/')
      .expect(201)
      .expect('content-length', String(Buffer.byteLength(response.text)))
  })

  it('answerEmpty answers without a body', async () => {
    const app = express()
    app.use((_request, response) => answerEmpty(response, 200))
    const response = await request(app).get('/').expect(200, '')
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-length': '0' })
    expect(response.headers['content-type']).toBeUndefined()
  })

  describe('answerRefusal', () => {
    function appThatRefuses(options: HttpErrorOptions) {
      const app = express()
      app.use((incoming, response) => {
        answerRefusal(
          new HttpError(403, 'ERR_PATH_DENIED', 'Access to this path is denied.', options),
          incoming,
          response,
        )
      })
      return app
    }
    const problem = 'application/problem+json'
    const json = 'application/json'

    it.each([
      ['never', undefined, json],
      ['never', '*/*', json],
      ['never', 'text/html', json],
      ['never', problem, problem],
      ['without-accept', undefined, undefined],
      ['without-accept', '', undefined],
      ['without-accept', '*/*', json],
      ['without-accept', 'text/html', json],
      ['without-accept', problem, problem],
      ['always', undefined, undefined],
      ['always', json, undefined],
      ['always', '*/*', undefined],
      ['always', problem, problem],
      ['never', `${json}, ${problem}`, json],
      ['never', `${problem}, ${json}`, problem],
      ['never', `${json};q=0.5, ${problem}`, problem],
      ['never', `${json}, ${problem};q=0.5`, json],
      ['never', `${problem};q=0`, json],
      ['never', 'application/*', json],
    ] as const)('with bare %j answers Accept: %j with %j', async (bare, accept, type) => {
      const call = request(appThatRefuses({ bare })).get('/')
      const response = await (accept === undefined ? call : call.set('Accept', accept)).expect(403)
      expect(response.headers['cache-control']).toBe('no-store')
      expect(response.headers['content-type']).toBe(type === undefined ? undefined : `${type}; charset=utf-8`)
      if (type === undefined) expect(response.text).toBe('')
      else if (type === json)
        expect(response.body).toEqual({ Error: 'Access to this path is denied.', code: 'ERR_PATH_DENIED' })
      else expect(JSON.parse(response.text)).toMatchObject({ detail: 'Access to this path is denied.', status: 403 })
    })

    it('sends the headers of the error, and no cause', async () => {
      const cause = new Error('the private reason')
      const app = appThatRefuses({ headers: { 'Retry-After': '9' }, cause })
      const response = await request(app).get('/').expect(403)
      expect(response.headers['retry-after']).toBe('9')
      expect(response.text).not.toContain('private')
    })
  })
})
