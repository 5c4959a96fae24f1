import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLogoutNotices, type LogoutNoticesParts } from '../../lib/oauth/logout-notices.js'
import { newKeys } from '../../lib/tokens/keys/signing-key.js'
import { recordedLog } from '../helpers/recorded-log.js'
import {
  authorizeUrl,
  type Browser,
  callback,
  exchange,
  issuer,
  type OauthFront,
  oauthFront,
  pkce,
  providers,
  type TokenAnswer,
} from './front.js'

interface Receiver {
  readonly url: string
  /** The logout tokens that have come. */
  readonly tokens: string[]
}

/** A service provider. `answer` does the answering. */
async function receiver(
  answer: (response: ServerResponse, request: IncomingMessage) => void = (response) => void response.end(),
): Promise<Receiver> {
  const tokens: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += String(chunk)
    })
    request.on('end', () => {
      if (request.method === 'POST') tokens.push(new URLSearchParams(body).get('logout_token') ?? 'none')
      else tokens.push(`${request.method} ${request.url}`)
      answer(response, request)
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`, tokens }
}

const app = { ...providers[0], redirect_uris: [callback] }

async function frontFor(uris: Readonly<Record<string, string | undefined>>, more: object = {}): Promise<OauthFront> {
  const service_provider = Object.entries(uris).map(([name, backchannel_logout_uri]) => ({
    ...app,
    name,
    backchannel_logout_uri,
  }))
  return oauthFront({ oauth: { service_provider, backchannel_logout_allow: ['127.0.0.1'], ...more } })
}

async function tokensFor(front: OauthFront, browser: Browser, client_id: string, user?: 'bob'): Promise<TokenAnswer> {
  const { verifier, challenge } = pkce()
  const back = await browser.signIn(authorizeUrl(challenge, { client_id }), user)
  return (
    await exchange(front, back.searchParams.get('code')!, verifier, { client_id })
  ).json() as unknown as TokenAnswer
}

async function signOut(browser: Browser): Promise<number> {
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec((await browser.go('/oauth2/logout')).text) ?? []
  const body = new URLSearchParams({ logout: 'yes', xsrf })
  return (await browser.go('/oauth2/logout/confirm', { method: 'POST', body })).status
}

describe('a sign-out', () => {
  it('is told to the service providers that the user has signed in to, by a token that they can verify', async () => {
    const [one, other] = [await receiver(), await receiver()]
    const front = await frontFor({ one: one.url, other: other.url, silent: undefined })
    const browser = front.browser()
    const { id_token } = await tokensFor(front, browser, 'one')
    await tokensFor(front, browser, 'silent')
    expect(await signOut(browser)).toBe(303)
    await expect.poll(() => one.tokens.length).toBe(1)
    const keys = createLocalJWKSet((await front.send('/oauth2/jwks')).json() as unknown as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(one.tokens[0]!, keys, { issuer, audience: 'one' })
    expect(protectedHeader.typ).toBe('logout+jwt')
    const { iat = 0 } = payload
    expect(payload).toEqual({
      iss: issuer,
      aud: 'one',
      sub: 'alice',
      sid: decodeJwt(id_token)['sid'],
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      iat,
      exp: iat + 120,
      jti: expect.stringMatching(/^[\w-]{36}$/),
    })
    expect(payload['sid']).toMatch(/^[\w-]{43}$/)
    expect(other.tokens).toEqual([])
  })

  it('is in the metadata where somebody is told, and nowhere else', async () => {
    const metadata = async (front: OauthFront) => (await front.send('/oauth2/.well-known/openid-configuration')).json()
    expect(await metadata(await frontFor({ one: 'https://rp.example.com/logout' }))).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      claims_supported: expect.arrayContaining(['sid']),
    })
    const without = await metadata(await frontFor({ one: undefined }))
    expect(without).not.toHaveProperty('backchannel_logout_supported')
    expect(without['claims_supported']).not.toContain('sid')
  })

  it('waits for no service provider', async () => {
    const silent = await receiver(() => undefined)
    const front = await frontFor({ one: silent.url })
    const browser = front.browser()
    await tokensFor(front, browser, 'one')
    expect(await signOut(browser)).toBe(303)
    await expect.poll(() => silent.tokens.length).toBe(1)
  })
})

describe('the end of a sign-on', () => {
  it('by revokeUser is told to all, for all sign-ons of the user', async () => {
    const [one, other] = [await receiver(), await receiver()]
    const front = await frontFor({ one: one.url, other: other.url })
    await tokensFor(front, front.browser(), 'one')
    await front.security.tokens.revokeUser('alice')
    await expect.poll(() => one.tokens.length + other.tokens.length).toBe(2)
    const claims = decodeJwt(one.tokens[0]!)
    expect(claims).toMatchObject({ sub: 'alice', aud: 'one' })
    expect(claims).not.toHaveProperty('sid')
  })

  it('by revoke is told by its name, and the end of any other token is not', async () => {
    const one = await receiver()
    const front = await frontFor({ one: one.url })
    const { id_token } = await tokensFor(front, front.browser(), 'one')
    const account = { subject: 'alice', roles: [], isAdmin: false, version: '1' }
    const { tokens } = front.security
    await tokens.issue(account)
    for (const kind of ['management', 'oauth', 'sso'] as const) {
      for (const { id } of await tokens.list({ kind })) await tokens.revoke(id)
    }
    await expect.poll(() => one.tokens.length).toBe(1)
    expect(decodeJwt(one.tokens[0]!)['sid']).toBe(decodeJwt(id_token)['sid'])
  })

  it('by another user in the same browser is told', async () => {
    const one = await receiver()
    const front = await frontFor({ one: one.url })
    const browser = front.browser()
    const { id_token } = await tokensFor(front, browser, 'one')
    const { verifier: _verifier, challenge } = pkce()
    await browser.signIn(authorizeUrl(challenge, { client_id: 'one', prompt: 'login' }), 'bob')
    await expect.poll(() => one.tokens.length).toBe(1)
    expect(decodeJwt(one.tokens[0]!)).toMatchObject({ sub: 'alice', sid: decodeJwt(id_token)['sid'] })
  })

  it('by a reload that takes the user away is told, and that of others is not', async () => {
    const one = await receiver()
    const front = await frontFor({ one: one.url })
    const { id_token } = await tokensFor(front, front.browser(), 'one')
    await tokensFor(front, front.browser(), 'one', 'bob')
    const { source } = front
    const users = [{ user: { name: 'bob', password: 'another long password' } }]
    await front.security.reload({ ...source, internal_apis: { users } })
    await expect.poll(() => one.tokens.length).toBe(1)
    expect(decodeJwt(one.tokens[0]!)).toMatchObject({ sub: 'alice', sid: decodeJwt(id_token)['sid'] })
  })
})

// Covers: G32
describe('what is called', () => {
  const keySet = newKeys('ES256', 2048)

  interface Notices extends ReturnType<typeof createLogoutNotices> {
    readonly log: ReturnType<typeof recordedLog>
    readonly waits: number[]
  }

  async function notices(uri: string, changes: Partial<LogoutNoticesParts> & { allow?: readonly string[] } = {}) {
    const log = recordedLog()
    const waits: number[] = []
    const { allow = [], ...others } = changes
    const provider = { clientId: 'one', backchannelLogoutUri: uri }
    const made = createLogoutNotices({
      oauth: { issuer, serviceProviders: [provider] as never, backchannelLogoutAllow: allow },
      keySet: await keySet,
      logger: log.logger,
      clock: Date.now,
      wait: async (ms) => void waits.push(ms),
      ...others,
    })
    onTestFinished(() => made.close())
    return { ...made, log, waits } as Notices
  }

  const failure = async ({ log }: Notices) => {
    const find = () => log.entries.find(({ message }) => message.startsWith('a service provider was not told'))
    await expect.poll(find).toBeDefined()
    return { ...find()!.fields, cause: String((find()!.fields['cause'] as Error).message) }
  }

  it.each([
    'http://127.0.0.1:PORT/logout',
    'http://localhost:PORT/logout',
    'http://[::1]:PORT/logout',
    'https://10.0.0.1/logout',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00::1]/logout',
    'https://[::ffff:10.0.0.1]/logout',
    'https://[64:ff9b::a00:1]/logout',
    'https://[2002:a00:1::]/logout',
    'https://2130706433/logout',
    'https://0x7f.1/logout',
  ])('is never %s, at once and without another attempt', async (uri) => {
    const one = await receiver()
    const made = await notices(uri.replace('PORT', new URL(one.url).port))
    made.send('one', 'alice', 'sid')
    expect(await failure(made)).toMatchObject({ attempts: 1, cause: expect.stringContaining('is not public') })
    expect([one.tokens, made.waits]).toEqual([[], []])
  })

  it('is what is listed', async () => {
    const one = await receiver()
    const made = await notices(one.url, { allow: ['127.0.0.0/8'] })
    made.send('one', 'alice', 'sid')
    await expect.poll(() => one.tokens.length).toBe(1)
  })

  it('is the very address that was looked at, whatever the name leads to at the next look-up', async () => {
    const one = await receiver()
    const uri = one.url.replace('127.0.0.1', 'rebinding.example.com')
    let count = 0
    const made = await notices(uri, {
      // One that is listed at first, and where nothing listens; the receiver from then on.
      allow: ['127.0.0.2'],
      lookup: (_name, callback) => callback(null, [{ address: count++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }]),
    })
    made.send('one', 'alice', 'sid')
    expect(await failure(made)).toMatchObject({ cause: expect.stringContaining('is not public') })
    expect([one.tokens, count]).toEqual([[], 2])
  })

  it('is none of the private ones among the addresses of a name', async () => {
    const one = await receiver()
    const addresses = [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
    const made = await notices(one.url.replace('127.0.0.1', 'mixed.example.com'), {
      allow: ['127.0.0.1'],
      lookup: (_name, callback) => callback(null, addresses),
    })
    made.send('one', 'alice', 'sid')
    await expect.poll(() => one.tokens.length).toBe(1)
  })

  it.each([301, 302, 303, 307, 308])('is never what a %i leads to', async (status) => {
    const target = await receiver()
    const one = await receiver((response) => void response.writeHead(status, { location: target.url }).end())
    const made = await notices(one.url, { allow: ['127.0.0.1'] })
    made.send('one', 'alice', 'sid')
    expect(await failure(made)).toMatchObject({ attempts: 1, cause: `the answer was ${status}` })
    expect([one.tokens.length, target.tokens]).toEqual([1, []])
  })

  it('is tried four times while it fails, each time with another token, and no longer when it refuses', async () => {
    const statuses = [500, 503, 429, 500]
    const one = await receiver((response) => void response.writeHead(statuses.shift() ?? 200).end())
    const made = await notices(one.url, { allow: ['127.0.0.1'] })
    made.send('one', 'alice', 'sid')
    expect(await failure(made)).toMatchObject({ attempts: 4, client: 'one', cause: 'the answer was 500' })
    expect(made.waits).toEqual([1000, 5000, 25_000])
    expect(new Set(one.tokens.map((token) => decodeJwt(token).jti)).size).toBe(4)
    for (const token of one.tokens) expect(made.log.lines.join('')).not.toContain(token)

    const refusing = await receiver((response) => void response.writeHead(400).end())
    const refused = await notices(refusing.url, { allow: ['127.0.0.1'] })
    refused.send('one', 'alice', 'sid')
    expect(await failure(refused)).toMatchObject({ attempts: 1 })
  })

  it('that answers with an upgrade has not been told, and is tried again', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    server.on('upgrade', (_request, socket) => void socket.destroy())
    server.on(
      'request',
      ({ socket }) => void socket.write('HTTP/1.1 101 No\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    )
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const made = await notices(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { allow: ['127.0.0.1'] })
    made.send('one', 'alice', 'sid')
    expect(await failure(made)).toMatchObject({ attempts: 4, cause: expect.stringContaining('without an answer') })
  })

  it('is told after it was away', async () => {
    let count = 0
    const one = await receiver((response) => (count++ === 0 ? response.destroy() : void response.end()))
    const made = await notices(one.url, { allow: ['127.0.0.1'] })
    made.send('one', 'alice', 'sid')
    await expect.poll(() => one.tokens.length).toBe(2)
    expect(made.log.entries).toEqual([])
  })

  it('is told no more than 1000 at a time, and nothing after the end', async () => {
    const silent = await receiver(() => undefined)
    const made = await notices(silent.url, { allow: ['127.0.0.1'] })
    for (let count = 0; count < 1002; count++) made.sendToAll('alice', `${count}`)
    const dropped = () => made.log.entries.filter(({ message }) => message.endsWith('too many wait to be delivered'))
    expect(dropped().length).toBe(2)
    await expect.poll(() => silent.tokens.length).toBe(4)
    made.close()
    const untold = () =>
      made.log.entries.filter(({ message }) => message === 'a service provider was not told of a sign-out')
    await expect.poll(() => untold().length).toBe(1000)
    made.send('one', 'alice', 'sid')
    expect(silent.tokens.length).toBe(4)
  })
})
