import { hash } from 'bcryptjs'
import type { Express } from 'express'
import { beforeAll, describe, expect, it } from 'vitest'
import { expressVersions } from '../helpers/express-versions.js'
import { callback, confidentialSecret, exchange, newCode, type OauthFront, oauthFront, providers } from './front.js'

const clientId = 'server-app'

let serverApp: object

beforeAll(async () => {
  // Of the least cost: the tests guess a lot.
  const client_secret = await hash(confidentialSecret, 4)
  serverApp = { name: clientId, redirect_uris: [callback], client_secret }
})

interface Attempt {
  readonly endpoint?: string
  readonly client?: string
  readonly secret?: string
  readonly from?: string
  readonly way?: 'basic' | 'post'
  readonly headers?: Readonly<Record<string, string>>
}

/** Behind a proxy of this machine, so that each request may come from where it says. */
function front(given: Parameters<typeof oauthFront>[0] = {}) {
  const before = (app: Express) => void app.set('trust proxy', 'loopback')
  return oauthFront({ before, ...given, oauth: { service_provider: [serverApp, ...providers] } })
}

function attempt(
  { send }: OauthFront,
  {
    endpoint = 'introspect',
    client = clientId,
    secret = 'wrong',
    from = '192.0.2.1',
    way = 'post',
    headers: more = {},
  }: Attempt,
) {
  const body = new URLSearchParams({ token: 'x', grant_type: 'refresh_token', refresh_token: 'x' })
  const headers: Record<string, string> = { 'x-forwarded-for': from, 'x-forwarded-proto': 'https', ...more }
  if (way === 'post') {
    body.set('client_id', client)
    body.set('client_secret', secret)
  } else {
    const basic = `${encodeURIComponent(client)}:${encodeURIComponent(secret)}`
    headers['authorization'] = `Basic ${Buffer.from(basic).toString('base64')}`
  }
  return send(`/oauth2/${endpoint}`, { method: 'POST', body, headers })
}

const good = { secret: confidentialSecret } as const

it('guesses that a page of another site has a browser make lock nobody out', async () => {
  const server = await front()
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  for (let count = 0; count < 5; count++) await attempt(server, { headers })
  expect((await attempt(server, { headers })).status).toBe(429)
  expect((await attempt(server, good)).status).toBe(200)
})

// Covers: G20
describe.each(expressVersions)('guesses of the secret of a client, with %s', (_name, express) => {
  it('are refused after five, wherever and however they are made, with the time to wait', async () => {
    const server = await front({ express })
    const ways: Attempt[] = [
      { endpoint: 'token' },
      { endpoint: 'revoke', way: 'basic' },
      { endpoint: 'INTROSPECT/', way: 'basic' },
      { endpoint: 'token', way: 'basic' },
      { endpoint: 'introspect' },
    ]
    for (const way of ways) expect((await attempt(server, way)).status).toBe(401)
    for (const way of [...ways, good]) {
      const answer = await attempt(server, way)
      expect([answer.status, answer.headers['retry-after'], answer.json()['error']]).toEqual([
        429,
        '60',
        'temporarily_unavailable',
      ])
      expect(answer.text).not.toContain(confidentialSecret)
    }
  })
})

