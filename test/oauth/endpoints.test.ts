import type { Express } from 'express'
import { describe, expect, it } from 'vitest'
import { expressVersions } from '../helpers/express-versions.js'
import {
  authorizeUrl,
  exchange,
  issuer,
  newCode,
  newTokens,
  oauthFront,
  origin,
  passwords,
  pkce,
  providers,
  userinfo,
} from './front.js'

const { challenge } = pkce()
const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://other.example.com' }

/** A query as the form that asks for the same. */
const formOf = (url: string) => new URL(url).searchParams

describe.each(expressVersions)('a form at the authorization endpoint, with %s', (_name, express) => {
  it('asks for the same as the address', async () => {
    const front = await oauthFront({ express })
    const browser = front.browser()
    const { verifier, challenge } = pkce()
    const body = formOf(authorizeUrl(challenge))
    const started = await browser.go('/oauth2/authorize', { method: 'POST', body })
    expect([started.status, started.headers.location?.startsWith(`${issuer}/login/`)]).toEqual([303, true])
    const credentials = new URLSearchParams({ username: 'alice', password: passwords.alice })
    const answer = await browser.go(started.headers.location!, { method: 'POST', body: credentials })
    const back = await browser.signIn(answer.headers.location!)
    expect((await exchange(front, back.searchParams.get('code')!, verifier)).status).toBe(200)
  })

  it('of another site comes back by the address, because it brings no cookie', async () => {
    const front = await oauthFront({ express })
    const browser = front.browser()
    await newTokens(front, browser)
    const body = formOf(authorizeUrl(challenge, { prompt: 'none' }))
    const sent = await front.send('/oauth2/authorize', { method: 'POST', body, headers: crossSite })
    expect([sent.status, sent.headers.location]).toEqual([303, `/oauth2/authorize?${body}`])
    const answer = await browser.go(sent.headers.location!)
    expect(new URL(answer.headers.location!).searchParams.get('code')).not.toBe(null)
  })

  it('that is long is taken as it came', async () => {
    const front = await oauthFront({ express })
    const body = formOf(authorizeUrl(challenge, { nonce: 'n'.repeat(6000) }))
    const answer = await front.send('/oauth2/authorize', { method: 'POST', body, headers: crossSite })
    expect(answer.headers.location).not.toMatch(/^\/oauth2\/authorize/)
  })

  it('is refused where a parameter comes twice', async () => {
    const front = await oauthFront({ express })
    const body = formOf(authorizeUrl(challenge))
    body.append('state', 'another')
    const answer = await front.browser().go('/oauth2/authorize', { method: 'POST', body })
    expect(answer.headers.location ?? answer.text).toContain('invalid_request')
  })
})

describe('a form at the sign-out', () => {
  it('asks for the same as the address', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const { id_token } = await newTokens(front, browser)
    const body = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: `${origin}/devportal/` })
    const page = await browser.go('/oauth2/logout', { method: 'POST', body })
    expect(page.text).toContain('Sign out?')
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page.text) ?? []
    const confirmed = new URLSearchParams({ logout: 'yes', xsrf })
    const done = await browser.go('/oauth2/logout/confirm', { method: 'POST', body: confirmed })
    expect(done.headers.location).toBe(`${origin}/devportal/`)
    const sent = await front.send('/oauth2/logout', { method: 'POST', body, headers: crossSite })
    expect([sent.status, sent.headers.location]).toEqual([303, `/oauth2/logout?${body}`])
  })
})

describe('an ID token from before a restart', () => {
  it('leads whoever is not signed in to the registered URI of its client', async () => {
    const first = await oauthFront()
    const { id_token } = await newTokens(first, first.browser())
    const restarted = await oauthFront()
    const uri = `${origin}/devportal/`
    const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: uri, state: 's' })
    const answer = await restarted.browser().go(`/oauth2/logout?${query}`)
    expect([answer.status, answer.headers.location]).toEqual([303, `${uri}?state=s`])
    query.set('post_logout_redirect_uri', 'https://evil.example.com/')
    const refused = await restarted.browser().go(`/oauth2/logout?${query}`)
    expect([refused.status, refused.headers.location]).toEqual([400, undefined])
  })

  it('signs nobody out without a question', async () => {
    const first = await oauthFront()
    const { id_token } = await newTokens(first, first.browser())
    const restarted = await oauthFront()
    const browser = restarted.browser()
    await newTokens(restarted, browser)
    const page = await browser.go(`/oauth2/logout?id_token_hint=${id_token}`)
    expect([page.status, page.text.includes('<script>')]).toEqual([200, false])
  })

  it.each(['nonsense', 'a.b.c', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.'])(
    'and %s are as good as none',
    async (hint) => {
      const front = await oauthFront()
      const answer = await front.browser().go(`/oauth2/logout?id_token_hint=${hint}`)
      expect([answer.status, answer.headers.location]).toEqual([303, `${issuer}/logout/success`])
    },
  )
})

