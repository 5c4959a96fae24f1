/**
 * Users and roles from a database: WSO2's tables or our own.
 *
 * @module
 */

import { systemClock } from '../../core/clock.js'
import { type Logger, safeLogger } from '../../core/logger.js'
import { openSqlDatabase, type SqlDatabaseOptions } from '../../sql/open-sql-database.js'
import { isSqlError, type SqlDatabase } from '../../sql/sql-database.js'
import { type ManagedUserStore, UserChangeError } from '../managed-user-store.js'
import { createLists, createStoreNames, likePattern, listSpellings } from '../names.js'
import type { HashQueue } from '../passwords/password-hash.js'
import { needsRehash } from '../passwords/password-hash.js'
import { type StorePatterns, storeRules } from '../store-rules.js'
import { isPassword, type UserAccount } from '../user-store.js'
import { rehashStatement } from './own-schema.js'
import { argon2idKeeper, checkedDigest, saltedDigestKeeper } from './password-keeper.js'
import { createUserChanges, roleExists, userExists } from './user-changes.js'
import { createUserDirectory, findRole, type OpenSchema, openSchema, type SqlSession } from './user-directory.js'
import type { StoredPassword, StoredUser } from './user-schema.js'
import { wso2Profile } from './wso2-tables.js'

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
  readonly readOnly?: boolean | undefined
  /** `case_insensitive_username`. @defaultValue `true` */
  readonly ignoreCase?: boolean | undefined
  /** `read_groups`: roles of `UM_ROLE` count. @defaultValue `true` */
  readonly readGroups?: boolean | undefined
  /** `write_groups`: roles of `UM_ROLE` can be changed. @defaultValue `true` */
  readonly writeGroups?: boolean | undefined
  /** `password_digest`, for WSO2's tables. @defaultValue `'SHA-256'` */
  readonly passwordDigest?: string | undefined
  /** `store_salted_password`, for WSO2's tables. @defaultValue `true` */
  readonly storeSaltedPasswords?: boolean | undefined
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

type Refusals = Readonly<Partial<Record<'duplicate' | 'data', UserChangeError>>>

/**
 * Makes a user store of a database. Which tables it has is found at first use, and nothing is connected before.
 *
 * Names are compared here and not by the database, whose collation may ignore case, accents and blanks at the end:
 * `case_insensitive_username` decides. A name that means several rows means nobody.
 *
 * With WSO2's tables, a name or password that its patterns do not allow cannot log in either, as it is with WSO2; with our
 * own they hold for what is written, so that a stricter pattern locks nobody out.
 *
 * @throws `ConfigError` when an option cannot be used, and (`ERR_CONFIG_MISSING_PACKAGE`) without the package of the
 * database.
 */
