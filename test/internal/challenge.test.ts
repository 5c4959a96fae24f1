import { describe, expect, it } from 'vitest'
import { challengesOf } from '../../lib/internal/challenge.js'

// Covers: A14
describe('challengesOf', () => {
  it('names the realm in every challenge', () => {
    expect(challengesOf('My API (test)')).toEqual({
      basic: 'Basic realm="My API (test)", charset="UTF-8"',
      bearer: 'Bearer realm="My API (test)"',
      invalidToken:
        'Bearer realm="My API (test)", error="invalid_token", error_description="The access token is not valid"',
      invalidRequest:
        'Bearer realm="My API (test)", error="invalid_request", error_description="More than one credential was sent"',
    })
  })

  it('is Sallyport by default', () => {
    expect(challengesOf()).toEqual(challengesOf('Sallyport'))
    expect(challengesOf(undefined).bearer).toBe('Bearer realm="Sallyport"')
  })

  it.each(['', 'a"b', 'a\\b', 'a\r\nSet-Cookie: x', 'a\0', 'caf\u00e9', 'a\u202eb', '\t'])('refuses %j', (realm) => {
    expect(() => challengesOf(realm)).toThrow(TypeError)
  })
})
