/**
 * Finds the users and roles of a store in its tables: what the database takes for equal is compared again here.
 *
 * @module
 */

import type { Logger } from '../../core/logger.js'
import { isUserName } from '../credential-limits.js'
import type { UserAccount } from '../user-store.js'
import type { SqlQuery } from './database/sql-database.js'
import { everyoneRole, type RoleName, readRoleName } from './role-name.js'
import type { StoredRole, StoredUser, UserSchema } from './schema/user-schema.js'
import { foldName, spellingsOf, withoutDomain } from './user-name.js'

/** Options of {@link userDirectory}. */
export interface UserDirectoryOptions {
  /** In capitals; `PRIMARY` for the first store. */
  readonly domain: string
  readonly ignoresCase: boolean
  readonly logger: Logger | undefined
}

/** Look-ups that compare byte for byte. */
export interface UserDirectory {
  /** The name of a user without this store's domain. */
  localName(subject: string): string
  /** A name of this store as others know it. */
  subjectOf(name: string): string
  /** Whether two names mean the same user. */
  isSameUser(one: string, other: string): boolean
  /**
   * The user with this name. None when several rows have it: nobody can say which is meant, and the rights of one must not
   * go to the other.
   */
  findUser(query: SqlQuery, schema: UserSchema, subject: string, locks?: boolean): Promise<StoredUser | undefined>
  /** Every user whom this name may mean. */
  usersLike(query: SqlQuery, schema: UserSchema, subject: string, locks?: boolean): Promise<readonly StoredUser[]>
  /** A role's name without this store's domain. */
  readRole(text: string): RoleName
  /** A role as others know it. */
  roleText(role: RoleName): string
  findRole(query: SqlQuery, schema: UserSchema, role: RoleName): Promise<StoredRole | undefined>
  /** What a login or a look-up answers. */
  accountOf(user: StoredUser, roles: readonly RoleName[], adminRole: string): UserAccount
}

/** Makes the look-ups of one store. */
export function userDirectory({ domain, ignoresCase, logger }: UserDirectoryOptions): UserDirectory {
  const isPrimary = domain === 'PRIMARY'
  const qualified = (name: string): string => (isPrimary ? name : `${domain}/${name}`)
  const isSameUser = ignoresCase
    ? (one: string, other: string) => foldName(one) === foldName(other)
    : (one: string, other: string) => one.normalize('NFC') === other.normalize('NFC')
  let hasWarned = false

  function warnOfTwins(): void {
    if (hasWarned) return
    hasWarned = true
    const message = 'several users have the same name but for letter case or accents: none of them can log in'
    logger?.warn({ key: 'user_store.case_insensitive_username' }, message)
  }

  const directory: UserDirectory = {
    localName: (subject) => withoutDomain(subject, domain),
    subjectOf: (name) => qualified(name.normalize('NFC')),
    isSameUser,

    async usersLike(query, schema, subject, locks = false) {
      const name = directory.localName(subject)
      if (!isUserName(name)) return []
      const rows = await schema.usersNamed(query, spellingsOf(name), locks)
      return rows.filter((row) => isSameUser(row.name, name))
    },

    async findUser(query, schema, subject, locks) {
      const [user, twin] = await directory.usersLike(query, schema, subject, locks)
      if (twin !== undefined) warnOfTwins()
      return twin === undefined ? user : undefined
    },

    readRole: (text) => readRoleName(withoutDomain(text, domain)),
    roleText: (role) => (role.isInternal ? role.full : qualified(role.full)),

    async findRole(query, schema, role) {
      if (!isUserName(role.full)) return undefined
      const rows = await schema.rolesNamed(query, role)
      return rows.find((row) => row.role.full === role.full)
    },

    accountOf({ name, version }, roles, adminRole) {
      const names = new Set(roles.map(directory.roleText)).add(everyoneRole)
      return Object.freeze({
        subject: directory.subjectOf(name),
        roles: Object.freeze([...names].sort()),
        isAdmin: names.has(adminRole),
        version,
      })
    },
  }
  return directory
}
