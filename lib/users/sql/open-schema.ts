/**
 * The schema of a database, found at first use: a database that is down at the start is no start failure.
 *
 * @module
 */

import type { SqlDatabase } from './database/sql-database.js'
import type { PasswordKeeper } from './password-keeper.js'
import { readRoleName } from './role-name.js'
import { detectSchema } from './schema/detect-schema.js'
import type { UserSchema } from './schema/user-schema.js'
import type { Wso2SchemaOptions } from './schema/wso2-schema.js'
import type { UserDirectory } from './user-directory.js'

/** What is known of a database once it has been reached. */
export interface OpenSchema {
  readonly schema: UserSchema
  readonly passwords: PasswordKeeper
  /** The role of administrators as others know it. */
  readonly adminRole: string
}

/** Options of {@link schemaOpener}. */
export interface SchemaOpenerOptions {
  readonly database: SqlDatabase
  readonly directory: UserDirectory
  readonly wso2: Wso2SchemaOptions
  /** `[super_admin] admin_role` */
  readonly adminRole: string
  readonly passwordsOf: (schema: UserSchema) => PasswordKeeper
}

/**
 * Makes a function that gives the schema, and asks the database only until it has answered once. Concurrent callers share
 * the question.
 */
export function schemaOpener(options: SchemaOpenerOptions): () => Promise<OpenSchema> {
  let opened: Promise<OpenSchema> | undefined

  return () => {
    opened ??= open(options).catch((error) => {
      opened = undefined
      throw error
    })
    return opened
  }
}

async function open({ database, directory, wso2, adminRole, passwordsOf }: SchemaOpenerOptions): Promise<OpenSchema> {
  const schema = await detectSchema(database, wso2)
  const query: SqlDatabase['query'] = (sql, parameters) => database.query(sql, parameters)
  const role = directory.readRole(adminRole)
  // As WSO2 does: the role of administrators may be one that all stores share.
  const shared = readRoleName(`Internal/${role.full}`)
  const isShared =
    !role.isInternal &&
    (await directory.findRole(query, schema, role)) === undefined &&
    (await directory.findRole(query, schema, shared)) !== undefined
  return { schema, passwords: passwordsOf(schema), adminRole: directory.roleText(isShared ? shared : role) }
}
