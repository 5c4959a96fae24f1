import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlDatabase } from '../../lib/sql/sql-database.js'
import { userStoreContract } from '../contracts/user-store.js'
import { ownContractStore, ownDatabase, wso2ContractStore, wso2Database } from '../users/sql/engine.js'
import { hostileNames } from '../users/sql/hostile-names.js'
import { wso2Compatibility } from '../users/sql/wso2-compatibility.js'

const url = 'jdbc:sqlite::memory:'
const writable = { isWritable: true, allowsEmptyRoles: true, hasInternalRoles: true }

describe('SQLite', () => {
  let own: SqlDatabase
  let wso2: SqlDatabase

  beforeAll(async () => {
    own = await ownDatabase({ url })
    wso2 = await wso2Database({ url })
  })

  afterAll(async () => {
    await own.close()
    await wso2.close()
  })

  userStoreContract('our schema in SQLite', { ...writable, ignoreCase: true }, () => ownContractStore(own))
  userStoreContract('our schema in SQLite, by case', { ...writable, ignoreCase: false }, () =>
    ownContractStore(own, { ignoreCase: false }),
  )
  userStoreContract('a read-only store in SQLite', { ...writable, isWritable: false, ignoreCase: true }, () =>
    ownContractStore(own, { readOnly: true }),
  )
  userStoreContract("WSO2's schema in SQLite", { ...writable, ignoreCase: true }, () => wso2ContractStore(wso2))
  userStoreContract("WSO2's schema in SQLite, by case", { ...writable, ignoreCase: false }, () =>
    wso2ContractStore(wso2, { ignoreCase: false }),
  )

  wso2Compatibility('SQLite', () => wso2)
  hostileNames("WSO2's schema in SQLite", (patterns) => wso2ContractStore(wso2, patterns))

  it('tells a value that a unique index has from other failures', async () => {
    await own.query('DELETE FROM sallyport_user_role')
    await own.query('DELETE FROM sallyport_role')
    const insert = 'INSERT INTO sallyport_role (role_id, name) VALUES (?, ?)'
    await own.query(insert, ['1', 'one'])
    await expect(own.query(insert, ['2', 'one'])).rejects.toMatchObject({ kind: 'duplicate' })
    await expect(own.query(insert, ['3', null])).rejects.toMatchObject({ kind: 'other' })
  })
})
