import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  authorizeUrl,
  callback,
  exchange,
  issuer,
  type OauthFront,
  oauthFront,
  passwords,
  pkce,
  providers,
} from './front.js'

const app = providers[0] as object

async function frontWith(response_modes?: readonly string[]): Promise<OauthFront> {
  return oauthFront({ oauth: { service_provider: [{ ...app, response_modes }, providers[1]] } })
}

/** Signs in, and answers what the browser gets at the end. */
async function lastAnswer(front: OauthFront, changes: Readonly<Record<string, string | undefined>>, verifier?: string) {
  const browser = front.browser()
  const { headers } = await browser.go(authorizeUrl(pkce(verifier).challenge, changes))
  const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
  const signedIn = await browser.go(headers.location!, { method: 'POST', body })
  return browser.go(signedIn.headers.location!)
}

function plainFrom(html: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' }
  return html.replaceAll(/&(?:(\w+)|#(\d+)|#x([\da-f]+));/gi, (_all, name?: string, decimal?: string, hex?: string) =>
    name === undefined
      ? String.fromCharCode(decimal === undefined ? Number(`0x${hex}`) : Number(decimal))
      : named[name]!,
  )
}

/** The fields of the form of a page. */
function fieldsIn({ text }: Answer): Record<string, string> {
  const fields = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g)
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]))
}

describe('response_mode=form_post', () => {
  it('sends code, state and issuer by a form of its own page, where the file says so', async () => {
    const front = await frontWith(['query', 'form_post'])
    const { verifier } = pkce()
    const answer = await lastAnswer(front, { response_mode: 'form_post' }, verifier)
    expect([answer.status, answer.headers.location]).toEqual([200, undefined])
    expect(answer.text).toContain(`<form method="post" action="${callback}">`)
    const { code, ...others } = fieldsIn(answer)
    expect(others).toEqual({ state: 'the state', iss: issuer })
    expect((await exchange(front, code!, verifier)).status).toBe(200)
  })

  it('lets nothing run on that page but its own script, and nobody keep or frame it', async () => {
    const answer = await lastAnswer(await frontWith(['form_post']), { response_mode: 'form_post' })
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(answer.text) ?? []
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    expect(policy).toMatch(/^default-src 'none'; ?.*frame-ancestors 'none'; ?base-uri 'none'/)
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'content-type': 'text/html; charset=utf-8',
    })
  })

  it.each(['"><script>alert(1)</script>', "' onload='x", '&quot;<img src=x onerror=y>', '\u2028</form>', 'a\nb'])(
    'writes the state %j into it as text',
    async (state) => {
      const answer = await lastAnswer(await frontWith(['form_post']), { response_mode: 'form_post', state })
      expect(answer.text.match(/<script/g)).toHaveLength(1)
      expect(answer.text).not.toMatch(/<img|<\/form>[\s\S]*<\/form>/)
      const written = fieldsIn(answer)['state'] ?? ''
      expect(plainFrom(written)).toBe(state)
    },
  )

  it('sends errors as well', async () => {
    const front = await frontWith(['form_post'])
    const target = authorizeUrl(pkce().challenge, { response_mode: 'form_post', prompt: 'none' })
    const answer = await front.browser().go(target)
    expect(fieldsIn(answer)).toMatchObject({ error: 'login_required', state: 'the state', iss: issuer })
  })
})

describe('response_mode=fragment', () => {
  it('sends the code behind a #, where the file says so', async () => {
    const front = await frontWith(['fragment'])
    const { verifier } = pkce()
    const { status, headers } = await lastAnswer(front, { response_mode: 'fragment' }, verifier)
    const url = new URL(headers.location!)
    expect([status, url.search]).toEqual([303, ''])
    const code = new URLSearchParams(url.hash.slice(1)).get('code')!
    expect((await exchange(front, code, verifier)).status).toBe(200)
  })
})

describe('any other response mode', () => {
  it.each<[readonly string[] | undefined, string | undefined]>([
    [undefined, 'form_post'],
    [undefined, 'fragment'],
    [['form_post'], undefined],
    [['form_post'], 'query'],
    [['query', 'fragment'], 'form_post'],
    [['query', 'fragment', 'form_post'], 'web_message'],
    [['query', 'fragment', 'form_post'], 'jwt'],
  ])('of a client with %j is an error: %j', async (modes, response_mode) => {
    const front = await frontWith(modes)
    const { headers } = await front.browser().go(authorizeUrl(pkce().challenge, { response_mode }))
    const { searchParams } = new URL(headers.location!)
    expect(searchParams.get('code')).toBe(null)
    expect(searchParams.get('error')).toMatch(/^invalid_request$|^unsupported_response_mode$/)
  })

  it('is not in the metadata', async () => {
    const modes = async (front: OauthFront) =>
      (await front.send('/oauth2/.well-known/openid-configuration')).json()['response_modes_supported']
    expect(await modes(await frontWith())).toEqual(['query'])
    expect(await modes(await frontWith(['form_post']))).toEqual(['query', 'form_post'])
  })
})

describe('login_hint', () => {
  it.each<[string, string]>([
    ['alice', 'alice'],
    ['"><script>alert(1)</script>', '"><script>alert(1)</script>'],
    ['x'.repeat(257), ''],
  ])('%s stands in the form as text', async (login_hint, shown) => {
    const front = await frontWith()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(pkce().challenge, { login_hint }))
    const { text } = await browser.go(headers.location!)
    const [, value = ''] = /name="username"[^>]* value="([^"]*)"/.exec(text) ?? []
    expect(plainFrom(value)).toBe(shown)
    expect(text).not.toContain('<script')
  })
})
