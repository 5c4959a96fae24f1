import type { Express, RequestHandler, Router } from 'express'
import { describe, expect, it } from 'vitest'
import { isMountedAt } from '../../lib/http/mounted-at.js'
import { expressVersions } from '../helpers/express-versions.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'

type ExpressLine = (typeof expressVersions)[number][1]
type Mount = (app: Express, handler: RequestHandler, express: ExpressLine) => unknown

const below = (express: ExpressLine, path: string, handler: RequestHandler): Router => {
  const router = express.Router()
  router.use(path, handler)
  return router
}

/** How a handler is mounted, and whether that is at `/auth/oauth2`. */
const mounts: readonly (readonly [how: string, expected: boolean | undefined, mount: Mount])[] = [
  ['its path', true, (app, handler) => app.use('/auth/oauth2', handler)],
  ['its path in another case', true, (app, handler) => app.use('/Auth/OAuth2', handler)],
  ['its path with a slash at the end', true, (app, handler) => app.use('/auth/oauth2/', handler)],
  ['one of two paths', true, (app, handler) => app.use(['/elsewhere', '/auth/oauth2'], handler)],
  ['a path with a parameter', true, (app, handler) => app.use('/:area/oauth2', handler)],
  ['its path behind another handler', true, (app, handler) => app.use('/auth/oauth2', (_a, _b, c) => c(), handler)],
  ['elsewhere, and then its path', true, (app, handler) => app.use('/x', handler).use('/auth/oauth2', handler)],
  ['a router', true, (app, handler, express) => app.use('/auth', below(express, '/oauth2', handler))],
  ['the root of a router', true, (app, handler, express) => app.use('/auth/oauth2', below(express, '/', handler))],
  ['a router without a path', true, (app, handler, express) => app.use(below(express, '/auth/oauth2', handler))],
  ['the root', false, (app, handler) => app.use(handler)],
  ['a part of it', false, (app, handler) => app.use('/auth', handler)],
  ['a path below', false, (app, handler) => app.use('/auth/oauth2/x', handler)],
  ['another path', false, (app, handler) => app.use('/oauth2', handler)],
  ['a router at another path', false, (app, handler, express) => app.use('/x', below(express, '/oauth2', handler))],
  ['nothing', undefined, () => undefined],
  ['a function', undefined, (app, handler) => app.use('/x', (a, b, c) => handler(a, b, c))],
  ['a sub-app', undefined, (app, handler, express) => app.use('/x', express().use('/y', handler))],
]

describe.each(expressVersions)('with %s, a handler that is mounted at', (_name, express) => {
  it.each(mounts)('%s: %j', async (_how, expected, mount) => {
    const app = express()
    const baseUrls: string[] = []
    const handler: RequestHandler = (request, response) => {
      baseUrls.push(request.baseUrl)
      response.end()
    }
    mount(app, handler, express)
    expect(isMountedAt(app, new Set([handler]), '/auth/oauth2')).toBe(expected)

    // What Express does then is what was foretold.
    if (expected === undefined) return
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await sendRaw(port, requestBytes('GET', '/auth/oauth2/jwks'))
    server.close()
    expect(baseUrls[0] === '/auth/oauth2').toBe(expected)
  })

  it('a router that is mounted in itself', () => {
    const app = express()
    const handler: RequestHandler = (_request, response) => void response.end()
    const router = express.Router()
    router.use('/oauth2', handler)
    router.use('/again', router)
    app.use('/auth', router)
    expect(isMountedAt(app, new Set([handler]), '/auth/oauth2')).toBe(true)
    expect(isMountedAt(app, new Set([handler]), '/oauth2')).toBe(false)
  })
})

it.each([
  ['nothing of a router', {}],
  ['layers of another kind', { _router: { stack: [null, 1, { handle: 'x' }] } }],
  ['a layer that does not say what it takes', { _router: { stack: [{ handle: 'x', match: (): boolean => true }] } }],
  [
    'a layer that throws',
    {
      _router: {
        stack: [
          {
            match() {
              throw new URIError('malformed')
            },
          },
        ],
      },
    },
  ],
])('says nothing of an app with %s', (_what, app) => {
  expect(isMountedAt(app as never, new Set(['x']), '/oauth2')).toBeUndefined()
})
