import { describe, expect, it } from 'vitest'
import { users } from '../helpers/front.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { navigation, origin, ownForm, startPortals } from './portal-front.js'

describe.each(serverSetUps)('what people meet at a portal with $name', (setUp) => {
  it('is the reason why the login page is there: the session has ended', async () => {
    let now = Date.UTC(2026, 0, 1)
    const front = await startPortals({ options: { clock: () => now } }, setUp)
    const cookie = await front.cookieOf('/publisher')
    now += 31 * 60_000
    const asked = await front.call('GET', '/publisher/apis', [...navigation, cookie])
    expect([asked.status, asked.header('location')]).toEqual([303, '/publisher/login?return_to=%2Fpublisher%2Fapis'])
    const page = await front.call('GET', asked.header('location')!, [...navigation, cookie])
    expect(page.body).toContain('role="alert">Your session has ended. Sign in again.</p>')
    const first = await front.call('GET', '/publisher/login', navigation)
    expect(first.body).not.toContain('role="alert"')
  })

  it('is the reason why the login page is there again: the browser kept no cookie', async () => {
    const front = await startPortals({}, setUp)
    const fromLogin = `Referer: ${origin}/publisher/login`
    const asked = await front.call('GET', '/publisher/apis', [...navigation, fromLogin])
    expect(asked.header('location')).toBe('/publisher/login?return_to=%2Fpublisher%2Fapis&cookie=missing')
    const page = await front.call('GET', asked.header('location')!, [...navigation, fromLogin])
    expect(page.body).toContain('Your browser did not keep the cookie of this site')
    for (const referer of [
      'Referer: http://other.test/publisher/login',
      'Referer: x',
      `Referer: ${origin}/publisher/`,
    ]) {
      const elsewhere = await front.call('GET', '/publisher/apis', [...navigation, referer])
      expect(elsewhere.header('location')).not.toContain('cookie=')
    }
  })

  it('is the page asked for, not the form, where they are signed in already', async () => {
    const front = await startPortals({}, setUp)
    const cookie = await front.cookieOf('/publisher')
    const page = await front.call('GET', '/publisher/login?return_to=/publisher/apis', [...navigation, cookie])
    expect([page.status, page.header('location')]).toEqual([303, '/publisher/apis'])
    expect((await front.call('GET', '/publisher/login', [...navigation, cookie])).header('location')).toBe(
      '/publisher/',
    )
  })

  it('is a button at the logout, which signs out nobody by itself', async () => {
    const front = await startPortals({}, setUp)
    const cookie = await front.cookieOf('/publisher')
    const page = await front.call('GET', '/publisher/logout', [...navigation, cookie])
    expect(page.status).toBe(200)
    expect(page.body).toContain('<h1>Publisher</h1>')
    expect(page.body).toContain('<form method="post" action="/publisher/logout">')
    expect((await front.call('GET', '/publisher/', [cookie])).status).toBe(200)
    expect(front.events.map(({ name }) => name)).toEqual(['login'])
    const picture = await front.call('GET', '/publisher/logout', [cookie, 'Sec-Fetch-Mode: no-cors'])
    expect([picture.status, picture.header('allow')]).toEqual([405, 'POST'])
  })

  it('is for HEAD what it is for GET, without a body', async () => {
    const front = await startPortals({}, setUp)
    const cookie = await front.cookieOf('/publisher')
    for (const [path, headers] of [
      ['/publisher/login', navigation],
      ['/publisher/login', []],
      ['/publisher/', navigation],
      ['/publisher/', ['Accept: text/html']],
      ['/publisher/', []],
      ['/publisher/logout', navigation],
      ['/publisher/session', [cookie]],
    ] as const) {
      const got = await front.call('GET', path, headers)
      const head = await front.call('HEAD', path, headers)
      expect([path, head.status, head.header('location')]).toEqual([path, got.status, got.header('location')])
      expect(head.body).toBe('')
    }
  })
})

