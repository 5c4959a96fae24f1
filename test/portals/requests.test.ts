import { describe, expect, it } from 'vitest'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { navigation, origin, ownForm, startPortals } from './portal-front.js'

describe('what a request without a session gets', () => {
  it.each([
    ['a navigation', 'GET', navigation, 303],
    ['a navigation with a form', 'POST', ownForm, 303],
    ['a GET that prefers HTML, from a browser without Fetch Metadata', 'GET', ['Accept: text/html,*/*;q=0.8'], 303],
    ['a fetch of a page', 'GET', ['Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty', 'Accept: */*'], 401],
    ['a picture', 'GET', ['Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image', 'Accept: image/*'], 401],
    ['a frame', 'GET', ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe', 'Accept: text/html'], 401],
    ['a program that takes anything', 'GET', ['Accept: */*'], 401],
    ['a program that takes JSON', 'GET', ['Accept: application/json'], 401],
    ['a program that prefers JSON', 'GET', ['Accept: text/html;q=0.5, application/json'], 401],
    ['a program that says nothing', 'GET', [], 401],
    ['a form without Fetch Metadata', 'POST', ['Accept: text/html', `Origin: ${origin}`], 401],
    ['credentials of HTTP Basic', 'GET', ['Authorization: Basic YWRtaW46Q29ycmVjdC1ob3JzZS0x'], 401],
    ['a preflight', 'OPTIONS', [`Origin: ${origin}`, 'Access-Control-Request-Method: PUT'], 401],
  ] as const)('%s', async (_what, method, headers, status) => {
    const front = await startPortals()
    const answer = await front.call(method, '/publisher/apis', headers)
    expect(answer.status).toBe(status)
    expect(front.handled).toEqual([])
    if (status === 303) expect(answer.header('location')).toMatch(/^\/publisher\/login(?:\?|$)/)
    else {
      expect(answer.json()).toMatchObject({ code: 'ERR_AUTH_REQUIRED' })
      expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
      expect(answer.header('www-authenticate')).toBe('Cookie realm="Sallyport"')
    }
  })

  it('is no token of the management API, and a session is none either', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const [{ id = '' } = {}] = await front.security.tokens.list({ kind: 'portal' })
    const credential = cookie.split('=')[1]!
    await expect((async () => front.security.tokens.verify(credential))()).rejects.toMatchObject({ status: 401 })
    await expect((async () => front.security.tokens.verify(id))()).rejects.toMatchObject({ status: 401 })
    expect((await front.call('GET', '/publisher/', [`Authorization: Bearer ${credential}`])).status).toBe(401)
  })
})

describe('cookies', () => {
  // Covers: D10 D11
  it.each(serverSetUps)('are refused when there are several of the name, with $name', async (setUp) => {
    const front = await startPortals({}, setUp)
    const cookie = await front.cookieOf('/publisher')
    const pair = cookie.slice('Cookie: '.length)
    for (const lines of [[`${cookie}; ${pair}`], [cookie, 'Cookie: __Host-sallyport-publisher=x'], [cookie, cookie]]) {
      for (const path of ['', '/session', '/login']) {
        const method = path === '' ? 'GET' : 'POST'
        const body = path === '/login' ? 'username=admin&password=x' : ''
        const type = 'Content-Type: application/x-www-form-urlencoded'
        const answer = await front.call(method, `/publisher${path}`, [...ownForm, type, ...lines], body)
        expect([path, answer.status]).toEqual([path, 400])
      }
      expect((await front.call('GET', '/publisher/login', [...navigation, ...lines])).status).toBe(200)
    }
  })

  it.each([
    ['another case', '__host-sallyport-publisher'],
    ['no prefix', 'sallyport-publisher'],
    ['another prefix', '__Secure-sallyport-publisher'],
    ['another portal', '__Host-sallyport-devportal'],
    ['no name', ''],
    ['a name of Object', '__proto__'],
  ])('of %s are nothing', async (_what, name) => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const value = cookie.split('=')[1]
    const alone = await front.call('GET', '/publisher/', [`Cookie: ${name}=${value}`])
    expect(alone.json()).toMatchObject({ code: 'ERR_AUTH_REQUIRED' })
    const beside = await front.call('GET', '/publisher/', [
      `Cookie: ${name}=other; constructor=1; ${cookie.slice(8)} ; x`,
    ])
    expect(beside.status).toBe(200)
  })

  // Browsers let any host of the domain set such a cookie, and send it as it is.
  it('of a name behind U+00A0 are nothing', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const lines = [`Cookie: \u00a0${cookie.slice('Cookie: '.length)}`]
    const answer = await sendRaw(front.port, Buffer.from(requestBytes('GET', '/publisher/', lines), 'latin1'))
    expect(answer.json()).toMatchObject({ code: 'ERR_AUTH_REQUIRED' })
  })

  it.each(['', '"quoted"', 'x'.repeat(4000), '%00', 'a=b'])('with the value %j end the same way', async (value) => {
    const front = await startPortals()
    const answer = await front.call('GET', '/publisher/', [`Cookie: __Host-sallyport-publisher=${value}`])
    expect(answer.json()).toMatchObject({ code: 'ERR_SESSION_ENDED' })
  })
})

