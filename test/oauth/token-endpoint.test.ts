import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { hashPassword } from '../../lib/index.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { LiveRecord } from '../../lib/tokens/token-store.js'
import {
  authorizeUrl,
  callback,
  confidentialSecret,
  exchange,
  issuer,
  newCode,
  newTokens,
  oauthFront,
  origin,
  pkce,
  refresh,
  type TokenAnswer,
  userinfo,
} from './front.js'

// Covers: G02
describe('the verifier', () => {
  it.each([43, 128])('may have %i characters', async (length) => {
    const front = await oauthFront()
    const browser = front.browser()
    const { verifier, challenge } = pkce('a'.repeat(length - 3).concat('-._'))
    const back = await browser.signIn(authorizeUrl(challenge))
    expect((await exchange(front, back.searchParams.get('code')!, verifier)).status).toBe(200)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['of 42 characters', 'a'.repeat(42)],
    ['of 129 characters', 'a'.repeat(129)],
    ['of other letters', `${'a'.repeat(42)}+`],
    ['wrong', 'a'.repeat(43)],
  ])('is invalid_grant when it is %s', async (_case, verifier) => {
    const front = await oauthFront()
    const { code } = await newCode(front.browser())
    const answer = await exchange(front, code, '', { code_verifier: verifier })
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_grant'])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('is invalid_grant when it is that of another sign-in', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const [one, two] = [await newCode(browser), await newCode(browser)]
    const answer = await exchange(front, one.code, two.verifier)
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_grant'])
  })
})

// Covers: G04
describe('a code that is used twice', () => {
  it('gives nothing, and ends what it gave before', async () => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const first = (await exchange(front, code, verifier)).json() as unknown as TokenAnswer
    expect((await userinfo(front, first.access_token)).status).toBe(200)

    const second = await exchange(front, code, verifier)
    expect([second.status, second.json()['error']]).toEqual([400, 'invalid_grant'])
    expect((await userinfo(front, first.access_token)).status).toBe(401)
    expect((await refresh(front, first.refresh_token)).status).toBe(400)
    expect((await front.security.tokens.list({ kind: 'oauth' })).length).toBe(0)
  })

  it('gives tokens to exactly one of 50 that come at a time, and they are dead', async () => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(front, code, verifier)))
    const good = answers.filter(({ status }) => status === 200)
    expect(good.length).toBe(1)
    expect(answers.filter(({ status }) => status === 400).length).toBe(49)
    const tokens = good[0]!.json() as unknown as TokenAnswer
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
    expect((await front.security.tokens.list({ kind: 'oauth' })).length).toBe(0)
  })
})

// Covers: G04
describe('an access token that a slow token store takes', () => {
  /** Does something else in place of adding the record of an access token. */
  const withStore = async (add: (addNow: () => boolean) => boolean | Promise<boolean>) => {
    const memory = new MemoryTokenStore()
    const addNow = memory.add.bind(memory)
    const tokenStore = Object.assign(memory, {
      add: (record: LiveRecord) => (record.kind === 'oauth' ? add(() => addNow(record)) : addNow(record)),
    })
    return oauthFront({ options: { tokenStore } })
  }

  it('is dead where its grant has ended meanwhile', async () => {
    let noteCall = (): void => {}
    let goOn = (): void => {}
    const called = new Promise<void>((resolve) => {
      noteCall = resolve
    })
    const going = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const front = await withStore(async (addNow) => {
      noteCall()
      await going
      return addNow()
    })
    const { code, verifier } = await newCode(front.browser())
    const first = exchange(front, code, verifier)
    await called
    expect((await exchange(front, code, verifier)).json()['error']).toBe('invalid_grant')
    goOn()
    const { access_token } = (await first).json() as unknown as TokenAnswer
    expect((await userinfo(front, access_token)).status).toBe(401)
    expect(await front.security.tokens.list({ kind: 'oauth' })).toEqual([])
  })

  it('is not given where the store is full', async () => {
    const front = await withStore(() => false)
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier)
    expect([answer.status, answer.json()['error']]).toEqual([503, 'temporarily_unavailable'])
  })
})

// Covers: G05
describe('a code', () => {
  it('is good for less than 60 seconds', async () => {
    let ahead = 0
    const front = await oauthFront({ clock: () => Date.now() + ahead })
    const browser = front.browser()
    const late = await newCode(browser)
    ahead = 60_000
    expect((await exchange(front, late.code, late.verifier)).json()['error']).toBe('invalid_grant')
    ahead = 0
    const inTime = await newCode(browser)
    ahead = 50_000
    expect((await exchange(front, inTime.code, inTime.verifier)).status).toBe(200)
  })

  it.each([
    ['another client', { client_id: 'other-app' }],
    ['another redirect URI of the client', { redirect_uri: `${origin}/devportal/silent` }],
    ['no redirect URI', { redirect_uri: undefined }],
  ])('is nothing to %s', async (_case, changes) => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier, changes)
    expect(answer.status).toBe(400)
    expect(['invalid_grant', 'invalid_request']).toContain(answer.json()['error'])
  })
})