describe('the page of a refusal', () => {
  it('shows the address and a reference that the event and the log have too', async () => {
    const front = await startPortals({ root: { portal: { publisher: { allow: ['10.0.0.0/8'] } } } })
    const page = await front.call('GET', '/publisher/', navigation)
    expect(page.status).toBe(403)
    expect(page.body).toContain('Your address: 127.0.0.1')
    const [, reference = 'none'] = /Reference: ([0-9a-f]{12})</.exec(page.body) ?? []
    expect(front.events).toMatchObject([{ name: 'refusal', code: 'ERR_IP_NOT_ALLOWED', reference }])
    expect(front.lines.join('\n')).toContain(reference)
    const program = await front.call('GET', '/publisher/')
    expect(program.body).not.toMatch(/127\.0\.0\.1|Reference/)
  })

  it('keeps the address to itself where the operator chose another status', async () => {
    const filter = { filter_name: 'f', url_pattern: '/*', allow_ip_regex: '10.0.0.1', deny_status: 404 }
    const front = await startPortals({ root: { servlet_access_control_filter: [filter] } })
    const page = await front.call('GET', '/publisher/', navigation)
    expect(page.status).toBe(404)
    expect(page.body).not.toContain('127.0.0.1')
  })

  it('says what its reader can do, not what the operator can', async () => {
    const front = await startPortals()
    const forged = ['Sec-Fetch-Site: cross-site', 'Origin: https://other.test']
    const page = await front.signIn('/publisher', {}, [...navigation, ...forged])
    expect(page.status).toBe(403)
    expect(page.body).toContain('Open the page again and try once more.')
    expect(page.body).not.toContain('[portal]')
    const otherHost = await front.signIn('/publisher', {}, ['Origin: https://portal.example'])
    expect(otherHost.body).toContain('write the public origin into origins of [portal]')
  })
})

describe('[portal.<name>]', () => {
  const shop = { title: 'The <Shop>', support: 'help@shop.example' }

  it('has a title and a support address that stand on its pages, and that a reload changes', async () => {
    const root = (portal: object): object => ({ portal: { shop: portal } })
    const front = await startPortals({
      root: root({ ...shop, allow: ['127.0.0.1'] }) as never,
      portals: { shop: '/shop' },
    })
    const page = await front.call('GET', '/shop/login', navigation)
    expect(page.body).toContain('<h1>The &#60;Shop&#62;</h1>')
    expect(page.body).toContain('Help: <a href="mailto:help@shop.example">help@shop.example</a>')
    const support = 'https://help.example/?a="b"'
    await front.security.reload({ ...root({ support, allow: ['10.0.0.1'] }), internal_apis: { users: [] } } as never)
    const refusal = await front.call('GET', '/shop/', navigation)
    expect(refusal.body).toContain('<a href="https://help.example/?a=&#34;b&#34;">')
  })

  it('makes no link of a text that is neither an address nor a URL', async () => {
    for (const support of ['Room 12, +41 44 000 00 00', 'javascript:alert(1)', 'data:text/html,x@y', 'x@y?bcc=z']) {
      const front = await startPortals({ root: { portal: { publisher: { support } } } })
      const page = await front.call('GET', '/publisher/login', navigation)
      expect(page.body).toContain(`Help: ${support}`)
      expect(page.body).not.toContain('<a ')
    }
  })
})

describe('two apps on two ports of one host', () => {
  it('keep their sessions apart by [portal] cookie_prefix', async () => {
    const one = await startPortals()
    const two = await startPortals({ root: { portal: { cookie_prefix: 'shop' } } })
    const cookies = [await one.cookieOf('/publisher'), await two.cookieOf('/publisher')].map((line) => line.slice(8))
    expect(cookies[1]).toMatch(/^__Host-shop-publisher=/)
    const both = `Cookie: ${cookies.join('; ')}`
    const signedOut = await one.call('POST', '/publisher/logout', [...ownForm, both])
    expect(signedOut.header('set-cookie')).toMatch(/^__Host-sallyport-publisher=;/)
    expect((await two.call('GET', '/publisher/', [both])).json()).toMatchObject({ subject: users.admin.name })
    expect((await one.call('GET', '/publisher/', [both])).status).toBe(401)
  })
})
