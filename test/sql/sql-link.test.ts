import { expect, it } from 'vitest'
import type { SqlDatabase } from '../../lib/sql/sql-database.js'
import { SqlLink } from '../../lib/sql/sql-link.js'

const logger = { info() {}, warn() {}, error() {} }

it.each(['', 'a ', 'a b', 'x'.repeat(65), '\u00e4'])(
  'takes no key prefix %j, which a database may take for another',
  (keyPrefix) => {
    const database = { dialect: 'postgresql' } as SqlDatabase
    expect(() => new SqlLink({ database, keyPrefix, logger })).toThrow('"keyPrefix" option must be 1 to 64 letters')
    expect(() => new SqlLink({ database, keyPrefix: 'a.b:c-1_'.repeat(8), logger })).not.toThrow()
  },
)