// Covers: G06
it.each([
  ['password', { username: 'alice', password: 'correct horse battery' }],
  ['client_credentials', {}],
  ['urn:ietf:params:oauth:grant-type:device_code', { device_code: 'x' }],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion: 'x' }],
  ['implicit', {}],
])('has no grant %s', async (grant, parameters) => {
  const front = await oauthFront()
  const body = new URLSearchParams({ grant_type: grant, client_id: 'devportal-app', ...parameters })
  const answer = await front.send('/oauth2/token', { method: 'POST', body })
  expect([answer.status, answer.json()['error']]).toEqual([400, 'unsupported_grant_type'])
})

// Covers: G07
describe('refresh tokens', () => {
  it('go only to the service providers that ask for them', async () => {
    const front = await oauthFront()
    const { verifier, challenge } = pkce()
    const redirect_uri = 'https://other.example.com/callback'
    const back = await front
      .browser()
      .signIn(authorizeUrl(challenge, { client_id: 'other-app', redirect_uri, scope: 'openid' }))
    const answer = await exchange(front, back.searchParams.get('code')!, verifier, {
      client_id: 'other-app',
      redirect_uri,
    })
    expect(answer.status).toBe(200)
    expect(answer.json()).not.toHaveProperty('refresh_token')
  })

  it('are good once: using one again ends all of them', async () => {
    const front = await oauthFront()
    const first = await newTokens(front, front.browser())
    const second = (await refresh(front, first.refresh_token)).json() as unknown as TokenAnswer
    expect((await userinfo(front, second.access_token)).status).toBe(200)

    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    expect((await refresh(front, second.refresh_token)).json()['error']).toBe('invalid_grant')
    expect((await userinfo(front, second.access_token)).status).toBe(401)
    expect((await userinfo(front, first.access_token)).status).toBe(401)
  })

  it('are good for one of 20 that come at a time, and it is dead', async () => {
    const front = await oauthFront()
    const { refresh_token: token } = await newTokens(front, front.browser())
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(front, token)))
    const good = answers.filter(({ status }) => status === 200)
    expect(good.length).toBe(1)
    expect((await userinfo(front, String(good[0]!.json()['access_token']))).status).toBe(401)
  })

  it('end at their time, however often they are exchanged', async () => {
    const start = Date.now()
    // The provider reads the clock of the system, so that is the one to turn.
    vi.useFakeTimers({ now: start, toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const front = await oauthFront({ oauth: { refresh_token_expiry: '1h' } })
    const first = await newTokens(front, front.browser())
    vi.setSystemTime(start + 59 * 60_000)
    const second = (await refresh(front, first.refresh_token)).json() as unknown as TokenAnswer
    expect(second.refresh_token).toBeTypeOf('string')
    vi.setSystemTime(start + 60 * 60_000)
    expect((await refresh(front, second.refresh_token)).json()['error']).toBe('invalid_grant')
  })

  it('never give more than was granted', async () => {
    const front = await oauthFront()
    const { refresh_token: token } = await newTokens(front, front.browser())
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'devportal-app',
      refresh_token: token,
      scope: 'openid orders invoices',
    })
    const answer = await front.send('/oauth2/token', { method: 'POST', body })
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_scope'])
  })
})

describe('a confidential client', () => {
  async function confidentialFront() {
    const client_secret = await hashPassword(confidentialSecret)
    // The client id of the usual client, so that it can be asked in the usual way.
    const provider = { name: 'server-app', client_id: 'devportal-app', redirect_uris: [callback], client_secret }
    return oauthFront({ oauth: { service_provider: [provider] } })
  }

  it.each([
    ['no secret', {}, {}],
    ['a wrong secret', { client_secret: 'wrong' }, {}],
    ['a wrong secret by Basic', { client_id: undefined }, { authorization: `Basic ${btoa('devportal-app:wrong')}` }],
  ])('is invalid_client with %s', async (_case, changes, headers) => {
    const front = await confidentialFront()
    const { code, verifier } = await newCode(front.browser(), { scope: 'openid' })
    const answer = await exchange(front, code, verifier, changes, headers)
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client'])
    expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="https:\/\/localhost:9443\/oauth2"/)
  })

  it('shows no dialog in the browser of a page that does so', async () => {
    const front = await confidentialFront()
    const answer = await exchange(front, 'x', 'x', {}, { 'sec-fetch-site': 'same-origin' })
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, undefined])
  })

  it('gets tokens with its secret, the first time and again', async () => {
    const front = await confidentialFront()
    const browser = front.browser()
    for (const _time of [1, 2]) {
      const { code, verifier } = await newCode(browser, { scope: 'openid' })
      const answer = await exchange(front, code, verifier, { client_secret: confidentialSecret })
      expect(answer.status).toBe(200)
    }
  })

  it('cannot be used without a secret by a public client that names it', async () => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier, { client_secret: 'anything' })
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client'])
  })
})