describe('a sign-in for one user', () => {
  it('in which another one signs in is an error, and signs nobody in', async () => {
    const front = await oauthFront()
    const { id_token: hint } = await newTokens(front, front.browser(), 'bob')
    const browser = front.browser()
    const back = await browser.signIn(authorizeUrl(challenge, { id_token_hint: hint }))
    expect([back.searchParams.get('error'), back.searchParams.get('code')]).toEqual(['login_required', null])
    expect(back.searchParams.get('state')).toBe('the state')
    const silent = await browser.go(authorizeUrl(challenge, { prompt: 'none' }))
    expect(new URL(silent.headers.location!).searchParams.get('error')).toBe('login_required')
    expect((await newCode(browser, { id_token_hint: hint }, 'bob')).code).not.toBe('')
  })

  it('is an error when another one is signed in already, and stays so', async () => {
    const front = await oauthFront()
    const { id_token: hint } = await newTokens(front, front.browser(), 'bob')
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    const back = await browser.signIn(authorizeUrl(challenge, { id_token_hint: hint }))
    expect(back.searchParams.get('error')).toBe('login_required')
    expect((await userinfo(front, tokens.access_token)).status).toBe(200)
  })
})

describe('an endpoint', () => {
  it.each([
    ['GET', '/token', 'POST, OPTIONS'],
    ['PUT', '/TOKEN/', 'POST, OPTIONS'],
    ['GET', '/revoke', 'POST, OPTIONS'],
    ['GET', '/introspect', 'POST, OPTIONS'],
    ['DELETE', '/userinfo', 'GET, HEAD, POST, OPTIONS'],
    ['PUT', '/authorize', 'GET, HEAD, POST'],
    ['OPTIONS', '/authorize', 'GET, HEAD, POST'],
    ['POST', '/jwks', 'GET, HEAD, OPTIONS'],
    ['PUT', '/logout', 'GET, HEAD, POST'],
    ['GET', '/logout/confirm', 'POST'],
    ['POST', '/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
  ])('says to %s %s which methods it has', async (method, path, allowed) => {
    const front = await oauthFront()
    const answer = await front.send(`/oauth2${path}`, { method })
    expect([answer.status, answer.headers.allow]).toEqual([405, allowed])
  })

  it('that is not there is 404 for every method', async () => {
    const front = await oauthFront()
    for (const method of ['GET', 'POST', 'PUT']) {
      expect((await front.send('/oauth2/device', { method })).status).toBe(404)
    }
  })
})

describe('revocation', () => {
  it.each(['a token', 'a token that nobody knows'])(
    'of %s answers with JSON, as clients expect it everywhere',
    async (which) => {
      const front = await oauthFront()
      const { access_token } = await newTokens(front, front.browser())
      const token = which === 'a token' ? access_token : 'unknown'
      const body = new URLSearchParams({ client_id: 'devportal-app', token })
      const answer = await front.send('/oauth2/revoke', { method: 'POST', body, headers: { origin } })
      expect([answer.status, answer.json()]).toEqual([200, {}])
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect(answer.headers['access-control-allow-origin']).toBe(origin)
    },
  )
})

describe('the headers of an answer', () => {
  it('are as many for 400 clients as for one, and a policy is on pages alone', async () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      name: `app-${index}`,
      redirect_uris: [`https://app-${index}.example.com/callback`],
      pkce_mandatory: true,
      allow_without_client_secret: true,
    }))
    const front = await oauthFront({ oauth: { service_provider: [...providers, ...many] } })
    const browser = front.browser()
    const started = await browser.go(authorizeUrl(challenge))
    const login = await browser.go(started.headers.location!)
    const error = await browser.go('/oauth2/authorize?client_id=unknown')
    const others = [
      started,
      await front.send('/oauth2/token', { method: 'POST', body: new URLSearchParams() }),
      await front.send('/oauth2/.well-known/openid-configuration'),
      await front.send('/oauth2/jwks'),
    ]
    for (const { headers } of others) {
      expect(headers).not.toHaveProperty('content-security-policy')
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
    expect(login.text).toContain('<h1>Devportal app</h1>')
    for (const { headers } of [login, error]) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/)
      expect(headers['content-security-policy']).not.toContain('example.com')
    }
    expect(login.headers['content-security-policy']).not.toContain('form-action')
    expect(error.headers['content-security-policy']).toContain("form-action 'none'")
  })
})

