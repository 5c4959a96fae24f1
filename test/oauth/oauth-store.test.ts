import { describe } from 'vitest'
import { MemoryOauthStore } from '../../lib/oauth/oauth-store.js'
import { oauthStoreContract } from './oauth-store-contract.js'

describe('MemoryOauthStore', () => {
  oauthStoreContract(async (options) => new MemoryOauthStore(options))
})