// Covers: G12
it.each(['grant_type', 'client_id', 'code', 'redirect_uri', 'code_verifier'])(
  'refuses a form whose %s comes twice',
  async (name) => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'devportal-app',
      code,
      redirect_uri: callback,
      code_verifier: verifier,
    })
    body.append(name, body.get(name)!)
    const answer = await front.send('/oauth2/token', { method: 'POST', body })
    expect(answer.status).toBe(400)
    expect(['invalid_request', 'unsupported_grant_type']).toContain(answer.json()['error'])
  },
)

it('makes no token for a resource that is not that of the client', async () => {
  const front = await oauthFront()
  const { code, verifier } = await newCode(front.browser())
  const answer = await exchange(front, code, verifier, { resource: 'https://other.example.com' })
  expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_target'])
})

// Covers: G14
describe('CORS', () => {
  it('lets pages of the origins of a client read the answer', async () => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier, {}, { origin })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, origin])
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it.each([
    ['null', 'null'],
    ['of another site', 'https://evil.example.com'],
    ['with another port', 'https://localhost:9444'],
    ['with another scheme', 'http://localhost:9443'],
    ['in capitals', 'https://LOCALHOST:9443'],
    ['with a suffix', 'https://localhost:9443.evil.example.com'],
    ['of another client', 'https://other.example.com'],
  ])('shows nothing to an origin that is %s', async (_case, foreign) => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier, {}, { origin: foreign })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([400, undefined])
    const unknown = await exchange(front, code, verifier, { client_id: 'unknown' }, { origin: foreign })
    expect(unknown.headers['access-control-allow-origin'] ?? 'https://other.example.com').toBe(
      'https://other.example.com',
    )
  })

  it.each(['null', 'https://evil.example.com'])('answers a preflight of %s without leave', async (foreign) => {
    const front = await oauthFront()
    const headers = { origin: foreign, 'access-control-request-method': 'POST' }
    for (const path of ['token', 'revoke', 'introspect', 'userinfo']) {
      const answer = await front.send(`/oauth2/${path}`, { method: 'OPTIONS', headers })
      expect(answer.headers['access-control-allow-origin']).toBe(undefined)
    }
  })

  it('answers a preflight of a registered origin', async () => {
    const front = await oauthFront()
    const headers = { origin, 'access-control-request-method': 'POST' }
    const answer = await front.send('/oauth2/token', { method: 'OPTIONS', headers })
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, origin])
  })

  it('lets everybody read the keys and the metadata', async () => {
    const front = await oauthFront()
    const headers = { origin: 'https://anybody.example.com' }
    for (const path of ['jwks', '.well-known/openid-configuration']) {
      const answer = await front.send(`/oauth2/${path}`, { headers })
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, headers.origin])
    }
  })
})

describe('revocation and introspection', () => {
  it('ends no token of another client, and says nothing of it', async () => {
    const front = await oauthFront()
    const { access_token: token } = await newTokens(front, front.browser())
    const body = new URLSearchParams({ client_id: 'other-app', token })
    expect((await front.send('/oauth2/revoke', { method: 'POST', body })).status).toBe(200)
    expect((await userinfo(front, token)).status).toBe(200)
    expect((await front.send('/oauth2/introspect', { method: 'POST', body })).json()).toEqual({ active: false })
  })

  it.each(['nonsense', 'a.b.c', ''])('answers a token %j that nobody knows', async (token) => {
    const front = await oauthFront()
    const body = new URLSearchParams({ client_id: 'devportal-app', token })
    const answer = await front.send('/oauth2/revoke', { method: 'POST', body })
    expect(answer.status).toBe(token === '' ? 400 : 200)
  })

  it('tells nothing of management tokens', async () => {
    const front = await oauthFront()
    const account = { subject: 'alice', roles: [], isAdmin: false, version: '1' }
    const { token } = await front.security.tokens.issue(account)
    expect((await userinfo(front, token)).status).toBe(401)
    const body = new URLSearchParams({ client_id: 'devportal-app', token })
    expect((await front.send('/oauth2/revoke', { method: 'POST', body })).status).toBe(200)
    expect((await front.security.tokens.list({ kind: 'management' })).length).toBe(1)
  })
})

it('names itself as the issuer of what it signs', async () => {
  const front = await oauthFront()
  const { id_token, access_token } = await newTokens(front, front.browser())
  for (const token of [id_token, access_token]) {
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    expect(claims.iss).toBe(issuer)
  }
  const header = JSON.parse(Buffer.from(access_token.split('.')[0]!, 'base64url').toString())
  expect(header.typ).toBe('at+jwt')
})

it('tells the log why a client was refused, and no secret', async () => {
  const front = await oauthFront()
  const { code, verifier } = await newCode(front.browser())
  const { verifier: other } = pkce()
  await exchange(front, code, other)
  const told = front.log.entries.find(({ message }) => message === 'the authorization server refused a request')
  expect(told).toMatchObject({ level: 'info', fields: { client: 'devportal-app', error: 'invalid_grant' } })
  expect(told?.fields['reason']).toMatch(/./)
  for (const text of [code, verifier, other]) expect(front.log.lines.join('')).not.toContain(text)
})
