import express5, { type Express } from 'express'
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
  pkce,
  sendTo,
  userinfo,
} from './front.js'

// Covers: G19
describe('what a request says of its way', () => {
  it.each([
    ['Host', { host: 'evil.example.com' }],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example.com' }],
    ['X-Forwarded-Proto', { 'x-forwarded-proto': 'http' }],
    ['X-Forwarded-Port', { 'x-forwarded-port': '1' }],
    ['Forwarded', { forwarded: 'host=evil.example.com;proto=http' }],
    ['X-Original-URL', { 'x-original-url': '/evil' }],
  ])('%s changes nothing', async (_name, headers) => {
    const front = await oauthFront({ before: (app) => void app.set('trust proxy', true) })
    const metadata = await front.send('/oauth2/.well-known/openid-configuration', { headers })
    expect(metadata.json()['token_endpoint']).toBe(`${issuer}/token`)
    expect(metadata.text).not.toContain('evil')
    const begun = await front.browser().go(authorizeUrl(pkce().challenge), { headers })
    expect(begun.headers.location?.startsWith(`${issuer}/login/`)).toBe(true)
    for (const cookie of begun.headers['set-cookie'] ?? []) expect(cookie).toMatch(/; secure/i)
    expect(front.log.entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('does not come from an address in its first line', async () => {
    const front = await oauthFront()
    const answer = await front.send(
      `http://evil.example.com/oauth2/authorize?${new URL(authorizeUrl(pkce().challenge)).searchParams}`,
    )
    expect(answer.headers.location?.startsWith(`${issuer}/login/`)).toBe(true)
  })

  it('lets nobody mount the server elsewhere without a word', async () => {
    const front = await oauthFront({ before: (app, security) => void app.use('/elsewhere', security.oauth()) })
    expect((await front.send('/elsewhere/.well-known/openid-configuration')).status).toBe(500)
    expect(front.log.lines.join()).toContain('has to be mounted at /oauth2')
    expect((await front.send('/OAuth2/.well-known/openid-configuration')).status).toBe(200)
  })
})

describe.each(expressVersions)('%s', (_name, express) => {
  it('goes the whole way', async () => {
    const front = await oauthFront({ express })
    const { access_token: token } = await newTokens(front, front.browser())
    expect((await userinfo(front, token)).json()).toEqual({ sub: 'alice' })
  })

  it.each([
    ['extended', () => express5.urlencoded({ extended: true })],
    ['plain', () => express5.urlencoded({ extended: false })],
    ['raw', () => express5.raw({ type: '*/*' })],
    ['text', () => express5.text({ type: '*/*' })],
    ['JSON', () => express5.json()],
  ])('goes the whole way behind a body parser that is %s', async (_kind, parser) => {
    const lines: unknown[] = []
    const { warn, info } = console
    console.warn = console.info = (...line: unknown[]) => void lines.push(line)
    try {
      const front = await oauthFront({ express, before: (app) => void app.use(parser()) })
      const { access_token: token } = await newTokens(front, front.browser())
      expect((await userinfo(front, token)).status).toBe(200)
    } finally {
      Object.assign(console, { warn, info })
    }
    expect(lines).toEqual([])
  })

  it('sees a parameter that came twice behind a body parser', async () => {
    const front = await oauthFront({ express, before: (app) => void app.use(express5.urlencoded({ extended: true })) })
    const { code, verifier } = await newCode(front.browser())
    const body = `grant_type=authorization_code&client_id=devportal-app&code=x&code=${code}&code_verifier=${verifier}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await front.send('/oauth2/token', { method: 'POST', body, headers })
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_request'])
  })

  it.each([
    ['application/json', '{"grant_type":{"toString":1},"token":{"toString":null}}'],
    ['application/x-www-form-urlencoded', 'grant_type[toString]=x&token[hasOwnProperty]=x&a[b][c]=d'],
  ])('answers 400 to parameters of which a body parser for %s has made objects', async (type, body) => {
    const before = (app: Express) => void app.use(express5.json(), express5.urlencoded({ extended: true }))
    const front = await oauthFront({ express, before })
    for (const path of ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']) {
      const answer = await front.send(path, { method: 'POST', body, headers: { 'content-type': type } })
      expect([path, answer.status]).toEqual([path, 400])
    }
  })

  it.each([
    ['too large', 'application/x-www-form-urlencoded', 'x'.repeat(60_000), 413],
    ['of another type', 'application/json', '{"grant_type":"authorization_code"}', 400],
    ['nothing', 'application/x-www-form-urlencoded', '', 400],
  ])('answers a body that is %s', async (_kind, type, body, status) => {
    const front = await oauthFront({ express })
    const answer = await front.send('/oauth2/token', { method: 'POST', body, headers: { 'content-type': type } })
    expect(answer.status).toBe(status)
  })

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS'])(
    'answers %s at the token endpoint',
    async (method) => {
      const front = await oauthFront({ express })
      expect((await front.send('/oauth2/token', { method })).status).toBeGreaterThanOrEqual(200)
    },
  )
})

it('prints nothing to the console, once the package is loaded', async () => {
  await import('oidc-provider')
  const lines: unknown[] = []
  const { log, warn, info, error } = console
  console.log = console.warn = console.info = console.error = (...line: unknown[]) => void lines.push(line)
  try {
    const front = await oauthFront({ oauth: { algorithm: 'EdDSA' } })
    const browser = front.browser()
    const { code, verifier } = await newCode(browser)
    await exchange(front, code, verifier)
    await exchange(front, code, verifier, {}, { origin })
    await browser.go('/oauth2/logout')
    await browser.go('/oauth2/authorize')
    await browser.go('/oauth2/nothing')
  } finally {
    Object.assign(console, { log, warn, info, error })
  }
  expect(lines).toEqual([])
})

it('is guarded by the addresses of web apps', async () => {
  const tables = { web_app: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } }
  const front = await oauthFront({ tables })
  expect((await front.send('/oauth2/jwks')).status).toBe(403)
  expect((await sendTo(front.port, '/oauth2/token', { method: 'POST', body: new URLSearchParams() })).status).toBe(403)
})

// Covers: G18
it('signs the cookies of a sign-in with other keys at each start', async () => {
  const [one, other] = [await oauthFront(), await oauthFront()]
  const url = authorizeUrl(pkce().challenge)
  const begun = await one.browser().go(url)
  const cookie = (begun.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')
  const path = String(begun.headers.location).slice(origin.length)
  const headers = { accept: 'text/html' }
  expect((await one.send(path, { headers: { ...headers, cookie } })).status).toBe(200)
  expect((await other.send(path, { headers: { ...headers, cookie } })).status).toBe(400)
  const forged = cookie.replace(/(\.sig=)./, '$1*')
  expect((await one.send(path, { headers: { ...headers, cookie: forged } })).status).toBe(400)
})
