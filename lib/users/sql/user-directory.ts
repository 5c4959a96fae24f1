/**
 * The schema of a database, and look-ups in it: what the database takes for equal is compared again here.
 *
 * @module
 */

import { StoreError } from '../../core/errors.js'
import type { Logger } from '../../core/logger.js'
import { hasTable, type SqlDatabase, type SqlQuery } from '../../sql/sql-database.js'
import { listSpellings, type RoleName, readRoleName, type StoreNames } from '../names.js'
import { isUserName, type UserAccount } from '../user-store.js'
import { ownSchema, ownUserTable } from './own-schema.js'
import type { PasswordKeeper } from './password-keeper.js'
import type { StoredRole, StoredUser, UserSchema } from './user-schema.js'
import { type Wso2SchemaOptions, wso2Schema, wso2UserTable } from './wso2-schema.js'
import { readNameColumns, slowLookUp } from './wso2-tables.js'

/** What is known of a database once it has been reached. */
export interface OpenSchema {
  readonly schema: UserSchema
  readonly passwords: PasswordKeeper
  /** The role of administrators as others know it. */
  readonly adminRole: string
}

/** An open schema, and what runs its statements: the database or a transaction. */
export interface SqlSession extends OpenSchema {
  readonly query: SqlQuery
}

export type UserDirectory = ReturnType<typeof createUserDirectory>

export function createUserDirectory({ localName, fold, roleText, createAccount }: StoreNames, logger?: Logger) {
  let hasWarned = false

  function warnOfTwins(): void {
    if (hasWarned) return
    hasWarned = true
    const message = 'several users have the same name but for letter case or accents: none of them can log in'
    logger?.warn({ key: 'user_store.case_insensitive_username' }, message)
  }

  /** Every user whom this name may mean. */
  async function usersLike(
    { query, schema }: SqlSession,
    subject: string,
    locks = false,
  ): Promise<readonly StoredUser[]> {
    const name = localName(subject)
    if (!isUserName(name)) return []
    const rows = await schema.usersNamed(query, listSpellings(name), locks)
    return rows.filter((row) => fold(row.name) === fold(name))
  }

  return {
    usersLike,

    /** None when several rows have the name: the rights of one must not go to the other. */
    async findUser(session: SqlSession, subject: string, locks?: boolean): Promise<StoredUser | undefined> {
      const [user, twin] = await usersLike(session, subject, locks)
      if (twin !== undefined) warnOfTwins()
      return twin === undefined ? user : undefined
    },

    async readAccount({ query, schema, adminRole }: SqlSession, user: StoredUser): Promise<UserAccount> {
      const roles = await schema.listRolesWith(query, user)
      return createAccount(user.name, roles.map(roleText), adminRole, user.version)
    },
  }
}

export async function findRole(
  { query, schema }: Pick<SqlSession, 'query' | 'schema'>,
  role: RoleName,
): Promise<StoredRole | undefined> {
  if (!isUserName(role.full)) return undefined
  const rows = await schema.rolesNamed(query, role)
  return rows.find((row) => row.role.full === role.full)
}

/**
 * Finds the schema, and the role of administrators in it.
 *
 * @throws `StoreError` when the database has no tables of users, or fails.
 */
export async function openSchema(
  database: SqlDatabase,
  { readRole, roleText }: StoreNames,
  adminRole: string,
  wso2: Wso2SchemaOptions,
): Promise<Omit<OpenSchema, 'passwords'>> {
  const query: SqlQuery = (sql, parameters) => database.query(sql, parameters)
  const schema = await detectSchema(database, query, wso2)
  const role = readRole(adminRole)
  // As WSO2 does: the role of administrators may be one that all stores share.
  const shared = readRoleName(`Internal/${role.full}`)
  const isShared =
    !role.isInternal &&
    (await findRole({ query, schema }, role)) === undefined &&
    (await findRole({ query, schema }, shared)) !== undefined
  return { schema, adminRole: roleText(isShared ? shared : role) }
}

async function detectSchema(database: SqlDatabase, query: SqlQuery, wso2: Wso2SchemaOptions): Promise<UserSchema> {
  if (await hasTable(database, wso2UserTable)) {
    const columns = await readNameColumns(query, database.dialect)
    const warning = await slowLookUp(query, database.dialect, columns, wso2.ignoreCase)
    if (warning !== undefined) wso2.onWarning?.(warning)
    return wso2Schema(database.dialect, columns, wso2)
  }
  if (await hasTable(database, ownUserTable)) return ownSchema(database.dialect)
  throw new StoreError(
    `The database has no table ${wso2UserTable} and no ${ownUserTable}: run "npx sallyport users init", or call initSchema().`,
  )
}
