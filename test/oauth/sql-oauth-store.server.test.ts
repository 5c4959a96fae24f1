import { describe, expect, it } from 'vitest'
import { SqlOauthStore } from '../../lib/oauth/sql-oauth-store.js'
import { SqlLink } from '../../lib/sql/sql-link.js'
import { type SqlEngine, sqlEngines } from '../helpers/sql-engines.js'
import { entry, idFor } from './oauth-store-contract.js'
import { sharedOauthStore } from './shared-oauth-store.js'

const logger = { info() {}, warn() {}, error() {} }

// Covers: J11
describe.each(sqlEngines)('$name', ({ start }) => {
  let engine: SqlEngine

  const startServer = async () => {
    engine = await start()
    return {
      async connect(options, keyPrefix) {
        const link = new SqlLink({ database: await engine.open(), keyPrefix, logger })
        const store = new SqlOauthStore({ ...options, link })
        await link.start()
        return {
          store,
          addToken: ({ id, subject, expiresAt }) =>
            link.query(
              `INSERT INTO sallyport_token (prefix, id, pool, kind, user_key, record, issued_at, expires_at, ends_at, last_use)
                VALUES (?, ?, 'oauth', 'oauth', ?, '{}', 0, ?, ?, 0)`,
              [keyPrefix, id, subject, expiresAt, expiresAt],
            ),
          hasToken: async (id) =>
            (await link.query('SELECT 1 AS found FROM sallyport_token WHERE id = ?', [id])).length > 0,
          close: () => link.close(),
        }
      },
      async keysBelow(keyPrefix) {
        const columns = 'model, id, grant_id, user_key, uid'
        const rows = await engine.run(`SELECT ${columns} FROM sallyport_oauth WHERE prefix = '${keyPrefix}'`)
        return rows.map((row) => Object.values(row).join(':'))
      },
      stop: () => engine.server.stop(),
    } satisfies Awaited<ReturnType<Parameters<typeof sharedOauthStore>[0]>>
  }

  sharedOauthStore(startServer, (pair) => {
    it('take nothing while the disk is full, lose nothing, and go on when there is room', async () => {
      const { a, stage } = await pair()
      await a.put(entry(stage, 'Grant', 'grant'))
      await a.put(entry(stage, 'AuthorizationCode', 'code'))
      const makeRoom = await engine.fillDisk('sallyport_oauth')
      await expect(a.put(entry(stage, 'Session', 's'))).rejects.toMatchObject({ name: 'StoreError' })
      await expect(a.consume('AuthorizationCode', idFor('code'))).rejects.toMatchObject({ name: 'StoreError' })
      await makeRoom()
      expect(await a.consume('AuthorizationCode', idFor('code'))).toBe(true)
      expect(await a.consume('AuthorizationCode', idFor('code'))).toBe(false)
      expect(await a.remove('Grant', 'grant')).toHaveLength(1)
    })
  })
})
