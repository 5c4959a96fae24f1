import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Express, NextFunction, Request, Response } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createExpressServer } from '../../../lib/http/express/create-server.js'
import { expressVersions } from '../../helpers/express-versions.js'
import { exchange, listen, requestBytes } from '../../helpers/raw-exchange.js'

type ExpressModule = (typeof expressVersions)[number][1]

const folder = mkdtempSync(join(tmpdir(), 'create-server-'))
const file = join(folder, 'page.txt')
writeFileSync(file, '0123456789')
// The modification time is part of the answer.
utimesSync(file, new Date(0), new Date(0))
const tls = selfSigned()
afterAll(() => rmSync(folder, { recursive: true }))

function selfSigned(): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const options = ['-x509', ...curve, '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', ...options], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

interface Extended {
  tenant(): string
}

/** An app that uses what Express offers, with extensions of its prototypes, a router and sub-apps. */
function demoApp(express: ExpressModule): Express {
  const app = express()
  app.set('trust proxy', 'loopback')
  app.engine('txt', (_path, options, done) => done(null, `rendered for ${(options as { name?: string }).name}`))
  app.set('views', folder)
  Object.assign(app.request, {
    tenant(this: Request) {
      return `tenant of ${this.hostname}`
    },
  })
  Object.assign(app.response, {
    envelope(this: Response, data: unknown) {
      return this.set('X-Envelope', '1').json({ data })
    },
  })

  app.get('/json', (_request, response) => void response.json({ apis: [{ id: 1 }], text: 'caf\u00e9' }))
  app.get('/send', (_request, response) => void response.send('<p>hello</p>'))
  app.get('/buffer', (_request, response) => void response.send(Buffer.from([0, 1, 2, 255])))
  app.get('/empty', (_request, response) => void response.status(204).send())
  app.get('/status', (_request, response) => void response.sendStatus(418))
  app.get('/end', (_request, response) => void response.end('bare'))
  app.get('/head', (_request, response) => void response.writeHead(201, 'Made', { 'X-By': 'hand' }).end('made'))
  app.get('/redirect', (_request, response) => response.redirect('/json?a=1'))
  app.get('/moved', (_request, response) => response.redirect(301, 'https://example.org/\u00fc'))
  app.get('/jsonp', (_request, response) => void response.jsonp({ a: '\u2028' }))
  app.get('/cookies', (_request, response) => {
    response
      .cookie('a', 'b c', { path: '/x', httpOnly: true, sameSite: 'lax' })
      .clearCookie('old')
      .append('Link', '<a>')
    response.links({ next: '/json?page=2' }).vary('Origin').type('txt').location('/json').send('ok')
  })
  app.get('/format', (_request, response) => {
    response.format({ text: () => response.send('text'), json: () => response.send({ format: 'json' }) })
  })
  app.get('/attachment', (_request, response) => void response.attachment('r\u00e9sum\u00e9.pdf').send('pdf'))
  app.get('/file', (_request, response) => response.sendFile(file))
  app.get('/download', (_request, response) => response.download(file, 'report.txt'))
  app.get('/render', (_request, response) => response.render('page.txt', { name: 'ann' }))
  app.get('/hints', (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.send('after the hints')
  })
  app.get('/stream', (_request, response) => {
    const source = new PassThrough()
    source.pipe(response)
    for (const part of ['one ', 'two ', 'three']) source.write(part)
    source.end()
  })
  app.get('/trailers', (_request, response) => {
    response.set('Trailer', 'X-Sum').write('body')
    response.addTrailers({ 'X-Sum': '4' })
    response.end()
  })
  app.get('/locals', (request, response) => {
    response.locals['name'] = 'ann'
    response.json({ locals: { ...response.locals }, back: response.req === request, forth: request.res === response })
  })
  app.get('/extended', (request, response) => {
    const { tenant } = request as Request & Extended
    ;(response as Response & { envelope(data: unknown): void }).envelope(tenant.call(request))
  })
  app.all('/request', (request, response) => {
    const { method, url, originalUrl, baseUrl, path, query, hostname, protocol, secure, ip, ips, xhr } = request
    const { subdomains, fresh, stale, httpVersion, headers, rawHeaders, complete, aborted } = request
    const read = { type: request.is('json'), agent: request.get('User-Agent'), range: request.range(100) }
    const accepted = [request.accepts(['json', 'html']), request.acceptsLanguages('de', 'en')]
    const socket = { remote: request.socket.remoteAddress, same: request.socket === response.socket }
    const kinds = [request instanceof http.IncomingMessage, response instanceof http.ServerResponse]
    const names = [request, response].map((it) => [it.constructor.name, String(it), Object.getPrototypeOf(it) !== null])
    const own = [request, response].map((it) => Reflect.ownKeys(it).map(String))
    response.json({
      ...{ method, url, originalUrl, baseUrl, path, query, hostname, protocol, secure, ip, ips, xhr },
      ...{ subdomains, fresh, stale, httpVersion, headers, rawHeaders, complete, aborted },
      ...{ read, accepted, socket, kinds, names, own, app: request.app === app && response.app === app },
    })
  })
  app.post('/body', express.json(), express.urlencoded({ extended: false }), (request, response) => {
    response.status(201).json({ body: request.body ?? null })
  })
  app.post('/echo', (request, response) => void request.pipe(response))

  const router = express.Router({ mergeParams: true })
  router.param('id', (request, _response, next, id: string) => {
    Object.assign(request, { loaded: `api ${id}` })
    next()
  })
  router.get('/apis/:id', (request, response) => {
    const { params, baseUrl, path, url } = request
    response.json({ params, baseUrl, path, url, loaded: (request as { loaded?: string }).loaded })
  })
  app.use('/management/:tenant', router)
  app.use('/static', express.static(folder, { index: false }))

  const inner = express()
  Object.assign(inner.request, { tenant: () => 'tenant of the inner app' })
  inner.get('/who', (request, response) => {
    response.json({ who: (request as Request & Extended).tenant(), app: request.app === inner, path: inner.path() })
  })
  inner.get('/fail', () => {
    throw Object.assign(new Error('inner'), { status: 409 })
  })
  const middle = express().disable('x-powered-by').use('/inner', inner)
  app.use('/middle', middle)
  app.use('/middle', (request, response) => {
    response.json({ who: (request as Request & Extended).tenant(), app: request.app === app, after: 'the sub-apps' })
  })

  app.get('/throw', () => {
    throw new Error('thrown in a route')
  })
  app.get('/next', (_request, _response, next) => next(Object.assign(new Error('gone'), { status: 410 })))
  app.get('/late', (_request, response, next) => {
    response.status(200).write('begun')
    next(new Error('too late'))
  })
  app.get('/handled', (_request, _response, next) =>
    next(Object.assign(new Error('for the handler'), { handled: true })),
  )
  app.use((error: Error & { handled?: true }, _request: Request, response: Response, next: NextFunction) => {
    if (error.handled) response.status(500).json({ error: error.message })
    else next(error)
  })
  // Express would write each error to the console.
  app.set('env', 'test')
  return app
}

