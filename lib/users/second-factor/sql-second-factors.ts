/**
 * Second factors in a table of our own, in the database of the users: beside theirs, or beside those of WSO2.
 *
 * @module
 */

import { CompactEncrypt, compactDecrypt } from 'jose'
import { digest } from '../../core/digest.js'
import { StoreError } from '../../core/errors.js'
import { isSqlError, type SqlDatabase } from '../../sql/sql-database.js'
import { emptyRecord } from './record.js'
import type { SecondFactorStore } from './second-factor-store.js'

const tableName = 'sallyport_second_factor'

/** Makes the table where it is missing. Rejects with `StoreError`. */
export async function initSecondFactors(database: SqlDatabase): Promise<void> {
  const isMysql = database.dialect === 'mysql'
  await database.query(
    `CREATE TABLE IF NOT EXISTS ${tableName} (
      user_key CHAR(43) NOT NULL PRIMARY KEY,
      version BIGINT NOT NULL,
      record ${isMysql ? 'MEDIUMTEXT' : 'TEXT'} NOT NULL
    )${isMysql ? ' ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : ''}`,
  )
}

/** `key`: 32 bytes that seeds are sealed with. The database is closed with the store. */
export function sqlSecondFactors(database: SqlDatabase, key: Uint8Array): SecondFactorStore {
  /** The user is sealed too: the row of one user is nothing in the place of another's. */
  async function seal(subject: string, secret: string): Promise<string> {
    const text = new TextEncoder().encode(JSON.stringify({ subject, secret }))
    return new CompactEncrypt(text).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key)
  }

  async function open(subject: string, sealed: string): Promise<string> {
    const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
    const opened = await compactDecrypt(sealed, key, options).catch(() => undefined)
    const content = opened && JSON.parse(new TextDecoder().decode(opened.plaintext))
    if (content?.subject === subject) return String(content.secret)
    throw new StoreError('a second factor cannot be read: [second_factor] key is another one than when it was stored')
  }

  return {
    canEnrol: true,

    async read(subject) {
      const sql = `SELECT version, record FROM ${tableName} WHERE user_key = ?`
      const [row] = await database.query(sql, [digest(subject)])
      if (row === undefined) return { record: emptyRecord, mark: undefined }
      const { sealed, ...kept } = JSON.parse(String(row['record']))
      const secret = sealed === undefined ? undefined : await open(subject, sealed)
      return { record: { ...emptyRecord, ...kept, secret }, mark: Number(row['version']) }
    },

    async replace(subject, { mark }, { secret, ...kept }) {
      const sealed = secret === undefined ? undefined : await seal(subject, secret)
      const record = JSON.stringify({ ...kept, sealed })
      return mark === undefined ? insert(subject, record) : update(subject, Number(mark), record)
    },

    async remove(subject) {
      try {
        await database.query(`DELETE FROM ${tableName} WHERE user_key = ?`, [digest(subject)])
      } catch (error) {
        // Without the table nobody has one.
        if (!isSqlError(error, 'missing-table')) throw error
      }
    },

    close: () => database.close(),
  }

  async function insert(subject: string, record: string): Promise<boolean> {
    try {
      await database.query(`INSERT INTO ${tableName} (user_key, version, record) VALUES (?, 1, ?)`, [
        digest(subject),
        record,
      ])
      return true
    } catch (error) {
      if (isSqlError(error, 'duplicate')) return false
      throw error
    }
  }

  /** In a transaction: no driver tells how many rows a statement has changed. */
  function update(subject: string, version: number, record: string): Promise<boolean> {
    const forUpdate = database.dialect === 'sqlite' ? '' : ' FOR UPDATE'
    return database.transaction(async (query) => {
      const place = [digest(subject), version]
      const select = `SELECT version FROM ${tableName} WHERE user_key = ? AND version = ?${forUpdate}`
      if ((await query(select, place)).length === 0) return false
      await query(`UPDATE ${tableName} SET version = version + 1, record = ? WHERE user_key = ? AND version = ?`, [
        record,
        ...place,
      ])
      return true
    })
  }
}
