import { describe } from 'vitest'
import { onEachEngine } from '../../helpers/each-engine.js'
import { newPrefix, openSqlStore } from '../../helpers/sql-store.js'
import { processesContract } from './processes-contract.js'

onEachEngine((engine) => {
  describe('tokens that were not issued here, over a database', () => {
    processesContract(async () => {
      const keyPrefix = newPrefix()
      const first = await openSqlStore(engine(), { keyPrefix })
      const second = await openSqlStore(engine(), { keyPrefix })
      return { stores: [first.store, second.store], clock: first.link.now }
    })
  })
})