describe('guesses of the secret of a client', () => {
  it('do not keep the client from showing it from its own address, not even for the first time', async () => {
    const server = await front()
    for (let count = 0; count < 120; count++) {
      const from = `198.51.${Math.floor(count / 5)}.1`
      expect((await attempt(server, { from })).status).toBe(401)
    }
    expect((await attempt(server, { ...good, from: '192.0.2.7' })).status).toBe(200)
  })

  it('count for one client and source, whatever the spelling of the source', async () => {
    const server = await front()
    for (let count = 0; count < 5; count++) await attempt(server, { from: `2001:db8::${count}` })
    expect((await attempt(server, { ...good, from: '2001:db8::ffff' })).status).toBe(429)
    expect((await attempt(server, { ...good, from: '2001:db8:0:1::1' })).status).toBe(200)
    expect((await attempt(server, { client: 'devportal-app', from: '2001:db8::1' })).status).toBe(401)
  })

  it('begin anew after a good one, and not after what was only malformed', async () => {
    const server = await front()
    const guess = async (count: number) => {
      for (let index = 0; index < count; index++) await attempt(server, {})
    }
    await guess(4)
    expect((await attempt(server, good)).status).toBe(200)
    await guess(4)
    const malformed = { authorization: 'Basic *', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' }
    const body = new URLSearchParams({ token: 'x' })
    expect((await server.send('/oauth2/introspect', { method: 'POST', body, headers: malformed })).status).toBe(400)
    await guess(1)
    expect((await attempt(server, good)).status).toBe(429)
  })

  it('are bounded for clients that nobody knows, and for those that have no secret', async () => {
    const server = await front()
    for (const client of ['unknown-app', 'devportal-app']) {
      for (let count = 0; count < 5; count++) expect((await attempt(server, { client })).status).toBe(401)
      expect((await attempt(server, { client })).status).toBe(429)
    }
  })

  it('are events with their reason, and show no secret', async () => {
    const server = await front()
    const events: object[] = []
    server.security.events.on('clientRefused', (event) => void events.push({ ...event, at: undefined }))
    await attempt(server, { client: 'unknown-app', secret: 'a guess of mine' })
    for (let count = 0; count < 6; count++) await attempt(server, { secret: 'a guess of mine', way: 'basic' })
    await attempt(server, { ...good, from: '192.0.2.2' })
    await attempt(server, { client: 'x'.repeat(4000) })
    const refused = (reason: string, client = clientId) => ({ address: '192.0.2.1', clientId: client, reason })
    expect(events).toEqual([
      refused('unknown-client', 'unknown-app'),
      ...Array.from({ length: 5 }, () => refused('wrong-secret')),
      refused('throttled'),
      refused('unknown-client', 'x'.repeat(128)),
    ])
    expect(server.log.lines.join()).not.toContain('a guess of mine')
  })

  it('leave the logins of a user of the same name alone', async () => {
    const server = await front({ oauth: {} })
    for (let count = 0; count < 6; count++) await attempt(server, { client: 'alice', from: '127.0.0.1' })
    expect((await newCode(server.browser())).code).not.toBe('')
  })

  it('are not limited where the throttle is off', async () => {
    const tables = { management_api: { login_throttle: { enable: false } } }
    const server = await front({ tables })
    for (let count = 0; count < 7; count++) expect((await attempt(server, {})).status).toBe(401)
  })
})

describe('a good secret', () => {
  it.each([
    ['shown in both ways', { client_secret: confidentialSecret }],
    ['beside another client id', { client_id: 'devportal-app' }],
  ])('is refused when it is %s', async (_how, more) => {
    const { send } = await front()
    const authorization = `Basic ${btoa(`${clientId}:${encodeURIComponent(confidentialSecret)}`)}`
    const body = new URLSearchParams({ token: 'x', ...more })
    expect((await send('/oauth2/introspect', { method: 'POST', body, headers: { authorization } })).status).toBe(400)
  })

  it.each(['%20', '+'])('is taken from Basic with its spaces as %s', async (space) => {
    const { send } = await front()
    const authorization = `Basic ${btoa(`${clientId}:${encodeURIComponent(confidentialSecret).replaceAll('%20', space)}`)}`
    const body = new URLSearchParams({ token: 'x' })
    const answer = await send('/oauth2/introspect', { method: 'POST', body, headers: { authorization } })
    expect([answer.status, answer.json()]).toEqual([200, { active: false }])
  })

  it('is taken from many calls at a time', async () => {
    const server = await front()
    const answers = await Promise.all(Array.from({ length: 60 }, () => attempt(server, good)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })
})

describe('a public client that sends an empty secret by Basic, as oidc-agent does', () => {
  const basic = (id: string, secret = '') => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })

  it('exchanges a code, and refreshes with the scopes that it asked for, known or not', async () => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser(), {
      scope: 'openid orders offline_access',
      prompt: 'consent',
    })
    const first = await exchange(front, code, verifier, { client_id: undefined }, basic('devportal-app'))
    expect(first.status).toBe(200)
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: String(first.json()['refresh_token']),
      scope: 'openid orders offline_access',
    })
    const headers = basic('devportal-app')
    const second = await front.send('/oauth2/token', { method: 'POST', body, headers })
    expect([second.status, second.json()['scope']]).toEqual([200, 'openid orders'])
  })

  it.each<[string, Record<string, string | undefined>, object]>([
    ['another client in the form', { client_id: 'other-app' }, basic('devportal-app')],
    ['a secret in the form', { client_secret: 'x' }, basic('devportal-app')],
    ['a secret that is not empty', { client_id: undefined }, basic('devportal-app', 'x')],
    ['a client that nobody knows', { client_id: undefined }, basic('unknown')],
  ])('is refused with %s', async (_case, changes, headers) => {
    const front = await oauthFront()
    const { code, verifier } = await newCode(front.browser())
    const answer = await exchange(front, code, verifier, changes, headers as Record<string, string>)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.json()).not.toHaveProperty('access_token')
  })

  it('is no way in for a confidential client', async () => {
    const front = await oauthFront({ oauth: { service_provider: [{ ...serverApp, client_id: 'devportal-app' }] } })
    const { code, verifier } = await newCode(front.browser(), { scope: 'openid' })
    const answer = await exchange(front, code, verifier, {}, basic('devportal-app'))
    expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_request'])
  })
})
