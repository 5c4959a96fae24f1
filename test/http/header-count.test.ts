import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { headersRefusal } from '../../lib/http/gate.js'
import { basic, document, startFront, users } from '../helpers/front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { serverSetUps } from '../helpers/set-ups.js'

/** What every request of {@link requestBytes} has: `Host` and `Connection`. */
const ownHeaders = 2

const shortHeaders = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index % 9}: 1`)

const source = document({ managementApi: { control_access: { enable: true, allow: ['127.0.0.1'] } } })
/** As the proxy of {@link source} adds it, behind all that the client sent. */
const fromElsewhere = 'X-Forwarded-For: 198.51.100.1'

// Covers: F07
describe.each(serverSetUps)('a request through a proxy that adds the address last, on $name', (setUp) => {
  const start = () => startFront(setUp, { source, prepare: (app) => app.set('trust proxy', ['127.0.0.1/32']) })
  const login = basic(users.admin.name, users.admin.password)

  it.each([1000, 1001, 1500, 2047])('is refused with %i headers, for the last may be lost', async (count) => {
    const front = await start()
    const answer = await front.call('GET', '/login', [login, ...shortHeaders(count - ownHeaders - 2), fromElsewhere])
    expect(answer.status).toBe(431)
    expect(answer.body).not.toContain('AccessToken')
    expect(await front.security.tokens.list()).toEqual([])
  })

  it('is known by that address with as many headers as are taken', async () => {
    const front = await start()
    const most = setUp.usesCreateServer ? 199 : 999
    const headers = shortHeaders(most - ownHeaders - 1)
    expect((await front.call('GET', '/jwks', [...headers, fromElsewhere])).status).toBe(403)
    expect((await front.call('GET', '/jwks', [...headers, 'X-Forwarded-For: 127.0.0.1'])).status).toBe(200)
  })

  it('is refused with one more, in the form of every refusal', async () => {
    const front = await start()
    const most = setUp.usesCreateServer ? 199 : 999
    const answer = await front.call('GET', '/login', [login, ...shortHeaders(most - ownHeaders)])
    expect(answer.status).toBe(431)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.json()).toEqual({ Error: 'The request has too many headers.', code: 'ERR_HEADERS_TOO_MANY' })
  })

  it('is not known by its trailers, which do not count', async () => {
    const front = await start()
    const headers = [...shortHeaders(150), 'Transfer-Encoding: chunked', 'X-Forwarded-For: 127.0.0.1']
    const head = requestBytes('GET', '/management/jwks', headers)
    expect((await front.send(`${head}0\r\n${shortHeaders(150).join('\r\n')}\r\n${fromElsewhere}\r\n\r\n`)).status).toBe(
      200,
    )
  })
})

it('is no matter for a route without a gate: createServer refuses it, and cuts nothing', async () => {
  const front = await startFront(serverSetUps[0])
  front.app.get('/open', ({ rawHeaders }, response) => void response.json(rawHeaders.length / 2))
  const get = (count: number) => front.send(requestBytes('GET', '/open', shortHeaders(count - ownHeaders)))
  expect((await get(199)).json()).toBe(199)
  for (const count of [200, 201, 400, 1500]) expect((await get(count)).status).toBe(431)
})

describe.each(serverSetUps)('the limit of a server, on $name', (setUp) => {
  it.each([
    ['a number', 40, 39, 40],
    ['less than Node reads at a time', 10, 9, 10],
    ['no limit', 0, 1500, undefined],
    ['nothing', null, 999, 1000],
  ])('is what the app says: %s', async (_what, maxHeadersCount, taken, refused) => {
    const front = await startFront(setUp, {
      prepare: (app) =>
        app.use((request, _response, next) => {
          server = (request.socket as unknown as { server: { maxHeadersCount: number | null } }).server
          next()
        }),
    })
    let server: { maxHeadersCount: number | null } | undefined
    await front.call('GET', '/login')
    server!.maxHeadersCount = maxHeadersCount
    const call = (count: number) => front.call('GET', '/jwks', shortHeaders(count - ownHeaders))
    expect((await call(taken)).status).toBe(200)
    if (refused !== undefined) expect((await call(refused)).status).toBe(431)
  })
})

it('reads the headers of HTTP/2, where Node refuses too many by itself', async () => {
  const refusals: unknown[] = []
  const server = http2.createServer((request, response) => {
    refusals.push(headersRefusal(request as never))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  const request = client.request({ ':path': '/', 'x-one': '1' })
  request.resume()
  await once(request, 'close')
  expect(refusals).toEqual([undefined])
})
