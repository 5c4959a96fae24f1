import { describe, expect, it } from 'vitest'
import { nearest } from '../../lib/core/names.js'

const keys = ['allowed_origins', 'allowed_headers', 'enable', 'enabled', 'path', 'max_size']

describe('nearest', () => {
  it.each([
    ['allowed_origin', 'allowed_origins'],
    ['alowed_orgins', 'allowed_origins'],
    ['allowedOrigins', 'allowed_origins'],
    ['allowed-headers', 'allowed_headers'],
    ['enabel', 'enable'],
    ['Enabled', 'enabled'],
    ['paht', 'path'],
    ['maxsize', 'max_size'],
  ])('takes %j for %j', (name, meant) => {
    expect(nearest(name, keys)).toBe(meant)
  })

  it.each(['expiry', 'pa', 'origins', 'x', '', 'disable_it'])('finds nothing that is meant by %j', (name) => {
    expect(nearest(name, keys)).toBeUndefined()
  })
})
