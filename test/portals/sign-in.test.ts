import { describe, expect, it } from 'vitest'
import { basic, users } from '../helpers/front.js'
import { secretsIn } from '../helpers/recorded-log.js'
import { twoSetUps } from '../helpers/set-ups.js'
import { navigation, origin, ownForm, startPortals } from './portal-front.js'

const { admin, reader } = users

describe.each(twoSetUps)('a portal with $name', (setUp) => {
  // Covers: D06 D08
  it('leads to the login page, lets in, keeps signed in, and signs out', async () => {
    const front = await startPortals({}, setUp)
    const asked = await front.call('GET', '/publisher/apis?page=2', navigation)
    expect(asked.status).toBe(303)
    expect(asked.header('location')).toBe('/publisher/login?return_to=%2Fpublisher%2Fapis%3Fpage%3D2')

    const page = await front.call('GET', asked.header('location')!, navigation)
    expect(page.status).toBe(200)
    expect(page.body).toContain('name="return_to" value="/publisher/apis?page=2"')

    const signedIn = await front.signIn('/publisher', { return_to: '/publisher/apis?page=2' })
    expect(signedIn.status).toBe(303)
    expect(signedIn.header('location')).toBe('/publisher/apis?page=2')
    const [pair, ...attributes] = signedIn.header('set-cookie')!.split('; ')
    expect(pair).toMatch(/^__Host-sallyport-publisher=[A-Za-z0-9_-]{43}$/)
    expect(attributes.toSorted()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'])

    const cookie = `Cookie: ${pair}`
    const shown = await front.call('GET', '/publisher/apis?page=2', [...navigation, cookie])
    expect(shown.json()).toMatchObject({ subject: 'admin', kind: 'portal', isAdmin: true })
    expect(shown.header('cache-control')).toBe('no-store')

    const signedOut = await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    expect(signedOut.status).toBe(303)
    expect(signedOut.header('location')).toBe('/publisher/login')
    const [cleared, ...clearedAttributes] = signedOut.header('set-cookie')!.split('; ')
    expect(cleared).toBe('__Host-sallyport-publisher=')
    expect(clearedAttributes.toSorted()).toEqual([...attributes, 'Max-Age=0'].toSorted())

    const replayed = await front.call('GET', '/publisher/apis', [cookie])
    expect(replayed.status).toBe(401)
    expect(replayed.json()['code']).toBe('ERR_SESSION_ENDED')
    expect(front.handled).toEqual(['GET /publisher/apis?page=2'])
    const { tokenId } = front.events[0] as unknown as { readonly tokenId: string }
    const known = { address: '127.0.0.1', subject: 'admin', at: expect.any(Number), tokenId }
    expect(front.events).toMatchObject([
      { name: 'login', kind: 'portal', ...known },
      { name: 'logout', ...known },
      { name: 'refusal', code: 'ERR_SESSION_ENDED' },
    ])
    expect(tokenId).toMatch(/^[\w-]{43}$/)
  })

  it.each([
    ['express.urlencoded', { extended: false }],
    ['express.urlencoded, extended', { extended: true }],
  ])('takes a form that %s has read', async (_what, options) => {
    const front = await startPortals({ prepare: (app) => void app.use(setUp.express.urlencoded(options)) }, setUp)
    expect((await front.signIn('/publisher', { return_to: '/publisher/x' })).header('location')).toBe('/publisher/x')
    const nested = await front.call(
      'POST',
      '/publisher/login',
      formHeaders,
      'username[a]=admin&username[b]=x&password=y',
    )
    expect(nested.status).toBe(400)
  })

  it('takes a form that express.text or express.raw has read', async () => {
    for (const parser of ['text', 'raw'] as const) {
      const front = await startPortals(
        { prepare: (app) => void app.use(setUp.express[parser]({ type: '*/*' })) },
        setUp,
      )
      expect((await front.signIn('/publisher')).status).toBe(303)
    }
  })

  it('leaves the body of what it passes on to the app', async () => {
    const front = await startPortals({ prepare: (app) => void app.use(setUp.express.json()) }, setUp)
    const cookie = await front.cookieOf('/publisher')
    const answer = await front.call(
      'POST',
      '/publisher/apis',
      [cookie, `Origin: ${origin}`, 'Content-Type: application/json'],
      '{"name":"x"}',
    )
    expect(answer.json()).toMatchObject({ subject: 'admin', body: { name: 'x' } })
  })
})

const formHeaders = [...ownForm, 'Content-Type: application/x-www-form-urlencoded']

describe('signing in', () => {
  it('answers a wrong password with the page, one message and no cookie', async () => {
    const front = await startPortals()
    const answers = [
      await front.signIn('/publisher', { password: 'wrong-password', return_to: '/publisher/x' }),
      await front.signIn('/publisher', { username: 'nobody', password: 'wrong-password', return_to: '/publisher/x' }),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(401)
      expect(answer.header('www-authenticate')).toBe('Cookie realm="Sallyport"')
      expect(answer.header('set-cookie')).toBeUndefined()
      expect(answer.header('cache-control')).toBe('no-store')
      expect(answer.body).toContain('role="alert">Invalid user name or password.</p>')
      expect(answer.body).toContain('name="return_to" value="/publisher/x"')
      expect(answer.body).not.toContain('wrong-password')
    }
    expect(answers[0]!.body.replaceAll('admin', '?')).toBe(answers[1]!.body.replaceAll('nobody', '?'))
    expect(front.events.map(({ name }) => name)).toEqual(['loginRefused', 'loginRefused'])
  })

  it('answers a program with JSON', async () => {
    const front = await startPortals()
    const answer = await front.signIn('/publisher', { password: 'wrong-password' }, [
      `Origin: ${origin}`,
      'Accept: */*',
    ])
    expect(answer.status).toBe(401)
    expect(answer.json()).toEqual({
      Error: 'Invalid user name or password.',
      code: 'ERR_AUTH_INVALID_CREDENTIALS',
    })
    expect(answer.header('www-authenticate')).not.toMatch(/basic/i)
  })

  it('escapes what was typed', async () => {
    const front = await startPortals()
    const typed = `"><script>alert('1')</script>&`
    const answer = await front.signIn('/publisher', { username: typed })
    expect(answer.body).not.toContain('<script')
    expect(answer.body).toContain('value="&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;"')
  })

  it('says 429 with Retry-After on the page when there were too many failures', async () => {
    const front = await startPortals({ root: { management_api: { login_throttle: { max_failures: 1 } } } })
    await front.signIn('/publisher', { password: 'wrong-password' })
    const answer = await front.signIn('/publisher')
    expect(answer.status).toBe(429)
    expect(Number(answer.header('retry-after'))).toBeGreaterThan(0)
    expect(answer.body).toContain('role="alert">Too many failed logins. Try again in 1 minute.</p>')
  })

  it('shares its throttle with the management API', async () => {
    const front = await startPortals({ root: { management_api: { login_throttle: { max_failures: 1 } } } })
    front.app.use('/management', front.security.managementApi())
    await front.signIn('/publisher', { password: 'wrong-password' })
    const answer = await front.call('GET', '/management/login', [basic(admin.name, admin.password)])
    expect(answer.status).toBe(429)
  })

  // Covers: D02
  it('begins a new session each time and ends the one that the cookie had', async () => {
    const front = await startPortals()
    const first = await front.cookieOf('/publisher')
    const again = await front.signIn('/publisher', {}, [...ownForm, first])
    const second = `Cookie: ${again.header('set-cookie')!.split(';')[0]}`
    expect(second).not.toBe(first)
    expect((await front.call('GET', '/publisher/', [first])).status).toBe(401)
    expect((await front.call('GET', '/publisher/', [second])).status).toBe(200)
  })

  it('does not take over a cookie that was planted', async () => {
    const front = await startPortals()
    const planted = `Cookie: __Host-sallyport-publisher=${'A'.repeat(43)}`
    const answer = await front.signIn('/publisher', {}, [...ownForm, planted])
    expect(answer.status).toBe(303)
    expect((await front.call('GET', '/publisher/', [planted])).status).toBe(401)
  })

  it.each([
    ['a field that is missing', 'username=admin', 400],
    ['a field that is sent twice', 'username=admin&password=x&password=y', 400],
    ['no body', '', 400],
    ['more than 16 KiB', `username=admin&password=${'x'.repeat(17_000)}`, 413],
  ])('refuses %s', async (_what, body, status) => {
    const front = await startPortals()
    const answer = await front.call('POST', '/publisher/login', formHeaders, body)
    expect(answer.status).toBe(status)
    expect(answer.header('set-cookie')).toBeUndefined()
  })

  it.each([
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded; charset=utf-16',
  ])('refuses a body of type %s', async (type) => {
    const front = await startPortals()
    const answer = await front.call('POST', '/publisher/login', [`Origin: ${origin}`, `Content-Type: ${type}`], 'x')
    expect(answer.status).toBe(415)
    expect(answer.json()).toEqual({
      Error: 'Send application/x-www-form-urlencoded.',
      code: 'ERR_MEDIA_TYPE_UNSUPPORTED',
    })
  })

  it.each([
    ['login', 'PUT', 'GET, HEAD, POST'],
    ['logout', 'GET', 'POST'],
    ['session', 'DELETE', 'GET, HEAD, POST'],
  ])('answers 405 to the wrong method at /%s', async (path, method, allow) => {
    const front = await startPortals()
    const answer = await front.call(method, `/publisher/${path}`, [`Origin: ${origin}`])
    expect(answer.status).toBe(405)
    expect(answer.header('allow')).toBe(allow)
  })

  it('refuses TRACE, which would show the cookie', async () => {
    const front = await startPortals()
    expect((await front.call('TRACE', '/publisher/', [`Origin: ${origin}`])).status).toBe(405)
  })

  it.each(['at once', 'later'])('shows the login page of the app in place of ours, made %s', async (when) => {
    const views: unknown[] = []
    const html = '<p>The page of the app.</p>'
    const loginPage = (view: object): string | Promise<string> => {
      views.push(view)
      return when === 'later' ? Promise.resolve(html) : html
    }
    const front = await startPortals({ portal: { loginPage } })
    const ways = { takesPassword: true, signInAt: [] }
    const presentation = { title: 'Publisher', support: undefined, logo: undefined, language: 'en' }
    const view = { portal: 'publisher', ...presentation, ...ways }
    const page = await front.call('GET', '/publisher/login?return_to=/publisher/x', navigation)
    expect(page.body).toBe('<p>The page of the app.</p>')
    expect(page.header('content-type')).toBe('text/html; charset=utf-8')
    await front.signIn('/publisher', { password: 'wrong-password' })
    expect(views).toEqual([
      { ...view, action: '/publisher/login', returnTo: '/publisher/x', userName: '', message: undefined },
      {
        ...view,
        action: '/publisher/login',
        returnTo: undefined,
        userName: 'admin',
        message: 'Invalid user name or password.',
      },
    ])
  })

  it('writes no password, cookie or query to the log', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    await front.signIn('/publisher', { username: reader.name, password: 'wrong-password' })
    await front.call('GET', '/publisher/?key=a-secret-query', [cookie, cookie])
    await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    expect(secretsIn(front.lines.join('\n') + JSON.stringify(front.events))).toEqual([])
    expect(front.lines.join('\n')).not.toContain('a-secret-query')
  })
})
