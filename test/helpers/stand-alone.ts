import { createKeyRing, type KeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { createTokens, type Tokens } from '../../lib/tokens/tokens.js'
import { type Accounts, createAccounts } from '../../lib/users/accounts.js'
import { type FileUserStore, fileUserStore } from '../../lib/users/file/file-user-store.js'
import { type Authenticator, createAuthenticator } from '../../lib/users/login/authenticator.js'

/** What middlewares are made of when they are composed by hand. */
export interface Parts {
  readonly users: FileUserStore
  readonly accounts: Accounts
  readonly authenticator: Authenticator
  readonly tokens: Tokens
  readonly store: MemoryTokenStore
  readonly keys: KeyRing
}

/** The one user of {@link standAloneParts}. */
export const alice = { name: 'alice', password: 'a-fine-password', isAdmin: false, roles: ['viewer'] } as const

const keys = createKeyRing({ algorithm: 'ES256' })

/** Makes the parts, with one user and no waits. */
export async function standAloneParts(): Promise<Parts> {
  const users = await fileUserStore({ users: [alice] })
  const accounts = createAccounts({ users })
  const store = new MemoryTokenStore()
  const tokens = createTokens({
    store,
    keys: await keys,
    issuer: 'urn:test',
    audience: 'test',
    expiryMs: 60_000,
    accounts,
  })
  return {
    users,
    accounts,
    store,
    tokens,
    keys: await keys,
    authenticator: createAuthenticator({ users, failureFloorMs: 0 }),
  }
}
