/** The same tests on each kind of database that processes share. */

import { afterAll, beforeAll, describe } from 'vitest'
import { type SqlEngine, sqlEngines } from './sql-engines.js'

/** Defines tests for each kind; `engine` answers with the running one. */
export function onEachEngine(define: (engine: () => SqlEngine) => void): void {
  describe.each(sqlEngines)('$name', ({ start }) => {
    let engine: SqlEngine | undefined

    beforeAll(async () => {
      engine = await start()
    })

    afterAll(() => engine?.server.stop())

    define(() => engine!)
  })
}
