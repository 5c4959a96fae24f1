import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { UnauthorizedError } from '../../../lib/core/errors.js'
import { createTokenSigner } from '../../../lib/tokens/jwt/sign-token.js'
import { verifyToken } from '../../../lib/tokens/jwt/verify-token.js'
import { createKeyRing, type KeyRing } from '../../../lib/tokens/keys/key-ring.js'

const nowSeconds = Date.UTC(2026, 0, 1) / 1000
const now = nowSeconds * 1000
const issuer = 'urn:sallyport:management'
const audience = 'management-api'

const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())

let keys: KeyRing

beforeAll(async () => {
  keys = await createKeyRing({ algorithm: 'ES256' })
})

interface Parts {
  readonly header?: object
  readonly claims?: object
}

/** A token that is good but for the parts given here. A member that is `undefined` is left out. */
async function tokenWith({ header, claims }: Parts = {}): Promise<string> {
  const fullHeader = { alg: 'ES256', typ: 'at+jwt', kid: keys.kid, ...header }
  const times = { iat: nowSeconds, exp: nowSeconds + 60 }
  const fullClaims = { iss: issuer, sub: 'alice', aud: audience, ...times, jti: 'j1', ...claims }
  const input = `${base64url(JSON.stringify(fullHeader))}.${base64url(JSON.stringify(fullClaims))}`
  return `${input}.${await keys.sign(input)}`
}

async function verify(token: string, more: { now?: number; clockToleranceSeconds?: number } = {}): Promise<unknown> {
  return verifyToken(token, { keys, issuer, audience, now, ...more })
}

async function causeOf(token: string, more?: Parameters<typeof verify>[1]): Promise<string> {
  const error: unknown = await verify(token, more).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UnauthorizedError)
  expect(error).toMatchObject({ status: 401, code: 'ERR_TOKEN_INVALID', message: 'The access token is not valid.' })
  return String((error as Error).cause)
}

describe('createTokenSigner', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)('writes tokens in the form of RFC 9068 with %s', async (algorithm) => {
    const ring = await createKeyRing({ algorithm })
    const signToken = createTokenSigner({ keys: ring, issuer, audience })
    const times = { issuedAtSeconds: nowSeconds, expiresAtSeconds: nowSeconds + 60 }
    const token = await signToken({ subject: 'J\u00f6rg', scope: 'admin', ...times })

    const [header, payload] = token.split('.') as [string, string]
    expect(decode(header)).toEqual({ alg: algorithm, typ: 'at+jwt', kid: ring.kid })
    expect(decode(payload)).toEqual({
      iss: issuer,
      sub: 'J\u00f6rg',
      aud: audience,
      iat: nowSeconds,
      exp: nowSeconds + 60,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      scope: 'admin',
    })
    const claims = await verifyToken(token, { keys: ring, issuer, audience, now })
    expect(claims).toMatchObject({ subject: 'J\u00f6rg', expiresAtSeconds: nowSeconds + 60 })
  })

  // Covers: B13
  it('writes no two tokens alike', async () => {
    const ring = { ...keys, sign: async () => 'signature' }
    const signToken = createTokenSigner({ keys: ring, issuer, audience })
    const claims = {
      subject: 'alice',
      scope: 'default',
      issuedAtSeconds: nowSeconds,
      expiresAtSeconds: nowSeconds + 60,
    }
    const tokens = new Set<string>()
    for (let count = 0; count < 10_000; count++) tokens.add(await signToken(claims))
    expect(tokens.size).toBe(10_000)
  })
})

