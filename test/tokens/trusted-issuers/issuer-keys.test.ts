import { createPublicKey } from 'node:crypto'
import { exportJWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { createIssuerKeys, type IssuerKeysOptions } from '../../../lib/tokens/trusted-issuers/issuer-keys.js'
import { type FakeIssuer, type IssuerKey, newIssuerKey, startFakeIssuer } from '../../helpers/fake-issuer.js'
import { publishedWso2Key } from '../../helpers/published-key.js'

const minute = 60_000

let first: IssuerKey
let second: IssuerKey
let issuer: FakeIssuer
let time: number
let failures: unknown[]

beforeAll(async () => {
  first = await newIssuerKey('first')
  second = await newIssuerKey('second')
  issuer = await startFakeIssuer([first])
})

beforeEach(() => {
  Object.assign(issuer, { mood: 'well', keys: [first], jwksPath: '/keys', discovery: {} })
  issuer.requests.length = 0
  time = 1000
  failures = []
})

afterAll(() => issuer.close())

function createKeys(options: Partial<IssuerKeysOptions> = {}): ReturnType<typeof createIssuerKeys> {
  const onFailure = (error: unknown): unknown => failures.push(error)
  return createIssuerKeys({ issuer: issuer.url, now: () => time, onFailure, ...options })
}

const named = (kid: string | undefined, algorithm = 'ES256') => ({ kid, algorithm })
const keyReads = (): number => issuer.requests.filter((path) => path === issuer.jwksPath).length

describe('the keys of an issuer', () => {
  it('are read once, for all who ask meanwhile and after', async () => {
    const find = createKeys()
    const [one, other] = await Promise.all([find(named('first')), find(named('first'))])
    expect(one).toMatchObject({ algorithm: 'ES256', key: { type: 'public' } })
    expect(other?.key).toBe(one?.key)
    await find(named('first'))
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  it('are read without discovery where their place is given', async () => {
    const find = createKeys({ jwksUri: `${issuer.url}/keys` })
    await find(named('first'))
    expect(issuer.requests).toEqual(['/keys'])
  })

  it('are found without a kid where only one fits', async () => {
    const find = createKeys()
    await expect(find(named(undefined))).resolves.toMatchObject({ algorithm: 'ES256' })
    issuer.keys = [first, second]
    time += 10 * minute
    await find(named('first'))
    await expect.poll(() => find(named(undefined)).then(String, String)).toContain('multiple matching keys')
  })

  it('are asked for once a minute, however many other keys are named', async () => {
    const find = createKeys()
    for (const kid of Array.from({ length: 50 }, (_, index) => `forged-${index}`)) {
      await expect(find(named(kid))).rejects.toThrow('the key is not known')
    }
    expect(keyReads()).toBe(1)
    time += minute - 1
    await expect(find(named('forged'))).rejects.toThrow('the key is not known')
    expect(keyReads()).toBe(1)
    time += 1
    await Promise.allSettled(Array.from({ length: 50 }, (_, index) => find(named(`forged-${index}`))))
    expect(keyReads()).toBe(2)
  })

  it('are taken up after a rotation, also from another place', async () => {
    const find = createKeys()
    await find(named('first'))
    issuer.keys = [first, second]
    issuer.jwksPath = '/other-keys'
    time += minute
    await expect(find(named('second'))).resolves.toBeDefined()
    await expect(find(named('first'))).resolves.toBeDefined()
    expect(issuer.requests.slice(2)).toEqual(['/.well-known/openid-configuration', '/other-keys'])
  })

  it('are read again beside the requests after ten minutes, and a key that was withdrawn is gone', async () => {
    const find = createKeys()
    await find(named('first'))
    issuer.keys = [second]
    time += 10 * minute
    await expect(find(named('first'))).resolves.toBeDefined()
    await expect.poll(() => find(named('first')).catch(String)).toBe('Error: the key is not known')
  })

  it.each(['broken', 'silent'] as const)('are kept while the issuer is %s, for a day', async (mood) => {
    const find = createKeys({ timeoutMs: 1_500 })
    await find(named('first'))
    issuer.mood = mood
    time += 24 * 60 * minute - 1
    await expect(find(named('first'))).resolves.toBeDefined()
    await expect(find(named('second'))).rejects.toThrow(StoreError)
    time += 1
    await expect(find(named('first'))).rejects.toThrow(StoreError)
    expect(failures).toHaveLength(1)
  })

  it('that are not known are no verdict while the issuer cannot be reached, and it is asked once a minute', async () => {
    const find = createKeys()
    issuer.mood = 'broken'
    await expect(find(named('first'))).rejects.toThrow('the keys of the issuer cannot be read')
    issuer.mood = 'well'
    await expect(find(named('first'))).rejects.toThrow(StoreError)
    expect(issuer.requests).toHaveLength(1)
    time += minute
    await expect(find(named('first'))).resolves.toBeDefined()
    expect(failures).toHaveLength(1)
    expect(String(failures[0])).toBe('Error: answered 500')
  })

  it.each<[string, Record<string, unknown>]>([
    ['another issuer', { issuer: 'https://id.example.com' }],
    ['no place of the keys', { jwks_uri: undefined }],
    ['a place of the keys without TLS', { jwks_uri: 'http://id.example.com/keys' }],
    ['a place of the keys with a password', { jwks_uri: 'https://a:b@id.example.com/keys' }],
    ['a file as the place of the keys', { jwks_uri: 'file:///etc/passwd' }],
  ])('are not read where discovery names %s', async (_what, discovery) => {
    const find = createKeys()
    issuer.discovery = discovery
    await expect(find(named('first'))).rejects.toThrow(StoreError)
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration'])
  })

  it('are not read from where the issuer redirects to', async () => {
    const fetch = async (): Promise<Response> => Response.redirect(`${issuer.url}/keys`, 302)
    await expect(createKeys({ fetch })(named('first'))).rejects.toThrow(StoreError)
  })

  it.each([
    ['too long', `{"keys":["${'x'.repeat(1024 * 1024)}"]}`],
    ['no JSON', '<html>'],
    ['no object', '[]'],
    ['no key set', '{}'],
    ['of too many keys', JSON.stringify({ keys: Array(101).fill({}) })],
  ])('are not taken from an answer that is %s', async (_what, body) => {
    const find = createKeys({ jwksUri: `${issuer.url}/keys`, fetch: () => Promise.resolve(new Response(body)) })
    await expect(find(named('first'))).rejects.toThrow(StoreError)
  })

  it('are never secrets, nor those that WSO2 publishes, and broken ones are left out', async () => {
    const published = createPublicKey(publishedWso2Key)
    const secret = { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA', kid: 'secret' }
    const keys = [
      secret,
      { kty: 'EC', crv: 'P-256', kid: 'broken' },
      null,
      { ...(await exportJWK(published)), kid: 'published' },
      first.jwk,
    ]
    const find = createKeys({ jwksUri: `${issuer.url}/keys`, fetch: async () => Response.json({ keys }) })
    await expect(find(named('first'))).resolves.toBeDefined()
    await expect(find(named('published', 'RS256'))).rejects.toThrow('the key is not known')
    await expect(find(named('broken'))).rejects.toThrow('the key is not known')
    await expect(find(named('secret', 'HS256'))).rejects.toThrow('the algorithm is not accepted')
    await expect(find(named('first', 'none'))).rejects.toThrow('the algorithm is not accepted')
  })

  it.each(['http://id.example.com', 'id.example.com', 'https://user@id.example.com'])('need no %s', (url) => {
    expect(() => createIssuerKeys({ issuer: url })).toThrow(TypeError)
  })
})