const json = { 'Content-Type': 'application/json' }
const cases: readonly (readonly [title: string, bytes: string])[] = [
  ['an object as JSON', requestBytes('GET /json')],
  ['HEAD', requestBytes('HEAD /json')],
  ['OPTIONS', requestBytes('OPTIONS /json')],
  ['a matching ETag', requestBytes('GET /json', { 'If-None-Match': '*' })],
  ['a string', requestBytes('GET /send')],
  ['a buffer', requestBytes('GET /buffer')],
  ['no content', requestBytes('GET /empty')],
  ['a status only', requestBytes('GET /status')],
  ['a bare end', requestBytes('GET /end')],
  ['writeHead by hand', requestBytes('GET /head')],
  ['a redirect', requestBytes('GET /redirect')],
  ['a redirect as HTML', requestBytes('GET /moved', { Accept: 'text/html' })],
  ['JSONP', requestBytes('GET /jsonp?callback=go')],
  ['cookies, links and other headers', requestBytes('GET /cookies')],
  ['a negotiated format', requestBytes('GET /format', { Accept: 'application/json' })],
  ['no acceptable format', requestBytes('GET /format', { Accept: 'image/png' })],
  ['an attachment', requestBytes('GET /attachment')],
  ['a file', requestBytes('GET /file')],
  ['a part of a file', requestBytes('GET /file', { Range: 'bytes=2-4' })],
  ['a range outside of a file', requestBytes('GET /file', { Range: 'bytes=90-' })],
  ['a download', requestBytes('GET /download')],
  ['a rendered view', requestBytes('GET /render')],
  ['a static file', requestBytes('GET /static/page.txt')],
  ['a static file that is not there', requestBytes('GET /static/missing.txt')],
  ['early hints', requestBytes('GET /hints')],
  ['a stream', requestBytes('GET /stream')],
  ['trailers', requestBytes('GET /trailers', { TE: 'trailers' })],
  ['locals and circular references', requestBytes('GET /locals')],
  ['extended prototypes', requestBytes('GET /extended')],
  [
    'everything a request tells',
    requestBytes('GET /request?a=1&b[c]=2', { 'User-Agent': 'x', 'Accept-Language': 'en' }),
  ],
  [
    'a forwarded request',
    requestBytes('GET /request', { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Proto': 'https' }),
  ],
  ['a request of XMLHttpRequest', requestBytes('PUT /request', { ...json, 'X-Requested-With': 'XMLHttpRequest' })],
  ['a JSON body', requestBytes('POST /body', { ...json, 'Content-Length': '7' }, '{"a":1}')],
  [
    'a form',
    requestBytes(
      'POST /body',
      { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '7' },
      'a=1&b=2',
    ),
  ],
  ['a body that is not JSON', requestBytes('POST /body', { ...json, 'Content-Length': '5' }, '{"a":')],
  [
    'a chunked body',
    requestBytes('POST /echo', { 'Transfer-Encoding': 'chunked' }, '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
  ],
  ['Expect: 100-continue', requestBytes('POST /echo', { Expect: '100-continue', 'Content-Length': '3' }, 'abc')],
  ['an unknown expectation', requestBytes('POST /echo', { Expect: 'cookies', 'Content-Length': '3' }, 'abc')],
  ['a router with parameters', requestBytes('GET /management/acme/apis/7?x=%20')],
  ['a parameter that cannot be decoded', requestBytes('GET /management/acme/apis/%E0%A4%A')],
  ['a sub-app of a sub-app', requestBytes('GET /middle/inner/who')],
  ['an error in a sub-app', requestBytes('GET /middle/inner/fail')],
  ['a sub-app that passes on', requestBytes('GET /middle/elsewhere')],
  ['an unknown path', requestBytes('GET /nothing/<b>')],
  ['an unknown method', requestBytes('PURGE /json')],
  ['an error that is thrown', requestBytes('GET /throw')],
  ['an error with a status', requestBytes('GET /next')],
  ['an error after the headers', requestBytes('GET /late')],
  ['an error that the app handles', requestBytes('GET /handled')],
  ['HTTP/1.0', 'GET /stream HTTP/1.0\r\n\r\n'],
  ['two requests in one packet', `GET /json HTTP/1.1\r\nHost: a\r\n\r\n${requestBytes('GET /send')}`],
  ['a request without Host', 'GET /json HTTP/1.1\r\n\r\n'],
  ['a request that is none', 'HELLO\r\n\r\n'],
  ['too many bytes of headers', requestBytes('GET /json', { 'X-Long': 'x'.repeat(17_000) })],
  ['an upgrade that nobody offers', requestBytes('GET /send', { Connection: 'Upgrade, close', Upgrade: 'websocket' })],
]

describe.each(expressVersions)('%s', (_version, express) => {
  describe.each([
    ['http', (app: Express) => http.createServer(app), (app: Express) => createExpressServer(app)],
    [
      'https',
      (app: Express) => https.createServer(tls, app),
      (app: Express) => createExpressServer(app, { protocol: 'https', tls }),
    ],
  ])('over %s', (_protocol, plainServer, expressServer) => {
    const plain: http.Server = plainServer(demoApp(express))
    const fast: http.Server = expressServer(demoApp(express))
    beforeAll(() => Promise.all([listen(plain), listen(fast)]))
    afterAll(() => void [plain.close(), fast.close()])

    it.each(cases)('answers %s with the same bytes as app.listen', async (_title, bytes) => {
      const [expected, actual] = await Promise.all([exchange(plain, bytes), exchange(fast, bytes)])
      expect(expected).toMatch(/^HTTP\/1\.1 \d{3} /)
      expect(actual).toBe(expected)
    })
  })
})
