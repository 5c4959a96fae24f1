import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreError, UnauthorizedError } from '../../../lib/core/errors.js'
import { createIssuerKeys } from '../../../lib/tokens/trusted-issuers/issuer-keys.js'
import {
  type IssuerTokenExpectations,
  verifyIssuerToken,
} from '../../../lib/tokens/trusted-issuers/verify-issuer-token.js'
import { type FakeIssuer, type IssuerKey, newIssuerKey, startFakeIssuer } from '../../helpers/fake-issuer.js'

const nowSeconds = Date.UTC(2026, 0, 1) / 1000
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

let keys: Record<string, IssuerKey>
let stranger: IssuerKey
let issuer: FakeIssuer
let expectations: IssuerTokenExpectations

beforeAll(async () => {
  const made = await Promise.all(algorithms.map((alg) => newIssuerKey(`key-${alg}`, alg)))
  keys = Object.fromEntries(made.map((key) => [key.alg, key]))
  stranger = await newIssuerKey('key-ES256')
  issuer = await startFakeIssuer(made)
  expectations = {
    findKey: createIssuerKeys({ issuer: issuer.url }),
    issuer: issuer.url,
    audience: 'my-api',
    types: ['at+jwt'],
    now: nowSeconds * 1000,
  }
})

afterAll(() => issuer.close())

const claimsWith = (others: Claims = {}): Claims => ({
  iss: issuer.url,
  aud: 'my-api',
  sub: 'alice',
  iat: nowSeconds,
  exp: nowSeconds + 300,
  ...others,
})

/** Claims of a test: also those that no issuer writes. */
type Claims = Record<string, unknown>

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const verify = (token: string, others: Partial<IssuerTokenExpectations> = {}) =>
  verifyIssuerToken(token, { ...expectations, ...others })

async function reasonFor(token: string, others?: Partial<IssuerTokenExpectations>): Promise<string> {
  const error: unknown = await verify(token, others).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UnauthorizedError)
  expect(error).toMatchObject({ code: 'ERR_TOKEN_INVALID', message: 'The access token is not valid.' })
  return (error as { cause: Error }).cause.message
}

