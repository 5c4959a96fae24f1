import { beforeAll, describe, expect, it } from 'vitest'
import { maxTokenLength, verifyCompactJws } from '../../../lib/tokens/jwt/compact-jws.js'
import { parseJsonObject } from '../../../lib/tokens/jwt/strict-json.js'
import { createKeyRing, type KeyRing } from '../../../lib/tokens/keys/key-ring.js'

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

let keys: KeyRing
let good: string

beforeAll(async () => {
  keys = await createKeyRing({ algorithm: 'ES256' })
  const input = `${base64url(JSON.stringify({ alg: 'ES256', kid: keys.kid }))}.${base64url('{"a":1}')}`
  good = `${input}.${await keys.sign(input)}`
})

// Covers: B03 B05
describe('a compact JWS', () => {
  it('gives its header and its payload', async () => {
    const { header, payload } = await verifyCompactJws(good, keys)
    expect([...header]).toEqual([
      ['alg', 'ES256'],
      ['kid', keys.kid],
    ])
    expect(Buffer.from(payload).toString()).toBe('{"a":1}')
  })

  it.each<[string, (parts: readonly [string, string, string]) => string, string]>([
    ['of one part', ([header]) => header, 'the token has not three parts'],
    ['of two parts', ([header, payload]) => `${header}.${payload}`, 'the token has not three parts'],
    ['with a part behind', (parts) => `${parts.join('.')}.x`, 'the token has not three parts'],
    ['that is encrypted: five parts', (parts) => `${parts.join('.')}.x.x`, 'the token has not three parts'],
    ['without a header', ([, payload, signature]) => `.${payload}.${signature}`, 'a part is not canonical base64url'],
    ['without a payload', ([header, , signature]) => `${header}..${signature}`, 'a part is not canonical base64url'],
    ['without a signature', ([header, payload]) => `${header}.${payload}.`, 'a part is not canonical base64url'],
    ['with padding', (parts) => `${parts.join('.')}==`, 'a part is not canonical base64url'],
    ['with a blank', (parts) => `${parts.join('.')} `, 'a part is not canonical base64url'],
    ['with a line break inside', ([header, ...rest]) => [`${header}\n`, ...rest].join('.'), 'not canonical base64url'],
    ['in plain base64', (parts) => parts.join('.').replace(/.$/, '+'), 'a part is not canonical base64url'],
    ['that is too long', () => 'x'.repeat(maxTokenLength + 1), 'the token is too long'],
    ['that is as long as it may be', () => 'x'.repeat(maxTokenLength), 'the token has not three parts'],
  ])('%s is refused for what it is', async (_what, change, reason) => {
    const parts = good.split('.') as [string, string, string]
    await expect(verifyCompactJws(change(parts), keys)).rejects.toThrow(reason)
  })

  it('is refused when its header is no JSON object, without a word of it', async () => {
    for (const [header, reason] of [
      ['swordfish', 'not JSON'],
      ['null', 'not a JSON object'],
      ['["swordfish"]', 'not a JSON object'],
    ] as const) {
      const token = [base64url(header), ...good.split('.').slice(1)].join('.')
      const error = await verifyCompactJws(token, keys).catch((thrown: unknown) => thrown as Error)
      expect(error).toMatchObject({ message: reason })
    }
  })
})

describe('parseJsonObject', () => {
  const parse = (text: string): unknown => parseJsonObject(Buffer.from(text))

  it.each(['', '{', 'swordfish', '{"a":1}}', '{a:1}', "{'a':1}"])('refuses %j as no JSON', (text) => {
    expect(() => parse(text)).toThrow(new SyntaxError('not JSON'))
  })

  it.each(['null', '[]', '"a"', '1', 'true'])('refuses %s as no object', (text) => {
    expect(() => parse(text)).toThrow(new TypeError('not a JSON object'))
  })
})
