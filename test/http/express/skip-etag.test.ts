import http from 'node:http'
import { Socket } from 'node:net'
import type { Express, RequestHandler, Response } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { createExpressServer } from '../../../lib/http/express/create-server.js'
import { skipEtag } from '../../../lib/http/express/skip-etag.js'
import { expressVersions } from '../../helpers/express-versions.js'

/** What a gate does to the answer for an authenticated caller. */
const guard: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store')
  skipEtag(response)
  next()
}

const servers = [
  ['app.listen', (app: Express) => http.createServer(app)],
  ['createServer', (app: Express) => createExpressServer(app)],
] as const

const setUps = expressVersions.flatMap(([version, express]) =>
  servers.map(([server, serve]) => ({ name: `${version}, ${server}`, version, express, serve })),
)

describe.each(setUps)('an answer that no cache may keep ($name)', ({ express, serve }) => {
  const makesTag = expect.stringMatching(/^W\/"[\da-f]+-/)

  async function tagOf(app: Express, path = '/'): Promise<string | undefined> {
    const answer = await request(serve(app)).get(path).expect(200)
    expect(answer.text).toContain('hello')
    return answer.headers['etag']
  }

  it.each<[string, (response: Response) => unknown]>([
    ['send', (response) => response.send('hello')],
    ['json', (response) => response.json({ hello: 1 })],
    ['jsonp', (response) => response.jsonp({ hello: 1 })],
    ['send of bytes', (response) => response.type('text').send(Buffer.from('hello'))],
    ['status and send', (response) => response.status(200).send('hello')],
  ])('has no ETag when it is made by %s, and the next one without a guard has one', async (_name, answer) => {
    const app = express()
    app.use('/guarded', guard)
    app.use((_request, response) => void answer(response))
    expect(await tagOf(app, '/guarded')).toBeUndefined()
    expect(await tagOf(app, '/open')).toEqual(makesTag)
    expect(await tagOf(app, '/guarded')).toBeUndefined()
  })

  it('has one again when the route lets caches keep it, and 304 works', async () => {
    const app = express().use(guard)
    app.use((_request, response) => void response.set('Cache-Control', 'private, no-cache').send('hello'))
    const tag = await tagOf(app)
    expect(tag).toEqual(makesTag)
    await request(serve(app)).get('/').set('If-None-Match', tag!).expect(304)
  })

  it('keeps the ETag that the route has set, and is compared with it', async () => {
    const app = express().use(guard)
    app.use((_request, response) => {
      expect(response.get('ETag')).toBeUndefined()
      response.set('ETag', '"version-7"').send('hello')
    })
    expect(await tagOf(app)).toBe('"version-7"')
    await request(serve(app)).get('/').set('If-None-Match', '"version-7"').expect(304)
  })

  it('has the ETags that the app has asked for: strong ones, its own, or those of true', async () => {
    const strong = express().set('etag', 'strong').use(guard)
    strong.use((_request, response) => void response.send('hello'))
    expect(await tagOf(strong)).toMatch(/^"[\da-f]+-/)

    const own = express()
      .set('etag', () => '"own"')
      .use(guard)
    own.use((_request, response) => void response.send('hello'))
    expect(await tagOf(own)).toBe('"own"')

    const past = express()
      .set('etag fn', () => '"past"')
      .use(guard)
    past.use((_request, response) => void response.send('hello'))
    expect(await tagOf(past)).toBe('"past"')

    const asked = express().set('etag', true).use(guard)
    asked.use((_request, response) => void response.send('hello'))
    expect(await tagOf(asked)).toEqual(makesTag)
  })

  it('keeps the ETag of a file', async () => {
    const app = express().use(guard)
    app.use((_request, response) => response.sendFile(import.meta.filename))
    const answer = await request(serve(app)).get('/').expect(200)
    expect(answer.headers).toMatchObject({ etag: makesTag, 'cache-control': 'no-store' })
  })

  it('leaves the ETags on when send throws', async () => {
    const app = express()
    let thrown: unknown
    app.use('/guarded', guard, (_request, response) => {
      response.end('hello')
      try {
        response.send('too late')
      } catch (error) {
        thrown = error
      }
    })
    app.use((_request, response) => void response.send('hello'))
    await tagOf(app, '/guarded')
    expect(thrown).toMatchObject({ code: 'ERR_HTTP_HEADERS_SENT' })
    expect(await tagOf(app, '/open')).toEqual(makesTag)
  })

  it.each([
    ['strong', /^"[\da-f]+-/],
    [false, undefined],
    [() => '"own"', /^"own"$/],
  ] as const)(
    'leaves the app the setting %s that it has chosen while send was under way',
    async (setting, expected) => {
      const app = express()
      app.use('/guarded', guard, (_request, response) => {
        response.on('prefinish', () => app.set('etag', setting))
        response.send('hello')
      })
      app.use((_request, response) => void response.send('hello'))
      expect(await tagOf(app, '/guarded')).toBeUndefined()
      const tag = await tagOf(app, '/open')
      if (expected === undefined) expect(tag).toBeUndefined()
      else expect(tag).toMatch(expected)
    },
  )

  it('goes through every send that somebody has put in the way, before and after the guard', async () => {
    const seen: string[] = []
    const noting =
      (name: string): RequestHandler =>
      (_request, response, next) => {
        const { send } = response
        response.send = function noted(this: Response, body) {
          seen.push(name)
          return send.call(this, body)
        }
        next()
      }
    const after = express().use(guard, noting('after'))
    after.use((_request, response) => void response.send('hello'))
    expect(await tagOf(after)).toBeUndefined()
    expect(seen).toEqual(['after'])

    const before = express().use(noting('before'), guard)
    before.use((_request, response) => void response.send('hello'))
    await tagOf(before)
    expect(seen).toEqual(['after', 'before'])

    const ofApp = express().use(guard)
    const { send } = ofApp.response
    ofApp.response.send = function noted(this: Response, body) {
      seen.push('app')
      return send.call(this, body)
    }
    ofApp.use((_request, response) => void response.send('hello'))
    expect(await tagOf(ofApp)).toBeUndefined()
    expect(seen).toEqual(['after', 'before', 'app'])
  })

  it('is sent by objects that inherit from the response in several steps, wrapped or not', async () => {
    const app = express().use(guard)
    const heir = (response: Response): Response =>
      Object.assign(Object.create(response), {
        end: (...values: Parameters<Response['end']>) => response.end(...values),
      })
    app.use('/twice', (_request, response) => void Object.create(heir(response)).send('hello'))
    app.use('/wrapped', (_request, response) => {
      const wrapped = heir(response)
      wrapped.send = function send(this: Response, body) {
        return response.send.call(this, body)
      }
      Object.create(wrapped).send('hello')
    })
    expect(await tagOf(app, '/twice')).toBeUndefined()
    expect(await tagOf(app, '/wrapped')).toBeUndefined()
  })

  it('is sent where nobody may replace send, and where there is none', async () => {
    const app = express().use(guard)
    app.use((_request, response) => void response.send('hello'))
    Object.defineProperty(app.response, 'send', { value: app.response.send, writable: false })
    expect(await tagOf(app)).toEqual(makesTag)

    const plain = new http.ServerResponse(new http.IncomingMessage(new Socket()))
    skipEtag(plain as Response)
    expect(plain).not.toHaveProperty('send')
  })

  it('goes by the settings and the send of the sub-app that answers', async () => {
    const strong = express().set('etag', 'strong')
    strong.use((_request, response) => void response.send('hello'))
    const own = express()
    own.response.send = function send() {
      return this.type('text').end('hello of the sub-app')
    }
    own.use((_request, response) => void response.send('anything'))
    const plain = express()
    plain.use((_request, response) => void response.send('hello'))
    const app = express().use(guard).use('/strong', strong).use('/own', own).use('/plain', plain)

    expect(await tagOf(app, '/strong')).toMatch(/^"[\da-f]+-/)
    expect(await tagOf(app, '/plain')).toBeUndefined()
    await request(serve(app)).get('/own').expect('hello of the sub-app')
  })

  it('has its ETag where the settings cannot be changed', async () => {
    const app = express().use(guard)
    app.use((_request, response) => void response.send('hello'))
    const server = serve(app)
    Object.freeze(app.settings)
    const answer = await request(server).get('/').expect(200, 'hello')
    expect(answer.headers['etag']).toEqual(makesTag)
  })
})

describe.each(setUps.filter(({ version }) => version === 'Express 4'))('an answer of $name', ({ express, serve }) => {
  it('is sent with the status that stands before the body', async () => {
    const app = express().use(guard)
    app.use((_request, response) => void (response.send as (status: number, body: string) => void)(202, 'hello'))
    const answer = await request(serve(app)).get('/').expect(202, 'hello')
    expect(answer.headers['etag']).toBeUndefined()
  })
})
