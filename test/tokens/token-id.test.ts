import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { tokenId } from '../../lib/tokens/token-id.js'

describe('tokenId', () => {
  it('is the SHA-256 of kind and credential', () => {
    expect(tokenId('portal', 'J\u00f6rg')).toBe(createHash('sha256').update('portal:J\u00f6rg').digest('base64url'))
  })

  it('differs between kinds', () => {
    const kinds = ['management', 'portal', 'oauth', 'basic'] as const
    expect(new Set(kinds.map((kind) => tokenId(kind, 'same'))).size).toBe(4)
  })
})