describe('a token of an issuer elsewhere', () => {
  it.each(algorithms)('is good with %s', async (alg) => {
    const token = await keys[alg]!.sign(claimsWith({ jti: 'j1', realm_access: { roles: ['ops'] } }))
    const verified = await verify(token)
    expect(verified).toMatchObject({ subject: 'alice', jti: 'j1', issuedAtSeconds: nowSeconds })
    expect(verified.claims.get('realm_access')).toEqual({ roles: ['ops'] })
  })

  it('is good for one of its audiences, with its type in any case, and without a subject', async () => {
    const token = await keys['ES256']!.sign(claimsWith({ aud: ['other', 'my-api'], sub: undefined }), {
      typ: 'application/AT+JWT',
    })
    await expect(verify(token)).resolves.toMatchObject({ subject: undefined, jti: undefined })
  })

  it('may have no type where that is said', async () => {
    const token = await keys['ES256']!.sign(claimsWith(), { typ: undefined })
    await expect(verify(token, { types: ['jwt', undefined] })).resolves.toBeDefined()
    expect(await reasonFor(token)).toBe('typ is missing or wrong')
  })

  it.each<[string, Claims, string]>([
    ['issuer', { iss: 'https://id.example.com' }, 'iss'],
    ['audience', { aud: 'other' }, 'aud'],
    ['audience in another case', { aud: 'My-API' }, 'aud'],
    ['end: none', { exp: undefined }, 'exp'],
    ['end: text', { exp: '1e9' }, 'exp'],
    ['end: a minute ago', { exp: nowSeconds - 60 }, 'exp'],
    ['issue: none', { iat: undefined }, 'iat'],
    ['issue: more than a minute ahead', { iat: nowSeconds + 61 }, 'iat'],
    ['start: more than a minute ahead', { nbf: nowSeconds + 61 }, 'nbf'],
    ['subject', { sub: '' }, 'sub'],
    ['subject with a line break', { sub: 'alice\nbob' }, 'sub'],
    ['id', { jti: 5 }, 'jti'],
  ])('is refused with the wrong %s', async (_what, claims, claim) => {
    expect(await reasonFor(await keys['ES256']!.sign(claimsWith(claims)))).toBe(`${claim} is missing or wrong`)
  })

  it.each<[string, Claims]>([
    ['behind', { exp: nowSeconds - 59 }],
    ['ahead', { iat: nowSeconds + 60, nbf: nowSeconds + 60 }],
  ])('is good when the clock of the issuer is a minute %s', async (_what, claims) => {
    await expect(verify(await keys['ES256']!.sign(claimsWith(claims)))).resolves.toBeDefined()
  })

  it('is refused when it is older than it may be', async () => {
    const token = (age: number): Promise<string> => keys['ES256']!.sign(claimsWith({ iat: nowSeconds - age }))
    await expect(verify(await token(120 + 60), { maxAgeSeconds: 120 })).resolves.toBeDefined()
    expect(await reasonFor(await token(120 + 61), { maxAgeSeconds: 120 })).toBe('iat is missing or wrong')
  })

  it.each(['JWT', 'logout+jwt', undefined])('is refused with the type %s', async (typ) => {
    expect(await reasonFor(await keys['ES256']!.sign(claimsWith(), { typ }))).toBe('typ is missing or wrong')
  })

  it('is refused when it is not signed', async () => {
    const token = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claimsWith())}.`
    expect(await reasonFor(token)).toBe('a part is not canonical base64url')
    expect(await reasonFor(`${token}AA`)).toBe('the algorithm is not accepted')
  })

  it('is refused when the public key is its HMAC secret', async () => {
    const { kid, jwk } = keys['RS256']!
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid })}.${encode(claimsWith())}`
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    for (const secret of [pem, JSON.stringify(jwk), jwk.n!]) {
      const signature = createHmac('sha256', secret).update(input).digest('base64url')
      expect(await reasonFor(`${input}.${signature}`)).toBe('the algorithm is not accepted')
    }
  })

  it('is refused when another key has signed it, or it was changed', async () => {
    expect(await reasonFor(await stranger.sign(claimsWith()))).toBe('signature verification failed')
    const [header, , signature] = (await keys['ES256']!.sign(claimsWith())).split('.')
    const changed = `${header}.${encode(claimsWith({ sub: 'root' }))}.${signature}`
    expect(await reasonFor(changed)).toBe('signature verification failed')
  })

  it.each(['crit', 'jku', 'jwk', 'x5c', 'x5u', 'zip'])('is refused with %s in its header', async (name) => {
    const [, payload, signature] = (await keys['ES256']!.sign(claimsWith())).split('.')
    const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'key-ES256', [name]: ['x'] })
    expect(await reasonFor(`${header}.${payload}.${signature}`)).toBe(`the header has ${name}`)
  })

  it('is refused by a further check', async () => {
    const token = await keys['ES256']!.sign(claimsWith({ nonce: 'n' }))
    const check = (): never => {
      throw new Error('it is an ID token')
    }
    expect(await reasonFor(token, { check })).toBe('it is an ID token')
  })

  it('may be longer than our own, and not without bound', async () => {
    const token = (length: number): Promise<string> => keys['ES256']!.sign(claimsWith({ groups: ['g'.repeat(length)] }))
    await expect(verify(await token(10_000))).resolves.toBeDefined()
    expect(await reasonFor(await token(16_384))).toBe('the token is too long')
  })

  it('is no 401 when its key is not known and the issuer does not answer', async () => {
    const findKey = createIssuerKeys({ issuer: issuer.url, fetch: () => Promise.reject(new Error('no route')) })
    await expect(verify(await keys['ES256']!.sign(claimsWith()), { findKey })).rejects.toThrow(StoreError)
  })
})
