/**
 * What the SQL user store asks of a schema: WSO2's tables, or ours.
 *
 * @module
 */

import type { SqlQuery, SqlValue } from '../../sql/sql-database.js'
import type { RoleName } from '../names.js'

export interface StoredUser {
  readonly key: SqlValue
  /** The name as it is stored, byte for byte. */
  readonly name: string
  readonly password: string
  /** Empty where the hash contains it. */
  readonly salt: string
  /** The password is right no longer, or the account is switched off. */
  readonly isDisabled: boolean
  readonly version: string
}

export interface StoredRole {
  readonly key: SqlValue
  readonly role: RoleName
}

export interface StoredPassword {
  readonly hash: string
  readonly salt: string
}

/**
 * The statements of one schema. Look-ups return every row that may be meant, because collations ignore case, accents and blanks at
 * the end: the caller compares.
 */
export interface UserSchema {
  /** Whether other programs read the passwords, so that only their kind of hash may be stored. */
  readonly isShared: boolean
  /**
   * A stored password to verify for a name that has none, always the same one for a name. `undefined` where all passwords take the
   * same work, and where there are none.
   */
  standInPassword(query: SqlQuery, name: string): Promise<string | undefined>
  /** Every user whose name may be one of `names`. `locks`: no other transaction may change them before this one ends. */
  usersNamed(query: SqlQuery, names: readonly string[], locks?: boolean): Promise<readonly StoredUser[]>
  /** Roles of a user without `Internal/everyone`, which everybody has. */
  listRolesWith(query: SqlQuery, user: StoredUser): Promise<readonly RoleName[]>
  rolesNamed(query: SqlQuery, role: RoleName): Promise<readonly StoredRole[]>
  /** Names that may match any of the patterns (`LIKE`, with `!` before a character that stands for itself), in order. */
  listUsers(query: SqlQuery, patterns: readonly string[], limit: number): Promise<readonly string[]>
  listRoles(query: SqlQuery, limit: number): Promise<readonly RoleName[]>
  listMembers(query: SqlQuery, role: StoredRole, limit: number): Promise<readonly string[]>
  /** Keeps other transactions from adding users until this one ends, where no unique index keeps names apart. */
  lockNames(query: SqlQuery): Promise<void>
  insertUser(query: SqlQuery, name: string, password: StoredPassword): Promise<void>
  updatePassword(query: SqlQuery, user: StoredUser, password: StoredPassword): Promise<void>
  setDisabled(query: SqlQuery, user: StoredUser, isDisabled: boolean): Promise<void>
  deleteUser(query: SqlQuery, user: StoredUser): Promise<void>
  insertRole(query: SqlQuery, role: RoleName): Promise<void>
  deleteRole(query: SqlQuery, role: StoredRole): Promise<void>
  giveRole(query: SqlQuery, user: StoredUser, role: StoredRole): Promise<void>
  takeRole(query: SqlQuery, user: StoredUser, role: StoredRole): Promise<void>
}

/** `?, ?, ?` for a list of so many. */
export function placeholders(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === '1'
}
