import { expect, it } from 'vitest'
import { onEachEngine } from '../helpers/each-engine.js'

onEachEngine((engine) => {
  it.each(['REPEATABLE READ', 'SERIALIZABLE'])(
    'a transaction reads what others have committed meanwhile, also where the default of the server is %s',
    async (level) => {
      const isMariadb = engine().datasource.url.includes('mariadb')
      await engine().run(
        isMariadb
          ? `SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`
          : `ALTER DATABASE shared_store SET default_transaction_isolation = '${level.toLowerCase()}'`,
      )
      const [one, other] = [await engine().open(), await engine().open()]
      const prefix = level.replace(' ', '-')
      const count = 'SELECT COUNT(*) AS found FROM sallyport_lock WHERE prefix = ?'
      const counts = await one.transaction(async (query) => {
        const before = await query(count, [prefix])
        await other.query("INSERT INTO sallyport_lock (prefix, name, number) VALUES (?, 'a', 1)", [prefix])
        return [before, await query(count, [prefix])].map(([row]) => Number(row!['found']))
      })
      expect(counts).toEqual([0, 1])
      for (const database of [one, other]) await database.close()
    },
  )
})