// Covers: D12
describe('requests that change something', () => {
  const foreign = 'https://evil.example'

  it.each<[string[], number]>([
    [['Sec-Fetch-Site: same-origin'], 200],
    [['Sec-Fetch-Site: same-origin', `Origin: ${origin}`], 200],
    [['Sec-Fetch-Site: same-origin', 'Origin: null'], 200],
    [['Sec-Fetch-Site: none', `Origin: ${origin}`], 200],
    [[`Origin: ${origin}`], 200],
    [['Origin: https://portal.example.com'], 200],
    [['Sec-Fetch-Site: same-origin', 'Origin: https://portal.example.com'], 200],
    [[], 403],
    [['Referer: http://front.test/publisher/'], 403],
    [['Sec-Fetch-Site: none'], 403],
    [['Sec-Fetch-Site: same-site', `Origin: ${origin}`], 403],
    [['Sec-Fetch-Site: cross-site', `Origin: ${origin}`], 403],
    [['Sec-Fetch-Site: cross-site'], 403],
    [['Sec-Fetch-Site: Same-Origin'], 403],
    [['Sec-Fetch-Site: '], 403],
    [['Sec-Fetch-Site: same-origin', `Origin: ${foreign}`], 403],
    [['Sec-Fetch-Site: same-site', 'Origin: null'], 403],
    [['Sec-Fetch-Site: cross-site', 'Origin: null'], 403],
    [['Sec-Fetch-Site: none', 'Origin: null'], 403],
    [['Origin: null'], 403],
    [[`Origin: ${foreign}`], 403],
    [['Origin: https://front.test'], 403],
    [['Origin: http://front.test:8080'], 403],
    [['Origin: http://front.test.evil.example'], 403],
    [['Origin: http://FRONT.test'], 403],
    [['Origin: '], 403],
    [['Origin: http://portal.example.com'], 403],
    [['Origin: https://portal.example.com.evil.example'], 403],
  ])('with %j', async (headers, status) => {
    const front = await startPortals({ root: { portal: { origins: ['https://Portal.example.com:443'] } } })
    const cookie = await front.cookieOf('/publisher')
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await front.call(method, '/publisher/apis', [cookie, ...headers])
      expect([method, answer.status]).toEqual([method, status])
      if (status === 403) expect(answer.json()).toMatchObject({ code: 'ERR_CROSS_SITE' })
    }
    const extended = await front.call('POST', '/publisher/session', [cookie, ...headers])
    expect(extended.status).toBe(status)
    const signIn = await front.signIn('/publisher', {}, headers)
    expect(signIn.status).toBe(status === 200 ? 303 : 403)
    const logout = await front.call('POST', '/publisher/logout', [cookie, ...headers])
    expect(logout.status).toBe(status === 200 ? 204 : 403)
    expect(front.handled).toHaveLength(status === 200 ? 4 : 0)
  })

  it('have no own origin without a Host', async () => {
    const front = await startPortals()
    const lines = ['POST /publisher/login HTTP/1.0', 'Origin: http://undefined']
    const answer = await sendRaw(front.port, `${lines.join('\r\n')}\r\n\r\n`)
    expect(answer.json()).toMatchObject({ code: 'ERR_CROSS_SITE' })
  })

  it('may be read from anywhere, which changes nothing', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const answer = await front.call(method, '/publisher/x', [
        cookie,
        'Sec-Fetch-Site: cross-site',
        `Origin: ${foreign}`,
      ])
      expect([method, answer.status]).toEqual([method, 200])
      expect(answer.header('access-control-allow-origin')).toBeUndefined()
    }
  })

  it('has pages show a refusal as a page', async () => {
    const front = await startPortals()
    const answer = await front.call('POST', '/publisher/logout', [...navigation, 'Sec-Fetch-Site: cross-site'])
    expect(answer.status).toBe(403)
    expect(answer.header('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('<h1>No access</h1>')
    expect(answer.body).toContain('403 ERR_CROSS_SITE')
  })
})

