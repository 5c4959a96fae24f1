import type { Request, Response } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { answerEmpty } from '../../lib/http/answer.js'
import { atPath, isSignInMethod, methodNotAllowed, notFound } from '../../lib/http/endpoint.js'
import { toHandler } from '../../lib/http/gate.js'
import { expressVersions } from '../helpers/express-versions.js'

describe.each(expressVersions)('atPath on %s', (_name, express) => {
  const app = express()
  const gate = atPath('/login', (_request: Request, response: Response) => {
    answerEmpty(response, 204)
    return 'answered'
  })
  app.use('/mount', toHandler(gate))
  app.use((_request, response) => void response.sendStatus(299))

  it.each(['/login', '/login/', '/LOGIN', '/Login/', '/login?a=/b', '/login/?a'])(
    'binds a gate to %s',
    async (path) => {
      await request(app).get(`/mount${path}`).expect(204)
    },
  )

  it.each([
    '/',
    '/logi',
    '/login2',
    '/login/more',
    '/login//',
    '/x/login',
    '/lo%67in',
    '/login;x',
    '/login%2f',
    '/log\u0131n',
  ])('lets %s go by', async (path) => {
    await request(app)
      .get(`/mount${encodeURI(path).replaceAll('%25', '%')}`)
      .expect(299)
  })
})

describe('the verbs of sign-in', () => {
  it.each([
    ['GET', true],
    ['POST', true],
    ['HEAD', false],
    ['PUT', false],
    ['get', false],
    ['OPTIONS', false],
  ])('%s: %j', (method, expected) => {
    expect(isSignInMethod({ method } as Request)).toBe(expected)
  })
})

it('methodNotAllowed names the methods in Allow', () => {
  expect(methodNotAllowed('GET, HEAD')).toMatchObject({
    status: 405,
    code: 'ERR_METHOD_NOT_ALLOWED',
    headers: { Allow: 'GET, HEAD' },
  })
})

it('notFound is 404', () => {
  expect(notFound({} as Request, {} as Response)).toMatchObject({ status: 404, code: 'ERR_NOT_FOUND' })
})
