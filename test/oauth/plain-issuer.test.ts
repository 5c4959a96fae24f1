import { expect, it } from 'vitest'
import { authorizeUrl, Browser, callback, exchange, issuer, oauthFront, passwords, pkce } from './front.js'

it.each(['localhost', '127.0.0.1'])(
  'an issuer of plain HTTP on %s signs in, for development, and warns',
  async (host) => {
    const origin = `http://${host}:9443`
    const front = await oauthFront({
      oauth: { issuer: `${origin}/oauth2` },
      tables: { portal: { cookie_prefix: 'dev' } },
    })
    expect(front.log.lines.join('\n')).toContain('oauth.issuer: is plain HTTP: for development on this machine only')
    const metadata = (await front.send('/oauth2/.well-known/openid-configuration')).json()
    expect(metadata).toMatchObject({ issuer: `${origin}/oauth2`, token_endpoint: `${origin}/oauth2/token` })

    const browser = new Browser(front.send)
    const { verifier, challenge } = pkce()
    const setCookies: string[] = []
    let path = authorizeUrl(challenge).slice(new URL(issuer).origin.length)
    for (let step = 0; step < 6 && path.startsWith('/'); step++) {
      const isForm = path.includes('/login/')
      const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
      const answer = await browser.go(path, isForm ? { method: 'POST', body, headers: { origin } } : {})
      setCookies.push(...(answer.headers['set-cookie'] ?? []))
      path = answer.headers.location!.replace(origin, '')
    }
    const names = setCookies.map((line) => line.split('=')[0])
    expect(names).toEqual(expect.arrayContaining(['dev-sso', 'dev-oauth-login', 'dev-oauth-resume']))
    expect(setCookies.filter((line) => /;\s*secure/i.test(line))).toEqual([])
    const back = new URL(path)
    expect([back.origin + back.pathname, back.searchParams.get('iss')]).toEqual([callback, `${origin}/oauth2`])
    const answer = await exchange(front, back.searchParams.get('code')!, verifier)
    expect(answer.json()).toHaveProperty('access_token')
  },
)
