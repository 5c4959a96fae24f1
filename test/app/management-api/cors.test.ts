import { describe, expect, it } from 'vitest'
import { basic, bearer, document, startFront } from '../../helpers/front.js'
import { twoSetUps } from '../../helpers/set-ups.js'

const listed = document({
  managementApi: { cors: { allowed_origins: 'https://one.example, https://two.example:8443' } },
})
const methods = 'GET, POST, PUT, DELETE,OPTIONS, PATCH'
const headers = 'Authorization, Content-Type'
const from = (origin: string): string => `Origin: ${origin}`
const preflight = (origin: string): readonly string[] => [from(origin), 'Access-Control-Request-Method: DELETE']

// Covers: H01 H02 H03
describe.each(twoSetUps)('CORS on $name', (setUp) => {
  it.each([[[]], [[from('https://any.example')]], [[from('null')]]])(
    'sends * by default, with the two other headers, on an answer to %j',
    async (lines) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', '/whoami', [...lines, bearer(await front.login())])
      expect(answer.status).toBe(200)
      expect(answer.header('access-control-allow-origin')).toBe('*')
      expect(answer.header('access-control-allow-methods')).toBe(methods)
      expect(answer.header('access-control-allow-headers')).toBe(headers)
      expect(answer.header('access-control-allow-credentials')).toBeUndefined()
    },
  )

  it.each(['https://one.example', 'https://two.example:8443'])(
    'names the listed origin %s, with Vary',
    async (origin) => {
      const front = await startFront(setUp, { source: listed })
      const answer = await front.call('GET', '/whoami', [from(origin), bearer(await front.login())])
      expect(answer.header('access-control-allow-origin')).toBe(origin)
      expect(answer.header('vary')).toMatch(/\bOrigin\b/)
    },
  )

  it.each([
    [[from('https://three.example')]],
    [[from('https://one.example.evil.example')]],
    [[from('http://one.example')]],
    [[from('https://one.example:444')]],
    [[from('HTTPS://ONE.EXAMPLE')]],
    [[from('null')]],
    [[]],
  ])('names no origin for %j, with Vary', async (lines) => {
    const front = await startFront(setUp, { source: listed })
    const answer = await front.call('GET', '/whoami', [...lines, bearer(await front.login())])
    expect(answer.status).toBe(200)
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
    expect(answer.header('vary')).toMatch(/\bOrigin\b/)
  })

  it.each(['/apis', '/users', '/login', '/logout', '/nothing/here', ''])(
    'answers a preflight for %s with 200, without authentication and without the app',
    async (path) => {
      const front = await startFront(setUp)
      const answer = await front.call('OPTIONS', path, preflight('https://any.example'))
      expect(answer.status).toBe(200)
      expect(answer.body).toBe('')
      expect(answer.header('access-control-allow-origin')).toBe('*')
      expect(answer.header('access-control-allow-methods')).toBe(methods)
      expect(answer.header('access-control-allow-headers')).toBe(headers)
      expect(answer.header('vary')).toMatch(/Access-Control-Request-Method/)
      expect(front.handled).toEqual([])
      expect(front.events).toEqual([])
    },
  )

  it('answers the preflight of an origin that is not listed with 200 and names no origin', async () => {
    const front = await startFront(setUp, { source: listed })
    const answer = await front.call('OPTIONS', '/apis', preflight('https://three.example'))
    expect(answer.status).toBe(200)
    expect(answer.header('access-control-allow-origin')).toBeUndefined()
    expect(answer.header('vary')).toMatch(/\bOrigin\b/)
    expect(front.handled).toEqual([])
  })

  it.each([[[]], [[from('https://any.example')]], [['Access-Control-Request-Method: DELETE']]])(
    'authenticates an OPTIONS that is no preflight: %j',
    async (lines) => {
      const front = await startFront(setUp)
      expect((await front.call('OPTIONS', '/apis', lines)).status).toBe(401)
      expect(front.handled).toEqual([])
      const token = await front.login()
      expect((await front.call('OPTIONS', '/apis', [...lines, bearer(token)])).status).toBe(200)
      expect(front.handled).toEqual(['OPTIONS /apis'])
    },
  )

  it('puts its headers on refusals', async () => {
    const front = await startFront(setUp, { source: listed })
    const origin = from('https://one.example')
    const refusals = [
      await front.call('GET', '/apis', [origin]),
      await front.call('GET', '/login', [origin, basic('admin', 'a-wrong-password')]),
      await front.call('PUT', '/login', [origin]),
      await front.call('GET', '/users', [
        origin,
        bearer(await front.login({ name: 'reader', password: 'Battery-staple-2' })),
      ]),
    ]
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 405, 403])
    for (const refusal of refusals) {
      expect(refusal.header('access-control-allow-origin')).toBe('https://one.example')
      expect(refusal.header('vary')).toMatch(/\bOrigin\b/)
    }
  })

  it.each(['GET', 'OPTIONS'])('puts none on a refusal by address (%s)', async (method) => {
    const source = document({ managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] } } })
    const front = await startFront(setUp, { source })
    const answer = await front.call(method, '/apis', preflight('https://any.example'))
    expect(answer.status).toBe(403)
    expect(answer.body).toBe('')
    expect(answer.headerLines.filter((line) => /^(?:access-control|vary)/i.test(line))).toEqual([])
  })

  it.each(['enable', 'enabled'])('is off with cors.%s = false: a preflight needs authentication', async (key) => {
    const front = await startFront(setUp, { source: document({ managementApi: { cors: { [key]: 'false' } } }) })
    const refused = await front.call('OPTIONS', '/apis', preflight('https://any.example'))
    expect(refused.status).toBe(401)
    const passed = await front.call('GET', '/apis', [from('https://any.example'), bearer(await front.login())])
    for (const answer of [refused, passed]) {
      expect(answer.headerLines.filter((line) => /^(?:access-control|vary)/i.test(line))).toEqual([])
    }
  })

  it('sends allowed_headers as they are written', async () => {
    const source = document({ managementApi: { cors: { allowed_headers: 'Authorization,X-Portal' } } })
    const front = await startFront(setUp, { source })
    const answer = await front.call('OPTIONS', '/apis', preflight('https://any.example'))
    expect(answer.header('access-control-allow-headers')).toBe('Authorization,X-Portal')
    expect((await front.call('GET', '/apis')).header('access-control-allow-headers')).toBe('Authorization,X-Portal')
  })
})