export async function sqlUserStore(options: SqlUserStoreOptions): Promise<SqlUserStore> {
  const { readOnly: isReadOnly = false, ignoreCase = true, storeSaltedPasswords = true } = options
  const { readGroups = true, writeGroups = true, hashQueue, clock = systemClock } = options
  const logger = options.logger && safeLogger(options.logger)
  const names = createStoreNames(options)
  const { domain } = names
  const rules = storeRules(options, domain)
  const digest = checkedDigest(options.passwordDigest, storeSaltedPasswords, logger)
  const directory = createUserDirectory(names, logger)
  const changes = createUserChanges(names, directory, rules, writeGroups && readGroups)
  const database = await openDatabase(options.datasource, logger)
  const onWarning = (message: string): void => logger?.warn({ key: 'datasource' }, message)
  const wso2 = { domain, ignoreCase, readGroups, clock, onWarning }
  const configuredAdminRole = names.roleText(names.readRole(options.adminRole ?? 'admin'))
  let adminRole = configuredAdminRole
  let opened: Promise<OpenSchema> | undefined

  async function readSchema(): Promise<OpenSchema> {
    const open = await openSchema(database, names, configuredAdminRole, wso2)
    adminRole = open.adminRole
    const passwords = open.schema.isShared
      ? saltedDigestKeeper(digest, storeSaltedPasswords)
      : argon2idKeeper(hashQueue, logger)
    return { ...open, passwords }
  }

  /** The database is asked for its schema until it has answered once: one that is down at the start is no start failure. */
  async function open(signal: AbortSignal | undefined): Promise<SqlSession> {
    signal?.throwIfAborted()
    opened ??= readSchema().catch((error) => {
      opened = undefined
      throw error
    })
    return { ...(await opened), query: (sql, parameters) => database.query(sql, parameters, { signal }) }
  }

  function assertWritable(): void {
    if (isReadOnly) throw new UserChangeError('read-only', 'The user store cannot be changed.')
  }

  /** `refusals`: what the database itself refuses, where it is the caller's doing. */
  async function change(
    signal: AbortSignal | undefined,
    work: (session: SqlSession) => Promise<void>,
    refusals: Refusals = {},
  ): Promise<void> {
    assertWritable()
    const session = await open(signal)
    try {
      await database.transaction((query) => work({ ...session, query }), { signal })
    } catch (error) {
      const refusal = isSqlError(error, 'duplicate', 'data') ? refusals[error.kind as keyof Refusals] : undefined
      throw refusal ?? error
    }
  }

  async function makePassword(password: string, signal: AbortSignal | undefined): Promise<StoredPassword> {
    const { schema, passwords } = await open(signal)
    rules.checkPassword(password, !schema.isShared)
    return passwords.make(password, signal)
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

  async function find(subject: string, isDisabled: boolean, signal?: AbortSignal): Promise<UserAccount | undefined> {
    const session = await open(signal)
    const user = await directory.findUser(session, subject)
    return user?.isDisabled === isDisabled ? directory.readAccount(session, user) : undefined
  }

  return {
    domain,
    isReadOnly,

    get adminRole() {
      return adminRole
    },

    async authenticate(name, password, signal) {
      const session = await open(signal)
      const { schema, passwords, query } = session
      const user = await directory.findUser(session, name)
      // Asked for every name, so that the time of the question tells nothing either.
      const standIn = await schema.standInPassword(query, names.localName(name))
      const isRight = isPassword(password) && (await passwords.isRight(password, user, standIn, signal))
      if (user === undefined) return { failure: 'unknown-user' }
      const isAllowed = !schema.isShared || (rules.isUserName(user.name) && rules.isPassword(password))
      const subject = names.subjectFrom(user.name)
      if (!isRight || !isAllowed) return { failure: 'wrong-password', subject }
      if (user.isDisabled) return { failure: 'disabled', subject }
      const account = await directory.readAccount(session, user)
      await strengthen(session, user, password)
      return { account }
    },

    find: (subject, signal) => find(subject, false, signal),
    findDisabled: (subject, signal) => find(subject, true, signal),

    async ping(signal) {
      await database.query('SELECT 1 AS one', [], { signal })
    },

    async findProfile(subject, signal) {
      const session = await open(signal)
      const user = await directory.findUser(session, subject)
      // Our own tables have no more than names and roles.
      return user === undefined || !session.schema.isShared ? undefined : wso2Profile(session.query, user)
    },

    ...createLists(names, options, {
      async matching(pattern, limit, signal) {
        const { schema, query } = await open(signal)
        return schema.listUsers(query, listSpellings(likePattern(pattern)), limit)
      },
      async members(role, limit, signal) {
        const session = await open(signal)
        const found = await findRole(session, role)
        return found && session.schema.listMembers(session.query, found, limit)
      },
      async roles(limit, signal) {
        const { schema, query } = await open(signal)
        return (await schema.listRoles(query, limit)).map(names.roleText)
      },
    }),

    async add(user, signal) {
      assertWritable()
      rules.checkUserName(user.name)
      const password = await makePassword(user.password, signal)
      const refusals = { duplicate: userExists(), data: invalidName }
      await change(signal, (session) => changes.add(session, user, password), refusals)
    },

    remove: (subject, signal) => change(signal, (session) => changes.remove(session, subject)),

    async setPassword(subject, password, signal) {
      assertWritable()
      const stored = await makePassword(password, signal)
      await change(signal, (session) => changes.setPassword(session, subject, stored), { data: invalidPassword })
    },

    setDisabled: (subject, isDisabled, signal) =>
      change(signal, (session) => changes.setDisabled(session, subject, isDisabled)),

    changeRoles: (subject, roles, signal) => change(signal, (session) => changes.changeRoles(session, subject, roles)),

    addRole: (role, signal) =>
      change(signal, (session) => changes.addRole(session, role), { duplicate: roleExists(), data: invalidName }),

    removeRole: (role, signal) => change(signal, (session) => changes.removeRole(session, role)),

    async close() {
      if (database !== options.datasource) await database.close()
    },
  }
}

const invalidName = new UserChangeError('invalid-name', 'The name is not allowed.')
const invalidPassword = new UserChangeError('invalid-password', 'The password is not allowed.')

async function openDatabase(
  datasource: SqlDatabaseOptions | SqlDatabase,
  logger: Logger | undefined,
): Promise<SqlDatabase> {
  if ('query' in datasource) return datasource
  const onWarning = (message: string): void => logger?.warn({ key: 'datasource.url' }, message)
  return openSqlDatabase({ onWarning, ...datasource })
}
