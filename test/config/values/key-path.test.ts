import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatKey, isSecretKey, parseKey, parsePrintedKey } from '../../../lib/config/values/key-path.js'

describe('formatKey', () => {
  it.each([
    [['internal_apis', 'users', 1, 'user', 'name'], 'internal_apis.users[1].user.name'],
    [['synapse_properties', 'internal.http.api.port'], "synapse_properties.'internal.http.api.port'"],
    [['a', ''], "a.''"],
    [['a', "it's"], 'a."it\'s"'],
    [['a', 'line\nbreak'], 'a."line\\nbreak"'],
  ])('prints %j as %s', (path, text) => {
    expect(formatKey(path)).toBe(text)
  })

  it('is read back by parseKey for names without quotes and control characters', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !/['"\p{Cc}]/u.test(text))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (path) => {
        expect(parseKey(formatKey(path))).toEqual(path)
      }),
    )
  })
})

describe('parseKey', () => {
  it.each(['', '.', 'a.', '.a', 'a..b', "a.'b", 'a b', 'a[0]'])('does not take %j for a key', (text) => {
    expect(parseKey(text)).toBeUndefined()
  })
})

describe('parsePrintedKey', () => {
  it('reads what formatKey prints for names without quotes and control characters', () => {
    const name = fc.string().filter((text) => !/['\p{Cc}]/u.test(text))
    const step = fc.oneof(name, fc.nat())
    fc.assert(
      fc.property(name, fc.array(step, { maxLength: 5 }), (first, rest) => {
        expect(parsePrintedKey(formatKey([first, ...rest]))).toEqual([first, ...rest])
      }),
    )
  })

  it.each(['', '.', '.a', 'a.', 'a..b', '[0]', 'a[x]', 'a[0', "a.'b", 'a."b"', 'trust proxy', '/etc/deployment.toml'])(
    'does not take %j for a key',
    (text) => {
      expect(parsePrintedKey(text)).toBeUndefined()
    },
  )
})

describe('isSecretKey', () => {
  it.each([
    [['internal_apis', 'users', 0, 'user', 'password']],
    [['keystore', 'primary', 'key_password']],
    [['user_store', 'properties', 'ConnectionPassword']],
    [['secrets', 'alias']],
    [['x', 'client_secret']],
    [['x', 'auth_token', 0]],
  ])('keeps the value of %j to itself', (path) => {
    expect(isSecretKey(path)).toBe(true)
  })

  it('shows the value of a key that only lies in a table of tokens', () => {
    expect(isSecretKey(['management_api', 'jwt_token_security_handler', 'token_config', 'expiry'])).toBe(false)
  })
})
