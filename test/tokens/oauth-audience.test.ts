import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Auth } from '../../lib/core/auth.js'
import type { HttpError } from '../../lib/core/errors.js'
import { createRecord } from '../../lib/testing.js'
import { createTokenSigner } from '../../lib/tokens/jwt/sign-token.js'
import { createKeyRing, type KeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import type { TokenRecord } from '../../lib/tokens/token-store.js'
import { createTokens, type Tokens } from '../../lib/tokens/tokens.js'
import type { UserAccount } from '../../lib/users/user-store.js'

const start = Date.UTC(2026, 0, 1)
const alice: UserAccount = { subject: 'alice', roles: ['operator'], isAdmin: false, version: 'version 1' }
const audience = 'https://api.example.com'

let keys: KeyRing

beforeAll(async () => {
  keys = await createKeyRing({ algorithm: 'ES256' })
})

describe.each(['answers at once', 'answers later'])('a token for one API, in a store that %s', (how) => {
  let now = start
  let store: MemoryTokenStore
  let tokens: Tokens

  beforeEach(() => {
    now = start
    const clock = (): number => now
    store = new MemoryTokenStore({ clock })
    const late = Object.assign(Object.create(store) as MemoryTokenStore, {
      add: async (record: TokenRecord) => store.add(record),
      find: async (id: string) => store.find(id),
      touch: async (id: string, at: number) => store.touch(id, at),
      remove: async (id: string) => store.remove(id),
    })
    tokens = createTokens({
      store: how === 'answers at once' ? store : late,
      keys,
      issuer: 'urn:test',
      audience: 'management-api',
      expiryMs: 60_000,
      clock,
    })
    onTestFinished(() => store.close())
  })

  /** Issues a token whose record has these fields. */
  async function issued(fields: Partial<TokenRecord> = {}): Promise<string> {
    const times = { issuedAtSeconds: now / 1000, expiresAtSeconds: now / 1000 + 60 }
    const sign = createTokenSigner({ keys, issuer: 'https://issuer.example', audience })
    const token = await sign({ subject: alice.subject, scope: 'orders.read', ...times })
    const record = { kind: 'oauth', audience, scope: 'orders.read', ...fields } as const
    store.add(createRecord('', { id: tokenId('oauth', token), ...record }))
    return token
  }

  const verified = async (token: string, wanted?: string): Promise<Auth> => tokens.verify(token, { audience: wanted })

  /** Why a token was refused: for the log, never for the client. */
  const reasonFor = async (token: string, wanted?: string): Promise<unknown> => {
    const error = await verified(token, wanted).then(
      () => undefined,
      (refusal: HttpError) => refusal,
    )
    expect(error).toMatchObject({ status: 401, code: 'ERR_TOKEN_INVALID', message: 'The access token is not valid.' })
    return (error?.cause as Error | undefined)?.message ?? error?.cause
  }

  it('is good for that API, with the scope that it was granted', async () => {
    const token = await issued()
    const auth = { subject: 'alice', kind: 'oauth', scope: 'orders.read', tokenId: tokenId('oauth', token) }
    expect(await verified(token, audience)).toMatchObject(auth)
  })

  it('has the scope that it was granted whatever the rights of its user', async () => {
    const token = await issued({ isAdmin: true })
    expect(await verified(token, audience)).toMatchObject({ isAdmin: true, scope: 'orders.read' })
  })

  it('is good for no other API, and none other is good here', async () => {
    const token = await issued()
    expect(await reasonFor(token, 'https://other.example.com')).toContain('it is for another audience')
    const unbound = await issued({ audience: undefined })
    expect(await reasonFor(unbound, audience)).toContain('it is for another audience')
    const session = await issued({ kind: 'portal' })
    await expect(verified(session, audience)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('is no management token, and a management token is none', async () => {
    expect(await reasonFor(await issued())).toContain('it is not in the store')
    const { token } = await tokens.issue(alice)
    expect(await reasonFor(token, audience)).toContain('it is not in the store')
    expect(await verified(token)).toMatchObject({ kind: 'management' })
  })

  it('is refused when it is not in the store, or its parent session has ended', async () => {
    const token = await issued({ parent: createRecord('grant').id })
    expect(await reasonFor('no.such.token', audience)).toContain('it is not in the store')
    expect(await reasonFor(token, audience)).toContain('its parent session has ended')
    expect(store.size).toBe(0)
  })
})