// Covers: D15
describe('where a user lands after signing in', () => {
  it.each([
    ['/publisher', '/publisher'],
    ['/publisher/', '/publisher/'],
    ['/publisher/apis?page=2&x=%20', '/publisher/apis?page=2&x=%20'],
    ['/publisher/a/../b', '/publisher/b'],
    ['/Publisher/apis', '/Publisher/apis'],
    ['/publisher?x', '/publisher?x'],
    ['/publisher/apis?page=2#/apis/7', '/publisher/apis?page=2#/apis/7'],
    ['/publisher/#//evil.example', '/publisher/#//evil.example'],
    ['/publisher/#"><script>', '/publisher/#%22%3E%3Cscript%3E'],
    ['/publisher/login#x', '/publisher/'],
    [`/publisher/"><script>`, '/publisher/%22%3E%3Cscript%3E'],
    ['', '/publisher/'],
    ['/', '/publisher/'],
    ['/devportal/x', '/publisher/'],
    ['/publisherx', '/publisher/'],
    ['publisher/x', '/publisher/'],
    ['//evil.example/publisher/', '/publisher/'],
    ['///evil.example', '/publisher/'],
    ['/\\evil.example/publisher', '/publisher/'],
    ['\\\\evil.example', '/publisher/'],
    ['/%5cevil.example', '/publisher/'],
    ['/publisher/%5C..', '/publisher/'],
    ['/publisher/../admin', '/publisher/'],
    ['/publisher/%2e%2e/admin', '/publisher/'],
    ['/publisher/..//evil.example', '/publisher/'],
    ['https:evil.example', '/publisher/'],
    ['https://front.test/publisher/x', '/publisher/'],
    ['http://front.test@evil.example/', '/publisher/'],
    ['javascript:alert(1)', '/publisher/'],
    ['\tjavascript:alert(1)', '/publisher/'],
    ['/\t/evil.example', '/publisher/'],
    ['/publisher/\r\nSet-Cookie: a=b', '/publisher/'],
    ['/publisher/\u0000', '/publisher/'],
    [`/publisher/${'x'.repeat(2100)}`, '/publisher/'],
    ['/publisher/login', '/publisher/'],
    ['/publisher/logout?x', '/publisher/'],
    ['/publisher/SESSION/', '/publisher/'],
  ])('%j', async (asked, landed) => {
    const front = await startPortals()
    const answer = await front.signIn('/publisher', { return_to: asked })
    expect(answer.status).toBe(303)
    expect(answer.header('location')).toBe(landed)
    const page = await front.call('GET', `/publisher/login?return_to=${encodeURIComponent(asked)}`, navigation)
    const field = /name="return_to" value="([^"]*)"/
      .exec(page.body)?.[1]
      ?.replaceAll('&#38;', '&')
      .replaceAll('&#39;', "'")
    expect(field).toBe(landed === '/publisher/' && asked !== '/publisher/' ? undefined : landed)
  })

  it('is never another host, however the path of the portal was spelled', async () => {
    const front = await startPortals({ portals: { publisher: '/:tenant/publisher' } })
    for (const tenant of ['\\evil.example', 'a\\b', '%5cevil.example', '%C3%A9']) {
      const answer = await front.call('GET', `/${tenant}/publisher/x`, navigation)
      expect(answer.status).toBe(303)
      expect(answer.header('location')).toMatch(/^\/[A-Za-z0-9.%]+\/publisher\/login(?:\?return_to=[\w.%-]*)?$/)
      expect(answer.header('location')).not.toContain('\\')
    }
  })
})
