import { describe, expect, it } from 'vitest'
import { readReference } from '../../scripts/config-reference.js'

describe('docs/configuration.md', () => {
  const { actual, expected } = readReference()

  it('has the keys that the schemas read; npm run config-reference writes them', () => {
    expect(actual).toBe(expected)
  })

  it('says in the column of defaults, and only there, what holds without a key', () => {
    expect(expected).not.toMatch(/\| \| |when absent|where .* is absent/)
  })
})
