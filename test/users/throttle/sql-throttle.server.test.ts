import { describe, vi } from 'vitest'
import { SqlLink } from '../../../lib/sql/sql-link.js'
import { createSqlThrottle } from '../../../lib/users/throttle/sql-throttle.js'
import { sqlEngines } from '../../helpers/sql-engines.js'
import { sharedThrottleContract } from './shared-throttle-contract.js'

const logger = { info() {}, warn() {}, error() {} }

// Covers: A09
describe.each(sqlEngines)('$name', ({ start }) => {
  sharedThrottleContract('the database', 100, async () => {
    const engine = await start()
    return {
      async connect() {
        const link = new SqlLink({ database: await engine.open(), logger })
        // A busy machine may need a second attempt.
        await link.start().catch(() => undefined)
        await vi.waitFor(() => link.assertReady(), 30_000)
        return {
          create: (options, onAsk) =>
            createSqlThrottle({
              ...options,
              link: {
                dialect: link.dialect,
                prefix: link.prefix,
                now: link.now,
                locked(...args) {
                  onAsk()
                  return link.locked(...args)
                },
                query(...args) {
                  onAsk()
                  return link.query(...args)
                },
              },
            }),
          close: () => link.close(),
        }
      },
      async count(name) {
        const [row] = await engine.run(`SELECT COUNT(*) AS found FROM sallyport_throttle WHERE throttle = '${name}'`)
        return Number(row!['found'])
      },
      // Five tables of 11 records, the good logins, and the row with the totals.
      bound: (maxEntries) => 5 * (maxEntries + 1) + maxEntries + 1,
      loseData: () => engine.run('DELETE FROM sallyport_throttle'),
      kill: () => engine.server.signal('SIGKILL'),
      restart: () => engine.server.start(),
      hold: () => engine.hold(),
      stop: () => engine.server.stop(),
    }
  })
})
