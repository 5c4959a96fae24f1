import { describe, expect, it } from 'vitest'
import { createChallenges } from '../../lib/http/challenge.js'

// Covers: A14
describe('challengesOf', () => {
  it('names the realm in every challenge', () => {
    const { insufficientScope, ...challenges } = createChallenges('My API (test)')
    expect(challenges).toEqual({
      basic: 'Basic realm="My API (test)", charset="UTF-8"',
      bearer: 'Bearer realm="My API (test)"',
      invalidToken:
        'Bearer realm="My API (test)", error="invalid_token", error_description="The access token is not valid"',
      invalidRequest:
        'Bearer realm="My API (test)", error="invalid_request", error_description="More than one credential was sent"',
    })
    expect(insufficientScope('reports.read reports.write')).toBe(
      'Bearer realm="My API (test)", error="insufficient_scope", scope="reports.read reports.write"',
    )
  })

  it('is Sallyport by default', () => {
    expect(createChallenges().bearer).toBe('Bearer realm="Sallyport"')
    expect(createChallenges(undefined).bearer).toBe('Bearer realm="Sallyport"')
    expect(createChallenges().insufficientScope('a')).toBe(createChallenges('Sallyport').insufficientScope('a'))
  })

  it.each(['', 'a"b', 'a\\b', 'a\r\nSet-Cookie: x', 'a\0', 'caf\u00e9', 'a\u202eb', '\t'])('refuses %j', (realm) => {
    expect(() => createChallenges(realm)).toThrow(TypeError)
  })
})
