/** What a provider is asked, how often, and what happens when it does not answer. */

import * as library from 'openid-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IdentityProviderConfig } from '../../lib/config/config.js'
import { createIdentityProvider } from '../../lib/identity-providers/identity-provider.js'
import { loadOpenidClient } from '../../lib/identity-providers/load-openid-client.js'
import { createSeed, secretsFromSeed } from '../../lib/identity-providers/pending-sign-in.js'
import { createProviderFetch } from '../../lib/identity-providers/provider-fetch.js'
import type { IdentityProvider } from '../../lib/identity-providers/provider-types.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { clientId, clientSecret, FakeProvider, newKey } from './fake-provider.js'

const redirectUri = 'https://portal.example.com/shop/login/corporate/callback'

let provider: FakeProvider
/** Milliseconds that have passed on all clocks. */
let passed: number
let corporate: IdentityProvider

beforeEach(async () => {
  provider = await new FakeProvider().start()
  passed = 0
  corporate = open()
})
afterEach(() => provider.close())

function open(changes: Partial<IdentityProviderConfig> = {}): IdentityProvider {
  const config: IdentityProviderConfig = {
    name: 'corporate',
    title: undefined,
    issuer: provider.url,
    clientId,
    clientSecret,
    scopes: ['openid'],
    subjectClaim: 'sub',
    rolesClaim: undefined,
    roleMapping: {},
    adminRoles: [],
    requiredClaims: {},
    allowUnmapped: true,
    domainName: 'CORP',
    sessionCeilingMs: undefined,
    publicOrigin: undefined,
    origin: { key: 'identity_provider[0]' },
    ...changes,
  }
  const clock = (): number => Date.now() + passed
  return createIdentityProvider(config, { library, logger: recordedLog().logger, clock, monotonic: () => passed })
}

async function signIn(claims: Record<string, unknown> = {}) {
  const secrets = secretsFromSeed(createSeed())
  const url = await corporate.createSignInUrl(secrets, redirectUri)
  const now = Math.floor((Date.now() + passed) / 1000)
  const times = { iat: now, exp: now + 120 }
  return corporate.finishSignIn(secrets, provider.authorize(url.href, { sub: 'alice', ...times, ...claims }))
}

const count = (path: string): number => provider.requests.filter((request) => request === path).length

describe('keys', () => {
  it('are asked for once, and a rotated key is found in the middle of it', async () => {
    await signIn()
    await signIn()
    expect(count('/jwks')).toBe(1)
    provider.keys = [await newKey('second'), ...provider.keys]
    passed += 61_000
    await expect(signIn()).resolves.toMatchObject({ account: { subject: 'CORP/alice' } })
    expect(count('/jwks')).toBe(2)
    provider.keys = [provider.keys[0]!]
    await expect(signIn()).resolves.toBeDefined()
  })

  it('are asked for once a minute, whatever ID tokens and logout tokens name', async () => {
    await signIn()
    passed += 61_000
    const before = count('/jwks')
    const unknown = await newKey('unknown')
    provider.createIdToken = (claims) => unknown.sign(claims)
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(signIn()).rejects.toMatchObject({ failure: 'untrusted' })
      const token = await provider.logoutToken({ sub: 'a' }, await newKey(`kid ${attempt}`))
      await expect(corporate.verifyLogoutToken(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
    }
    expect(count('/jwks') - before).toBe(1)
  })

  it('are found at another address, which discovery names', async () => {
    await signIn()
    Object.assign(provider, { jwksPath: '/other-keys', keys: [await newKey('third')] })
    passed += 61_000
    await expect(signIn()).resolves.toBeDefined()
    expect(count('/other-keys')).toBe(1)
  })
})

describe('discovery', () => {
  it('is read once in five minutes, by all at once', async () => {
    const secrets = secretsFromSeed(createSeed())
    await Promise.all(Array.from({ length: 9 }, () => corporate.createSignInUrl(secrets, redirectUri)))
    expect(count('/.well-known/openid-configuration')).toBe(1)
    passed += 5 * 60_000
    await corporate.createSignInUrl(secrets, redirectUri)
    expect(count('/.well-known/openid-configuration')).toBe(2)
  })

  it('that failed is not asked for again at once', async () => {
    provider.mood = 'broken'
    const secrets = secretsFromSeed(createSeed())
    const attempt = () => corporate.createSignInUrl(secrets, redirectUri)
    for (let n = 0; n < 3; n++) await expect(attempt()).rejects.toMatchObject({ failure: 'unavailable' })
    expect(provider.requests).toHaveLength(1)
    provider.mood = 'well'
    passed += 2000
    await expect(attempt()).resolves.toBeDefined()
  })

  it('of another issuer is refused', async () => {
    provider.metadata = { issuer: 'https://another.example' }
    await expect(corporate.createSignInUrl(secretsFromSeed(createSeed()), redirectUri)).rejects.toMatchObject({
      failure: 'untrusted',
    })
  })
})

describe('a client', () => {
  it('without a secret is public, and has PKCE', async () => {
    corporate = open({ clientSecret: undefined })
    const url = await corporate.createSignInUrl(secretsFromSeed(createSeed()), redirectUri)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ code_challenge_method: 'S256', response_type: 'code' })
    await expect(signIn()).rejects.toMatchObject({
      failure: 'untrusted',
      message: 'the provider answered invalid_client',
    })
  })
})

describe('a request to a provider', () => {
  const answer = (response: Response) => createProviderFetch(async () => response, 50)

  it('ends after its time, whatever the provider does', async () => {
    const silent = createProviderFetch(
      (_url, init) =>
        new Promise((_, reject) => init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason))),
      20,
    )
    await expect(silent('https://a.example/')).rejects.toMatchObject({ failure: 'unavailable' })
    const slow = new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))
    await expect(answer(slow)('https://a.example/')).rejects.toMatchObject({ failure: 'unavailable' })
  })

  it('goes to https or to this machine, follows nothing, and reads no more than it has to', async () => {
    await expect(answer(new Response())('http://192.0.2.1/')).rejects.toMatchObject({ failure: 'untrusted' })
    await expect(answer(new Response())('http://localhost/')).resolves.toBeDefined()
    let redirect: unknown
    await createProviderFetch(async (_url, init) => {
      redirect = init?.redirect
      return new Response()
    })('https://a.example/')
    expect(redirect).toBe('manual')
    const large = new Response(Buffer.alloc(600_000))
    await expect(answer(large)('https://a.example/')).rejects.toMatchObject({ failure: 'unavailable' })
  })
})

it('openid-client is named where it is missing', async () => {
  const missing = Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' })
  await expect(loadOpenidClient(() => Promise.reject(missing))).rejects.toMatchObject({
    code: 'ERR_CONFIG_MISSING_PACKAGE',
    message: expect.stringContaining('npm install openid-client@6'),
  })
  await expect(loadOpenidClient(() => Promise.reject(new Error('another')))).rejects.toThrow('another')
})
