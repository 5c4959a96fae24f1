import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { corsPolicy } from '../../lib/middleware/cors-policy.js'
import { expressVersions } from '../helpers/express-versions.js'

describe.each(expressVersions)('corsPolicy on %s', (_name, express) => {
  function appWith(options?: Parameters<typeof corsPolicy>[0]) {
    const app = express()
    app.use(corsPolicy(options))
    app.use((_request, response) => void response.send('the route'))
    return app
  }

  it.each([[undefined], [{}]])('allows every origin with the options %j', async (options) => {
    const response = await request(appWith(options))
      .get('/')
      .set('Origin', 'https://any.example')
      .expect(200, 'the route')
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE,OPTIONS, PATCH',
      'access-control-allow-headers': 'Authorization, Content-Type',
    })
    expect(response.headers['vary']).toBeUndefined()
  })

  it('allows the listed origins only, as exact text', async () => {
    const app = appWith({ allowedOrigins: ['https://one.example', 'https://two.example'] })
    for (const origin of ['https://one.example', 'https://two.example']) {
      const { headers } = await request(app).get('/').set('Origin', origin)
      expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' })
    }
    for (const origin of [
      'https://one.example.evil.example',
      'https://sub.one.example',
      'http://one.example',
      'null',
    ]) {
      const { headers } = await request(app).get('/').set('Origin', origin)
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['vary']).toBe('Origin')
    }
  })

  it('allows no origin with an empty list', async () => {
    const { headers } = await request(appWith({ allowedOrigins: [] }))
      .get('/')
      .set('Origin', 'https://one.example')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  it('answers a preflight itself, and lets every other OPTIONS go on', async () => {
    const app = appWith({ allowedHeaders: 'X-One' })
    const preflight = await request(app)
      .options('/')
      .set('Origin', 'https://any.example')
      .set('Access-Control-Request-Method', 'PUT')
      .expect(200, '')
    expect(preflight.headers['access-control-allow-headers']).toBe('X-One')
    expect(preflight.headers['content-length']).toBe('0')
    await request(app).options('/').expect(200, 'the route')
    await request(app).options('/').set('Origin', 'https://any.example').expect(200, 'the route')
  })

  it('keeps a Vary that is there already', async () => {
    const app = express()
    app.use((_request, response, next) => {
      response.vary('Accept-Language')
      next()
    })
    app.use(corsPolicy({ allowedOrigins: ['https://one.example'] }))
    app.use((_request, response) => void response.end())
    const { headers } = await request(app).get('/').set('Origin', 'https://one.example')
    expect(headers['vary']).toBe('Accept-Language, Origin')
  })

  it('never allows credentials', async () => {
    const { headers } = await request(appWith()).get('/').set('Origin', 'https://any.example')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })
})
