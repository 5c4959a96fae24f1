import { describe, expect, it } from 'vitest'
import type { RefusalPage, RefusalView } from '../../lib/portals/refusal-page.js'
import { users } from '../helpers/front.js'
import { navigation, ownForm, startPortals } from './portal-front.js'

const closed = { portal: { shop: { title: 'The <Shop>', support: 'help@shop.example', allow: ['10.0.0.1'] } } }

async function startShop(refusalPage: RefusalPage) {
  return startPortals({ root: closed, portals: { shop: '/shop' }, portal: { refusalPage } })
}

describe('security.portal(name, { refusalPage })', () => {
  it.each(['at once', 'later'])('shows the page of the app in place of the built-in one, made %s', async (when) => {
    const views: RefusalView[] = []
    const front = await startShop((view) => {
      views.push(view)
      const html = '<p>The page of the app.</p>'
      return when === 'later' ? Promise.resolve(html) : html
    })
    const page = await front.call('GET', '/shop/', [...navigation, 'Accept-Language: de'])
    expect([page.status, page.body]).toEqual([403, '<p>The page of the app.</p>'])
    expect(page.header('content-type')).toBe('text/html; charset=utf-8')
    expect(page.header('cache-control')).toBe('no-store')
    expect(page.header('content-security-policy')).toContain("frame-ancestors 'self'")
    expect(views).toEqual([
      {
        portal: 'shop',
        title: 'The <Shop>',
        support: 'help@shop.example',
        logo: undefined,
        language: 'de',
        status: 403,
        code: 'ERR_IP_NOT_ALLOWED',
        message: 'Zugriffe von dieser Adresse sind nicht erlaubt.',
        reference: expect.stringMatching(/^[0-9a-f]{12}$/),
        address: '127.0.0.1',
        signOutAction: undefined,
      },
    ])
    expect(front.events).toEqual([expect.objectContaining({ name: 'refusal', reference: views[0]!.reference })])
  })

  it('says where a user who may not enter can sign in as another one, and keeps the headers of the refusal', async () => {
    const views: RefusalView[] = []
    const refusalPage = (view: RefusalView): string => {
      views.push(view)
      return view.code
    }
    const root = { portal: { publisher: { roles: ['viewer'] } } }
    const front = await startPortals({ root, portal: { refusalPage } })
    const cookie = await front.cookieOf('/publisher', users.reader)
    await front.security.reload({
      ...root,
      internal_apis: { users: [{ user: { name: 'reader', password: users.reader.password } }] },
    })
    const refused = await front.call('GET', '/publisher/', [...navigation, cookie])
    expect(refused.body).toBe('ERR_ROLE_REQUIRED')
    expect(views.at(-1)).toMatchObject({ signOutAction: '/publisher/logout', address: undefined })
    const wrongMethod = await front.call('PUT', '/publisher/login', ownForm)
    expect([wrongMethod.status, wrongMethod.header('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect(wrongMethod.body).toBe('ERR_METHOD_NOT_ALLOWED')
  })

  it('is not asked for the JSON that programs get', async () => {
    const front = await startShop(() => '<p>x</p>')
    const answer = await front.call('GET', '/shop/', ['Accept: application/json'])
    expect([answer.status, answer.body]).toEqual([403, ''])
  })

  const broken: readonly (readonly [what: string, page: () => unknown, cause: string])[] = [
    [
      'throws',
      () => {
        throw new Error('no template')
      },
      'no template',
    ],
    ['rejects', () => Promise.reject(new Error('no template')), 'no template'],
    ['returns no text', () => ({}), 'the page must be a text, got object'],
    ['hangs', () => new Promise(() => {}), 'no page within 5000 ms'],
  ]

  it.each(broken)('shows the built-in page, and logs why, where it %s', async (_, page, cause) => {
    const front = await startShop(page as RefusalPage)
    const answer = await front.call('GET', '/shop/', navigation)
    expect(answer.status).toBe(403)
    expect(answer.body).toContain('Calls from this address are not allowed.')
    expect(answer.header('content-security-policy')).toContain("default-src 'none'")
    const failure = front.lines.filter((line) => line.includes('refusalPage failed'))
    expect(failure).toEqual([expect.stringContaining(cause)])
  })

  it('must be a function', async () => {
    const start = startPortals({ portal: { refusalPage: '<p></p>' as never } })
    await expect(start).rejects.toThrow('the option "refusalPage" of security.portal() must be of type function')
  })
})
