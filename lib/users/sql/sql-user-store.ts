/**
 * Users and roles from a database: WSO2's tables or our own.
 *
 * @module
 */

import { systemClock } from '../../core/clock.js'
import { type Logger, safeLogger } from '../../core/logger.js'
import { isPassword } from '../credential-limits.js'
import type { HashQueue } from '../hash-queue.js'
import { type ManagedUserStore, UserStoreRefusal } from '../managed-user-store.js'
import { needsRehash } from '../password-hash.js'
import { openSqlDatabase, type SqlDatabaseOptions } from './database/open-sql-database.js'
import { isSqlError, type SqlDatabase, type SqlQuery } from './database/sql-database.js'
import { checkedDigest } from './digest-option.js'
import { type OpenSchema, schemaOpener } from './open-schema.js'
import { argon2idKeeper, saltedDigestKeeper } from './password-keeper.js'
import { rehashStatement } from './schema/own-schema.js'
import type { StoredUser } from './schema/user-schema.js'
import { wso2Profile } from './schema/wso2-profile.js'
import { type StorePatterns, storeRules } from './store-rules.js'
import { roleExists, userChanges } from './user-changes.js'
import { userDirectory } from './user-directory.js'
import { userListing } from './user-listing.js'

/** Options of {@link sqlUserStore}: the keys of `[user_store]`, `[super_admin]` and the `[[datasource]]` it uses. */
export interface SqlUserStoreOptions extends StorePatterns {
  /** The `[[datasource]]`; or a database that is open already and stays yours to close. */
  readonly datasource: SqlDatabaseOptions | SqlDatabase
  /** `domain_name`. @defaultValue `'PRIMARY'` */
  readonly domain?: string | undefined
  /** `[super_admin] admin_role`. @defaultValue `'admin'` */
  readonly adminRole?: string | undefined
  /** `[super_admin] username`: a user who cannot be removed. Absent: nobody is protected. */
  readonly superAdmin?: string | undefined
  /** `read_only`. @defaultValue `false` */
  readonly isReadOnly?: boolean | undefined
  /** `case_insensitive_username`. @defaultValue `true` */
  readonly ignoresCase?: boolean | undefined
  /** `read_groups`: roles of `UM_ROLE` count. @defaultValue `true` */
  readonly readsGroups?: boolean | undefined
  /** `write_groups`: roles of `UM_ROLE` can be changed. @defaultValue `true` */
  readonly writesGroups?: boolean | undefined
  /** `password_digest`, for WSO2's tables. @defaultValue `'SHA-256'` */
  readonly passwordDigest?: string | undefined
  /** `store_salted_password`, for WSO2's tables. @defaultValue `true` */
  readonly isSalted?: boolean | undefined
  /** `max_user_name_list_length`. 0 or less: the default. @defaultValue 100 */
  readonly maxUsers?: number | undefined
  /** `max_role_name_list_length`. 0 or less: the default. @defaultValue 100 */
  readonly maxRoles?: number | undefined
  /** Limits password hashing, for our own tables. @defaultValue the queue that the whole process shares */
  readonly hashQueue?: HashQueue | undefined
  /** Told of what should be put right. */
  readonly logger?: Logger | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/** A {@link ManagedUserStore} in a database. */
export interface SqlUserStore extends ManagedUserStore {
  close(): Promise<void>
}

const defaultListLength = 100

/**
 * Makes a user store of a database. Which tables it has is found at first use, and nothing is connected before.
 *
 * Names are compared here and not by the database, whose collation may be blind to case, accents and blanks at the end:
 * `case_insensitive_username` decides. A name that means several rows means nobody.
 *
 * With WSO2's tables, a name or password that its patterns do not allow cannot log in either, as it is with WSO2; with our
 * own they hold for what is written, so that a stricter pattern locks nobody out.
 *
 * @throws `ConfigError` when an option cannot be used, and (`ERR_CONFIG_MISSING_PACKAGE`) without the package of the
 * database.
 */
export async function sqlUserStore(options: SqlUserStoreOptions): Promise<SqlUserStore> {
  const { superAdmin, isReadOnly = false, ignoresCase = true, isSalted = true, clock = systemClock } = options
  const logger = options.logger && safeLogger(options.logger)
  const { readsGroups = true, writesGroups = true } = options
  const domain = (options.domain || 'PRIMARY').toUpperCase()
  const rules = storeRules(options, domain)
  const digest = checkedDigest(options.passwordDigest, isSalted, logger)
  const directory = userDirectory({ domain, ignoresCase, logger })
  const maxUsers = listLength(options.maxUsers)
  const listing = userListing({ directory, ignoresCase, maxUsers, maxRoles: listLength(options.maxRoles) })
  const changes = userChanges({ directory, rules, superAdmin, writesGroups: writesGroups && readsGroups })
  const database = await databaseOf(options.datasource, logger)
  const configuredAdminRole = directory.roleText(directory.readRole(options.adminRole ?? 'admin'))
  let adminRole = configuredAdminRole

  const openSchema = schemaOpener({
    database,
    directory,
    wso2: {
      domain,
      ignoresCase,
      readsGroups,
      clock,
      onWarning: (message) => logger?.warn({ key: 'datasource' }, message),
    },
    adminRole: configuredAdminRole,
    passwordsOf: (schema) =>
      schema.isShared ? saltedDigestKeeper(digest, isSalted) : argon2idKeeper(options.hashQueue, logger),
  })

  async function opened(signal: AbortSignal | undefined): Promise<OpenSchema> {
    signal?.throwIfAborted()
    const open = await openSchema()
    adminRole = open.adminRole
    return open
  }

  function queryWith(signal: AbortSignal | undefined): SqlQuery {
    return (sql, parameters) => database.query(sql, parameters, { signal })
  }

  async function change<T extends unknown[]>(
    signal: AbortSignal | undefined,
    work: (query: SqlQuery, opened: OpenSchema, ...values: T) => Promise<void>,
    ...values: T
  ): Promise<void> {
    const open = await opened(signal)
    await database.transaction((query) => work(query, open, ...values), { signal })
  }

  function checkWritable(): void {
    if (isReadOnly) throw new UserStoreRefusal('read-only', 'The user store cannot be changed.')
  }

  /** A hash that is weaker than those made today is replaced, where no other program reads it. */
  async function strengthen({ schema, passwords }: OpenSchema, user: StoredUser, password: string): Promise<void> {
    if (schema.isShared || isReadOnly || !needsRehash(user.password)) return
    try {
      const { hash } = await passwords.make(password)
      await database.query(rehashStatement, [hash, user.key, user.password])
    } catch (error) {
      // The login is good all the same; the next one tries again.
      logger?.warn({ err: error }, 'a password hash could not be made stronger')
    }
  }

  return {
    domain,
    isReadOnly,

    get adminRole() {
      return adminRole
    },

    async authenticate(name, password, signal) {
      const open = await opened(signal)
      const { schema, passwords } = open
      const query = queryWith(signal)
      const user = await directory.findUser(query, schema, name)
      // Asked for every name, so that the time of the question tells nothing either.
      const standIn = await schema.standInPassword(query, directory.localName(name))
      const isRight = isPassword(password) && (await passwords.isRight(password, user, standIn, signal))
      if (user === undefined) return { failure: 'unknown-user' }
      const isAllowed = !schema.isShared || (rules.isUserName(user.name) && rules.isPassword(password))
      const subject = directory.subjectOf(user.name)
      if (!isRight || !isAllowed) return { failure: 'wrong-password', subject }
      if (user.isDisabled) return { failure: 'disabled', subject }
      const account = directory.accountOf(user, await schema.rolesOf(query, user), open.adminRole)
      await strengthen(open, user, password)
      return { account }
    },

    async find(subject, signal) {
      const { schema, adminRole } = await opened(signal)
      const query = queryWith(signal)
      const user = await directory.findUser(query, schema, subject)
      if (user === undefined || user.isDisabled) return undefined
      return directory.accountOf(user, await schema.rolesOf(query, user), adminRole)
    },

    async findDisabled(subject, signal) {
      const { schema, adminRole } = await opened(signal)
      const query = queryWith(signal)
      const user = await directory.findUser(query, schema, subject)
      return user?.isDisabled ? directory.accountOf(user, await schema.rolesOf(query, user), adminRole) : undefined
    },

    async findProfile(subject, signal) {
      const { schema } = await opened(signal)
      const query = queryWith(signal)
      const user = await directory.findUser(query, schema, subject)
      // Our own tables have no more than names and roles.
      return user === undefined || !schema.isShared ? undefined : wso2Profile(query, user)
    },

    async list(wanted, signal) {
      const { schema } = await opened(signal)
      return listing.users(queryWith(signal), schema, wanted)
    },

    async listRoles(signal) {
      const { schema } = await opened(signal)
      return listing.roles(queryWith(signal), schema)
    },

    async membersOf(role, signal) {
      const { schema } = await opened(signal)
      return listing.members(queryWith(signal), schema, role)
    },

    async add(user, signal) {
      checkWritable()
      rules.checkUserName(user.name)
      const { passwords, schema } = await opened(signal)
      rules.checkPassword(user.password, !schema.isShared)
      const stored = await passwords.make(user.password, signal)
      const refusal = new UserStoreRefusal('user-exists', 'There is a user with this name.')
      await refusing(change(signal, changes.add, user, stored), { duplicate: refusal, data: invalidName })
    },

    async remove(subject, signal) {
      checkWritable()
      await change(signal, changes.remove, subject)
    },

    async setPassword(subject, password, signal) {
      checkWritable()
      const { passwords, schema } = await opened(signal)
      rules.checkPassword(password, !schema.isShared)
      const stored = await passwords.make(password, signal)
      await refusing(change(signal, changes.setPassword, subject, stored), { data: invalidPassword })
    },

    async setDisabled(subject, isDisabled, signal) {
      checkWritable()
      await change(signal, changes.setDisabled, subject, isDisabled)
    },

    async changeRoles(subject, roleChange, signal) {
      checkWritable()
      await change(signal, changes.changeRoles, subject, roleChange)
    },

    async addRole(role, signal) {
      checkWritable()
      await refusing(change(signal, changes.addRole, role), { duplicate: roleExists(), data: invalidName })
    },

    async removeRole(role, signal) {
      checkWritable()
      await change(signal, changes.removeRole, role)
    },

    async close() {
      if (database !== options.datasource) await database.close()
    },
  }
}

const invalidName = new UserStoreRefusal('invalid-name', 'The name is not allowed.')
const invalidPassword = new UserStoreRefusal('invalid-password', 'The password is not allowed.')

/** What the database itself refuses, as a refusal where it is the caller's doing. */
async function refusing(
  work: Promise<void>,
  refusals: Readonly<Partial<Record<'duplicate' | 'data', UserStoreRefusal>>>,
): Promise<void> {
  try {
    await work
  } catch (error) {
    const refusal = isSqlError(error, 'duplicate', 'data') ? refusals[error.kind as 'duplicate' | 'data'] : undefined
    throw refusal ?? error
  }
}

async function databaseOf(
  datasource: SqlDatabaseOptions | SqlDatabase,
  logger: Logger | undefined,
): Promise<SqlDatabase> {
  if ('query' in datasource) return datasource
  const onWarning = (message: string): void => logger?.warn({ key: 'datasource.url' }, message)
  return openSqlDatabase({ onWarning, ...datasource })
}

function listLength(length: number | undefined): number {
  return length !== undefined && Number.isSafeInteger(length) && length > 0 ? length : defaultListLength
}
