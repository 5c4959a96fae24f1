/**
 * The tables of what processes share. Each row belongs to one set of processes: that of its `prefix`.
 *
 * @module
 */

import type { SqlDatabase, SqlDialect } from './sql-database.js'

/** Makes the tables where they are missing. Users may be in the same database. Rejects with `StoreError`. */
export async function initSharedTables(database: SqlDatabase): Promise<void> {
  for (const statement of tables(database.dialect)) await database.query(statement)
}

/** Moments are milliseconds since the epoch by the database's clock. `user_key` is the digest of a user, never a name. */
function tables(dialect: SqlDialect): readonly string[] {
  const isMysql = dialect === 'mysql'
  // Bytes decide, whatever the database's own collation is.
  const ending = isMysql ? ' ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : ''
  const longText = isMysql ? 'MEDIUMTEXT' : 'TEXT'

  function table(name: string, columns: readonly string[], key: string, ...indexed: readonly string[]): string[] {
    const indexName = (list: string): string => `${name}_by_${list.replaceAll(', ', '_')}`
    const inside = isMysql ? indexed.map((list) => `INDEX ${indexName(list)} (prefix, ${list})`) : []
    const parts = ['prefix VARCHAR(64) NOT NULL', ...columns, `PRIMARY KEY (prefix, ${key})`, ...inside]
    const after = isMysql
      ? []
      : indexed.map((list) => `CREATE INDEX IF NOT EXISTS ${indexName(list)} ON ${name} (prefix, ${list})`)
    return [`CREATE TABLE IF NOT EXISTS ${name} (${parts.join(', ')})${ending}`, ...after]
  }

  return [
    // The row that a transaction holds so that others wait, and a number that is kept with it.
    table('sallyport_lock', ['name VARCHAR(64) NOT NULL', 'number BIGINT NOT NULL'], 'name'),
    // Whose rights have changed, as JSON; an empty subject: all.
    table('sallyport_change', ['number BIGINT NOT NULL', 'subject TEXT NOT NULL'], 'number'),
    table(
      'sallyport_value',
      ['name VARCHAR(64) NOT NULL', `value ${longText} NOT NULL`, 'ends_at BIGINT NOT NULL'],
      'name',
    ),
    table(
      'sallyport_token',
      [
        'id CHAR(43) NOT NULL',
        'pool VARCHAR(16) NOT NULL',
        'kind VARCHAR(16) NOT NULL',
        'user_key CHAR(43) NOT NULL',
        'parent VARCHAR(64)',
        `record ${longText} NOT NULL`,
        'issued_at BIGINT NOT NULL',
        'expires_at BIGINT NOT NULL',
        'idle_ms BIGINT',
        'ends_at BIGINT NOT NULL',
        'last_use BIGINT NOT NULL',
      ],
      'id',
      'pool, last_use',
      'pool, ends_at',
      'user_key, pool, last_use',
    ),
    // Logins that began before such a revocation are refused.
    table(
      'sallyport_revocation',
      ['user_key CHAR(43) NOT NULL', 'number BIGINT NOT NULL', 'revoked_at BIGINT NOT NULL', 'ends_at BIGINT NOT NULL'],
      'user_key',
      'ends_at',
    ),
    table(
      'sallyport_oauth',
      [
        'model VARCHAR(20) NOT NULL',
        'id CHAR(43) NOT NULL',
        'grant_id CHAR(43)',
        'user_key CHAR(43) NOT NULL',
        'uid CHAR(43)',
        `entry ${longText} NOT NULL`,
        'expires_at BIGINT NOT NULL',
        'consumed_at BIGINT',
        'used_at BIGINT NOT NULL',
      ],
      'model, id',
      'grant_id',
      'uid',
      'model, used_at',
      'model, expires_at',
      'model, user_key, used_at',
    ),
    table(
      'sallyport_throttle',
      [
        'throttle VARCHAR(48) NOT NULL',
        'name VARCHAR(16) NOT NULL',
        'record_key VARCHAR(43) NOT NULL',
        'user_key VARCHAR(43)',
        `fields ${longText} NOT NULL`,
        `holds ${longText} NOT NULL`,
        'ends_at BIGINT NOT NULL',
      ],
      'throttle, record_key, name',
      'throttle, name, ends_at',
      'throttle, user_key',
    ),
  ].flat()
}
