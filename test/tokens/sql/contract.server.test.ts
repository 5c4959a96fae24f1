import { describe, it } from 'vitest'
import { SqlLink } from '../../../lib/sql/sql-link.js'
import { tokenStoreContract } from '../../../lib/testing/token-store-contract.js'
import { SqlTokenStore } from '../../../lib/tokens/sql/sql-token-store.js'
import { onEachEngine } from '../../helpers/each-engine.js'
import { newPrefix } from '../../helpers/sql-store.js'

const logger = { info() {}, warn() {}, error() {} }

onEachEngine((engine) => {
  for (const maxStalenessMs of [0, 60_000]) {
    tokenStoreContract({ describe, it }, `SqlTokenStore, max_staleness ${maxStalenessMs}`, async (options) => {
      const link = new SqlLink({ database: await engine().open(), keyPrefix: newPrefix(), logger })
      const store = new SqlTokenStore({ ...options, link, maxStalenessMs, touchIntervalMs: 0 })
      await link.start()
      return store
    })
  }
})