// Covers: B01 B02 B04 B05 B06 B10 B11 B12
describe('verifyToken', () => {
  it('answers the claims that matter', async () => {
    expect(await verify(await tokenWith())).toEqual({ subject: 'alice', jti: 'j1', expiresAtSeconds: nowSeconds + 60 })
  })

  it('answers the same ten times', async () => {
    const token = await tokenWith()
    for (let count = 0; count < 10; count++) expect(await verify(token)).toMatchObject({ subject: 'alice' })
  })

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/at+JWT'])('accepts the type %s', async (typ) => {
    expect(await verify(await tokenWith({ header: { typ } }))).toMatchObject({ subject: 'alice' })
  })

  it.each([undefined, null, '', 'JWT', 'at+jwt ', 'application/', 'x/at+jwt', 'at+application/jwt', ['at+jwt']])(
    'refuses the type %j',
    async (typ) => {
      expect(await causeOf(await tokenWith({ header: { typ } }))).toContain('typ')
    },
  )

  it.each(['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c'])('refuses a header that has %s', async (name) => {
    for (const value of [null, true, [], 'x']) {
      expect(await causeOf(await tokenWith({ header: { [name]: value } }))).toContain(`the header has ${name}`)
    }
  })

  it.each([undefined, null, 1, '', 'other', 'x'.repeat(257), ['kid'], '__proto__'])(
    'refuses the key id %j',
    async (kid) => {
      expect(await causeOf(await tokenWith({ header: { kid } }))).toContain('the key is not known')
    },
  )

  it('looks up no key id that is longer than 256 letters', async () => {
    const asked: string[] = []
    const find = (kid: string): undefined => void asked.push(kid)
    for (const length of [256, 257]) {
      const token = await tokenWith({ header: { kid: 'x'.repeat(length) } })
      await expect(verifyToken(token, { keys: { find }, issuer, audience, now })).rejects.toThrow(UnauthorizedError)
    }
    expect(asked.map(({ length }) => length)).toEqual([256])
  })

  it.each([undefined, null, 'none', 'RS256', 'es256', ['ES256'], 'HS256', '__proto__'])(
    'refuses the algorithm %j',
    async (alg) => {
      expect(await causeOf(await tokenWith({ header: { alg } }))).toContain('algorithm')
    },
  )

  it.each<[string, object]>([
    ['iss', { iss: undefined }],
    ['iss', { iss: `${issuer}/` }],
    ['iss', { iss: [issuer] }],
    ['aud', { aud: undefined }],
    ['aud', { aud: 'other' }],
    ['aud', { aud: [] }],
    ['aud', { aud: ['other'] }],
    ['aud', { aud: [audience, 1] }],
    ['aud', { aud: [audience, null] }],
    ['aud', { aud: [[audience]] }],
    ['exp', { exp: undefined }],
    ['exp', { exp: null }],
    ['exp', { exp: String(nowSeconds + 60) }],
    ['exp', { exp: 0 }],
    ['exp', { exp: nowSeconds }],
    ['exp', { exp: nowSeconds + 2_592_001 }],
    ['iat', { iat: undefined }],
    ['iat', { iat: String(nowSeconds) }],
    ['iat', { iat: nowSeconds + 1 }],
    ['nbf', { nbf: nowSeconds + 1 }],
    ['nbf', { nbf: null }],
    ['nbf', { nbf: 'now' }],
    ['sub', { sub: undefined }],
    ['sub', { sub: '' }],
    ['sub', { sub: 0 }],
    ['sub', { sub: 'alice\u0000' }],
    ['sub', { sub: 'x'.repeat(1025) }],
    ['jti', { jti: undefined }],
    ['jti', { jti: '' }],
    ['jti', { jti: ['j1'] }],
    ['jti', { jti: 'x'.repeat(1025) }],
  ])('refuses a wrong %s: %j', async (name, claims) => {
    expect(await causeOf(await tokenWith({ claims }))).toBe(`Error: ${name} is missing or wrong`)
  })

  it.each<object>([
    { aud: ['other', audience] },
    { exp: nowSeconds + 1 },
    { exp: nowSeconds + 2_592_000 },
    { nbf: nowSeconds },
    { iat: nowSeconds - 10.5 },
    { sub: 'x'.repeat(1024) },
    { extra: { a: [1] } },
  ])('accepts %j', async (claims) => {
    expect(await verify(await tokenWith({ claims }))).toMatchObject({ jti: 'j1' })
  })

  it('allows for a clock that is ahead, by 60 seconds at most, and never for exp', async () => {
    const ahead = await tokenWith({ claims: { iat: nowSeconds + 60, nbf: nowSeconds + 60, exp: nowSeconds + 120 } })
    expect(await verify(ahead, { clockToleranceSeconds: 60 })).toMatchObject({ subject: 'alice' })
    expect(await causeOf(ahead, { clockToleranceSeconds: 59 })).toContain('iat')
    expect(await causeOf(ahead, { clockToleranceSeconds: 3600, now: now - 1 })).toContain('iat')
    expect(await causeOf(await tokenWith(), { clockToleranceSeconds: 60, now: now + 60_000 })).toContain('exp')
  })

  it('expires to the millisecond', async () => {
    const token = await tokenWith()
    expect(await verify(token, { now: now + 59_999 })).toMatchObject({ subject: 'alice' })
    expect(await causeOf(token, { now: now + 60_000 })).toContain('exp')
  })

  it('looks at no token that is longer than 8192 letters', async () => {
    const overhead = (await tokenWith({ claims: { pad: '' } })).length
    const padded = (length: number): Promise<string> => tokenWith({ claims: { pad: 'x'.repeat(length) } })
    const longest = await padded(Math.floor(((8192 - overhead) * 3) / 4))
    expect(longest.length).toBeLessThanOrEqual(8192)
    expect(await verify(longest)).toMatchObject({ subject: 'alice' })
    expect(await causeOf(await padded(Math.floor(((8192 - overhead) * 3) / 4) + 3))).toContain('too long')
  })

  it('refuses every change of one letter', async () => {
    const token = await tokenWith()
    const other = fc.constantFrom(...'ABab01-_=. ')
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: token.length - 1 }), other, async (index, letter) => {
        fc.pre(token[index] !== letter)
        await causeOf(token.slice(0, index) + letter + token.slice(index + 1))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses any text with nothing but its one error', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(fc.base64String({ maxLength: 40 }), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')),
      fc
        .tuple(fc.jsonValue(), fc.jsonValue())
        .map((parts) => `${parts.map((part) => base64url(JSON.stringify(part))).join('.')}.AAAA`),
    )
    await fc.assert(fc.asyncProperty(text, async (token) => void (await causeOf(token))))
  })

  it('repeats no part of the token in its error', async () => {
    for (const token of [
      await tokenWith({ claims: { sub: 'swordfish', aud: 1 } }),
      'swordfish',
      'swordfish.a.b',
      '{"swordfish"',
    ]) {
      expect(await causeOf(token)).not.toContain('swordfish')
    }
  })

  it('shows no part of a payload that is not JSON', async () => {
    const input = `${base64url(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: keys.kid }))}.${base64url('swordfish')}`
    expect(await causeOf(`${input}.${await keys.sign(input)}`)).not.toContain('swordfish')
  })
})
