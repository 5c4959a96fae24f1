import { describe, expect, it } from 'vitest'
import { authorizeUrl, callback, exchange, issuer, newCode, oauthFront, origin, pkce } from './front.js'

const { challenge } = pkce()

/** Sends a request for a code, and answers where the client is sent with which error. */
async function refusalOf(changes: Readonly<Record<string, string | undefined>>) {
  const front = await oauthFront()
  const answer = await front.browser().go(authorizeUrl(challenge, changes))
  const location = answer.headers.location === undefined ? undefined : new URL(answer.headers.location)
  return { answer, location, error: location?.searchParams.get('error') }
}

// Covers: G01
describe('PKCE at the authorization endpoint', () => {
  it.each([
    ['without challenge and method', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with the method plain', { code_challenge_method: 'plain' }],
    ['with the method s256 in other case', { code_challenge_method: 's256' }],
    ['with a method that nobody knows', { code_challenge_method: 'S512' }],
    ['with a method and no challenge', { code_challenge: undefined }],
    ['with a challenge and no method, which would mean plain', { code_challenge_method: undefined }],
    ['with an empty challenge', { code_challenge: '' }],
    ['with a challenge of 42 characters', { code_challenge: challenge.slice(1) }],
    ['with a challenge of other letters', { code_challenge: `${challenge.slice(1)}+` }],
  ])('answers invalid_request to a request %s', async (_case, changes) => {
    const { answer, location, error } = await refusalOf(changes)
    expect([answer.status, error]).toEqual([303, 'invalid_request'])
    expect(location?.href.startsWith(callback)).toBe(true)
    expect(location?.searchParams.get('state')).toBe('the state')
    expect(location?.searchParams.get('iss')).toBe(issuer)
  })

  it('asks a confidential client for it as well', async () => {
    const secretHash = `$2b$12$${'a'.repeat(53)}`
    const provider = { name: 'server-app', redirect_uris: [callback], client_secret: secretHash }
    const front = await oauthFront({ oauth: { service_provider: [provider] } })
    const url = authorizeUrl('', {
      client_id: 'server-app',
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    const answer = await front.browser().go(url)
    expect(new URL(answer.headers.location!).searchParams.get('error')).toBe('invalid_request')
  })
})

// Covers: G06
it.each(['token', 'id_token', 'code id_token', 'none'])('has no response type %s', async (type) => {
  const { location } = await refusalOf({ response_type: type, nonce: 'n' })
  const given = new URLSearchParams(location!.hash.slice(1) || location!.search)
  expect(['invalid_request', 'unsupported_response_type']).toContain(given.get('error'))
  expect([...given.keys()].sort()).toEqual(['error', 'error_description', 'iss', 'state'])
})

// Covers: G03 G09
describe('redirect URIs', () => {
  it.each([
    ['another host', 'https://evil.example.com/devportal/callback'],
    ['a host in capitals', 'https://LOCALHOST:9443/devportal/callback'],
    ['another port', 'https://localhost:9444/devportal/callback'],
    ['no port', 'https://localhost/devportal/callback'],
    ['another scheme', 'http://localhost:9443/devportal/callback'],
    ['something behind the path', `${callback}/more`],
    ['a slash behind the path', `${callback}/`],
    ['a path in capitals', `${origin}/devportal/CALLBACK`],
    ['a query', `${callback}?x=1`],
    ['an empty query', `${callback}?`],
    ['a fragment', `${callback}#x`],
    ['a user', 'https://user@localhost:9443/devportal/callback'],
    ['the host as a user of another', 'https://localhost:9443@evil.example.com/devportal/callback'],
    ['dot segments', `${origin}/devportal/x/../callback`],
    ['escaped dot segments', `${origin}/devportal/x/%2e%2e/callback`],
    ['an escaped letter', `${origin}/devportal/%63allback`],
    ['a doubled slash', `${origin}//devportal/callback`],
    ['a wildcard', `${origin}/devportal/*`],
    ['an international host', 'https://l\u00f6calhost:9443/devportal/callback'],
    ['a line break', `${callback}\r\nx`],
    ['a space at the end', `${callback} `],
    ['that of another client', 'https://other.example.com/callback'],
    ['a script', 'javascript:alert(1)'],
    ['nothing', ''],
    ['none', undefined],
  ])('never goes to %s', async (_case, uri) => {
    const { answer } = await refusalOf({ redirect_uri: uri })
    expect([answer.status, answer.headers.location]).toEqual([400, undefined])
    expect(answer.headers['content-type']).toMatch(/^text\/html/)
  })

  it('never goes anywhere for a client that is not known', async () => {
    const { answer } = await refusalOf({ client_id: 'unknown-app' })
    expect([answer.status, answer.headers.location]).toEqual([400, undefined])
    expect(answer.text).toContain('invalid_client')
  })

  it('never goes to an address that an error was made to carry', async () => {
    const { answer } = await refusalOf({
      redirect_uri: 'https://evil.example.com/',
      scope: '<script>alert(1)</script>',
    })
    expect(answer.text).not.toContain('<script>alert')
  })
})

// Covers: G12
it.each([
  'client_id',
  'response_type',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'prompt',
  'resource',
])('refuses a request whose %s comes twice', async (name) => {
  const front = await oauthFront()
  const url = new URL(authorizeUrl(challenge, { nonce: 'n', prompt: 'login', resource: 'https://api.example.com' }))
  url.searchParams.append(name, url.searchParams.get(name) ?? '')
  const answer = await front.browser().go(url.href)
  const error = answer.headers.location && new URL(answer.headers.location).searchParams.get('error')
  expect([400, 303]).toContain(answer.status)
  expect(error ?? answer.text).toContain('invalid_request')
})

it('refuses a resource that is not that of the client', async () => {
  expect((await refusalOf({ resource: 'management-api' })).error).toBe('invalid_target')
  expect((await refusalOf({ resource: 'https://other.example.com' })).error).toBe('invalid_target')
})

it.each([['admin'], ['orders unknown']])('never grants the scope %s', async (scope) => {
  const front = await oauthFront()
  const { code, verifier } = await newCode(front.browser(), { scope: `openid ${scope}` })
  const answer = await exchange(front, code, verifier)
  expect(String(answer.json()['scope']).split(' ')).not.toContain(scope.split(' ').at(-1))
})

it('refuses a scope that only another client has', async () => {
  const { error } = await refusalOf({
    client_id: 'other-app',
    redirect_uri: 'https://other.example.com/callback',
    scope: 'openid orders',
  })
  expect(error).toBe('invalid_scope')
})

it.each([
  ['no scope', undefined],
  ['an empty scope', ''],
  ['a scope that nobody has', 'unknown'],
  ['several of them', 'unknown admin'],
  ['offline_access alone', 'offline_access'],
])('answers invalid_scope to a request with %s, before anybody signs in', async (_case, scope) => {
  const { answer, location, error } = await refusalOf({ scope })
  expect([answer.status, error]).toEqual([303, 'invalid_scope'])
  expect(location?.href.startsWith(callback)).toBe(true)
  expect(location?.searchParams.get('state')).toBe('the state')
})

it.each(['openid', 'orders', 'profile unknown'])('takes the scope %j', async (scope) => {
  const { location } = await refusalOf({ scope })
  expect(location?.href.startsWith(`${issuer}/login/`)).toBe(true)
})

describe('the metadata', () => {
  it.each(['openid-configuration', 'oauth-authorization-server'])('of %s lists what clients may use', async (name) => {
    const front = await oauthFront()
    expect((await front.send(`/oauth2/.well-known/${name}`)).json()).toMatchObject({
      issuer,
      code_challenge_methods_supported: ['S256'],
      response_modes_supported: ['query'],
      response_types_supported: ['code'],
    })
  })

  it.each(['form_post', 'fragment'])('does not list the response mode %s, which is refused', async (mode) => {
    const { answer } = await refusalOf({ response_mode: mode })
    expect(answer.headers.location ?? answer.text).toContain('invalid_request')
  })
})

// Covers: G08
it('answers with the state as it was, and with its own name', async () => {
  const state = ' "<\u00e4&=+%20\u{1f511} '
  const front = await oauthFront()
  const { back } = await newCode(front.browser(), { state })
  expect(back.searchParams.get('state')).toBe(state)
  expect(back.searchParams.get('iss')).toBe(issuer)
  expect(`${back.origin}${back.pathname}`).toBe(callback)
})

// Covers: G09 G10
describe('the login page', () => {
  it('cannot be framed, runs nothing, and tells no other site where it is', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(challenge))
    const page = await browser.go(headers.location!)
    expect(page.status).toBe(200)
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('script-src')
    expect(page.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  it('goes on with 303 after the form, so that no password is sent a second time', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(challenge))
    const body = new URLSearchParams({ username: 'alice', password: 'correct horse battery' })
    const answer = await browser.go(headers.location!, { method: 'POST', body })
    expect(answer.status).toBe(303)
    const last = await browser.go(answer.headers.location!)
    expect([last.status, last.headers.location?.startsWith(callback)]).toEqual([303, true])
  })

  it('shows a wrong password there and then, and leads nowhere', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(challenge))
    const body = new URLSearchParams({ username: '<b>alice', password: 'wrong password' })
    const answer = await browser.go(headers.location!, { method: 'POST', body })
    expect([answer.status, answer.headers.location]).toEqual([401, undefined])
    expect(answer.headers['www-authenticate']).toBe('Cookie realm="Sallyport"')
    expect(answer.text).toContain('role="alert"')
    expect(answer.text).not.toContain('<b>alice')
    expect(front.log.lines.join()).not.toContain('wrong password')
  })

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.com' }],
    ['a sibling of this site', { 'sec-fetch-site': 'same-site' }],
    ['nobody knows where', { 'sec-fetch-site': 'none' }],
  ])('takes no password from %s', async (_case, sent) => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(challenge))
    const body = new URLSearchParams({ username: 'alice', password: 'correct horse battery' })
    const answer = await browser.go(headers.location!, { method: 'POST', body, headers: sent })
    expect([answer.status, answer.headers.location]).toEqual([403, undefined])
  })

  it('takes no password in the clear from another machine', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(challenge))
    const body = new URLSearchParams({ username: 'alice', password: 'correct horse battery' })
    const forwarded = { 'x-forwarded-for': '192.0.2.1', accept: 'application/json' }
    const answer = await browser.go(headers.location!, { method: 'POST', body, headers: forwarded })
    expect([answer.status, answer.headers.location]).toEqual([403, undefined])
  })

  it('is nothing for a browser that has not begun the sign-in, and for one that has ended it', async () => {
    const front = await oauthFront()
    const { headers } = await front.browser().go(authorizeUrl(challenge))
    expect((await front.browser().go(headers.location!)).status).toBe(400)

    const browser = front.browser()
    const begun = await browser.go(authorizeUrl(challenge))
    const body = new URLSearchParams({ username: 'alice', password: 'correct horse battery' })
    const answer = await browser.go(begun.headers.location!, { method: 'POST', body })
    await browser.go(answer.headers.location!)
    expect((await browser.go(begun.headers.location!)).status).toBe(400)
  })

  it.each(['PUT', 'DELETE', 'HEAD', 'TRACE'])('does not answer %s', async (method) => {
    const front = await oauthFront()
    const headers = { 'sec-fetch-site': 'same-origin' }
    expect((await front.send('/oauth2/login/x', { method, headers })).status).toBe(405)
  })
})

it('answers 404 where it has nothing, and says so in JSON', async () => {
  const front = await oauthFront()
  const answer = await front.send('/oauth2/reg', { headers: { accept: 'application/json' } })
  expect([answer.status, answer.json()['code']]).toEqual([404, 'ERR_NOT_FOUND'])
})