it('leaves the headers that the app sets to answers that are no pages', async () => {
  const before = (app: Express) => {
    app.use((_request, response, next) => {
      response.set({ 'Content-Security-Policy': "default-src 'self'", 'X-Frame-Options': 'SAMEORIGIN' })
      next()
    })
  }
  const front = await oauthFront({ before })
  const keys = await front.send('/oauth2/jwks')
  expect(keys.headers['cache-control']).toBe('public, max-age=300')
  expect(keys.headers['content-security-policy']).toBe("default-src 'self'")
  const page = await front.browser().go('/oauth2/authorize?client_id=unknown')
  expect([page.headers['content-security-policy'], page.headers['x-frame-options']]).toEqual([
    expect.stringMatching(/^default-src 'none'/),
    'DENY',
  ])
})

describe('a response type', () => {
  it.each(['token', 'id_token', 'none', 'code token'])('%s is said to be unsupported', async (response_type) => {
    const front = await oauthFront()
    const answer = await front.browser().go(authorizeUrl(challenge, { response_type, nonce: 'n' }))
    const back = new URL(answer.headers.location!)
    const given = new URLSearchParams(back.hash.slice(1) || back.search)
    expect([given.get('error'), given.get('state')]).toEqual(['unsupported_response_type', 'the state'])
  })

  it.each([undefined, ''])('that is %j is said to be missing', async (response_type) => {
    const front = await oauthFront()
    const answer = await front.browser().go(authorizeUrl(challenge, { response_type }))
    const { searchParams } = new URL(answer.headers.location!)
    expect(searchParams.get('error')).toBe('invalid_request')
    expect(searchParams.get('error_description')).toContain('response_type')
  })

  it.each(['form_post', 'fragment', 'unknown'])('code is not answered by the mode %s', async (response_mode) => {
    const front = await oauthFront()
    const answer = await front.browser().go(authorizeUrl(challenge, { response_mode }))
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toMatch(/callback\?error=(?:invalid_request|unsupported_response_mode)&/)
  })
})

describe('the metadata', () => {
  it('tell how clients show who they are, how tokens are signed, and no claim that no token has', async () => {
    const front = await oauthFront()
    const metadata = (await front.send('/oauth2/.well-known/openid-configuration')).json()
    expect(metadata).toMatchObject({
      id_token_signing_alg_values_supported: ['ES256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    })
    expect(metadata['claims_supported']).not.toContain('sid')
  })

  it.each(expressVersions)(
    'can be read at the root of the host by pages of other origins, with %s',
    async (_name, express) => {
      const path = '/.well-known/oauth-authorization-server/oauth2'
      // As docs/oauth.md shows it.
      const before = (app: Express) => {
        app.all(path, (request, _response, next) => {
          request.url = '/oauth2/.well-known/oauth-authorization-server'
          next()
        })
      }
      const front = await oauthFront({ before, express })
      const headers = { origin: 'https://anybody.example.com', 'access-control-request-method': 'GET' }
      const preflight = await front.send(path, { method: 'OPTIONS', headers })
      expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, headers.origin])
      const answer = await front.send(path, { headers })
      expect([answer.json()['issuer'], answer.headers['access-control-allow-origin']]).toEqual([issuer, headers.origin])
    },
  )
})

describe('an app that writes its origin without a slash', () => {
  const bare = 'https://app.example.com'

  it.each([
    [bare, bare, `${bare}/?code=`],
    [`${bare}?x=1`, `${bare}?x=1`, `${bare}/?x=1&code=`],
  ])('is matched as it is written: %s', async (registered, sent, target) => {
    const provider = {
      name: 'bare',
      redirect_uris: [registered],
      post_logout_redirect_uris: [bare],
      pkce_mandatory: true,
      allow_without_client_secret: true,
    }
    const front = await oauthFront({ oauth: { service_provider: [provider] } })
    const browser = front.browser()
    const asked = { client_id: 'bare', scope: 'openid' }
    const refused = await browser.go(authorizeUrl(challenge, { ...asked, redirect_uri: `${bare}/` }))
    expect([refused.status, refused.headers.location]).toEqual([400, undefined])
    const { verifier, challenge: own } = pkce()
    const back = await browser.signIn(authorizeUrl(own, { ...asked, redirect_uri: sent }))
    expect(back.href.startsWith(target)).toBe(true)
    const code = back.searchParams.get('code')!
    expect((await exchange(front, code, verifier, { client_id: 'bare', redirect_uri: sent })).status).toBe(200)
    const query = new URLSearchParams({ client_id: 'bare', post_logout_redirect_uri: bare })
    expect((await front.browser().go(`/oauth2/logout?${query}`)).headers.location).toBe(`${bare}/`)
  })
})
