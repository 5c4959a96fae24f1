/**
 * Changes of users and roles, each in a transaction, with the protections that WSO2 has.
 *
 * @module
 */

import { type NewUser, type RoleChange, UserStoreRefusal } from '../managed-user-store.js'
import type { SqlQuery } from './database/sql-database.js'
import type { OpenSchema } from './open-schema.js'
import { everyoneRole, type RoleName } from './role-name.js'
import type { StoredPassword, StoredRole, StoredUser } from './schema/user-schema.js'
import type { StoreRules } from './store-rules.js'
import type { UserDirectory } from './user-directory.js'
import { foldName } from './user-name.js'

/** Options of {@link userChanges}. */
export interface UserChangesOptions {
  readonly directory: UserDirectory
  readonly rules: StoreRules
  /** `[super_admin] username`: the one who cannot be removed or made less than an administrator. */
  readonly superAdmin: string | undefined
  /** Whether roles of the store itself may be written; else only `Internal/` and `Application/`. */
  readonly writesGroups: boolean
}

/** What is done inside of a transaction. Each throws {@link UserStoreRefusal}, and then nothing is changed. */
export interface UserChanges {
  add(query: SqlQuery, opened: OpenSchema, user: NewUser, password: StoredPassword): Promise<void>
  remove(query: SqlQuery, opened: OpenSchema, subject: string): Promise<void>
  setPassword(query: SqlQuery, opened: OpenSchema, subject: string, password: StoredPassword): Promise<void>
  setDisabled(query: SqlQuery, opened: OpenSchema, subject: string, isDisabled: boolean): Promise<void>
  changeRoles(query: SqlQuery, opened: OpenSchema, subject: string, change: RoleChange): Promise<void>
  addRole(query: SqlQuery, opened: OpenSchema, role: string): Promise<void>
  removeRole(query: SqlQuery, opened: OpenSchema, role: string): Promise<void>
}

/** Makes the changes of one store. */
export function userChanges({ directory, rules, superAdmin, writesGroups }: UserChangesOptions): UserChanges {
  const isSuperAdmin = (user: StoredUser): boolean =>
    superAdmin !== undefined && foldName(directory.localName(superAdmin)) === foldName(user.name)
  const isRole = (role: RoleName, text: string): boolean => foldName(directory.roleText(role)) === foldName(text)

  async function lockedUser(query: SqlQuery, { schema }: OpenSchema, subject: string): Promise<StoredUser> {
    const user = await directory.findUser(query, schema, subject, true)
    if (user === undefined) throw new UserStoreRefusal('user-not-found', 'There is no such user.')
    return user
  }

  async function existingRole(query: SqlQuery, { schema }: OpenSchema, role: RoleName): Promise<StoredRole> {
    const found = await directory.findRole(query, schema, role)
    if (found === undefined) throw new UserStoreRefusal('role-not-found', 'There is no such role.')
    return found
  }

  function writableRole(text: string): RoleName {
    const role = directory.readRole(text)
    if (isRole(role, everyoneRole)) throw new UserStoreRefusal('protected', 'Everybody has this role, always.')
    if (!role.isInternal && !writesGroups) throw readOnlyRoles()
    return role
  }

  /** What has been written is read again: a database may cut or convert what does not fit. */
  async function checkWritten(
    query: SqlQuery,
    { schema }: OpenSchema,
    name: string,
    password: StoredPassword,
  ): Promise<StoredUser> {
    const [written, twin] = await directory.usersLike(query, schema, name)
    if (written?.name !== name || twin !== undefined)
      throw new UserStoreRefusal('invalid-name', 'The user name is not allowed.')
    if (written.password !== password.hash || written.salt !== password.salt) {
      throw new UserStoreRefusal('invalid-password', 'The password is not allowed.')
    }
    return written
  }

  return {
    async add(query, opened, user, password) {
      const { schema, adminRole } = opened
      const name = user.name.normalize('NFC')
      await schema.lockNames(query)
      const twins = await directory.usersLike(query, schema, name, true)
      if (twins.length > 0) throw new UserStoreRefusal('user-exists', 'There is a user with this name.')
      await schema.insertUser(query, name, password)
      const written = await checkWritten(query, opened, name, password)
      if (!user.isAdmin) return
      const role = writableRole(adminRole)
      // A database that scripts have just made has no roles. WSO2's first start makes this one as well.
      if ((await directory.findRole(query, schema, role)) === undefined) await schema.insertRole(query, role)
      await schema.giveRole(query, written, await existingRole(query, opened, role))
    },

    async remove(query, opened, subject) {
      const user = await lockedUser(query, opened, subject)
      if (isSuperAdmin(user)) throw new UserStoreRefusal('protected', 'The super admin cannot be removed.')
      await opened.schema.deleteUser(query, user)
    },

    async setPassword(query, opened, subject, password) {
      const user = await lockedUser(query, opened, subject)
      await opened.schema.updatePassword(query, user, password)
      await checkWritten(query, opened, user.name, password)
    },

    async setDisabled(query, opened, subject, isDisabled) {
      const user = await lockedUser(query, opened, subject)
      if (isDisabled && isSuperAdmin(user)) {
        throw new UserStoreRefusal('protected', 'The super admin cannot be disabled.')
      }
      if (user.isDisabled !== isDisabled) await opened.schema.setDisabled(query, user, isDisabled)
    },

    async changeRoles(query, opened, subject, { added, removed }) {
      const toGive = added.map(writableRole)
      const toTake = removed.map(writableRole)
      const user = await lockedUser(query, opened, subject)
      if (isSuperAdmin(user) && toTake.some((role) => isRole(role, opened.adminRole))) {
        throw new UserStoreRefusal('protected', 'The super admin cannot lose the role of administrators.')
      }
      const held = new Set((await opened.schema.rolesOf(query, user)).map(({ full }) => full))
      for (const role of toGive) {
        const found = await existingRole(query, opened, role)
        if (!held.has(role.full)) await opened.schema.giveRole(query, user, found)
        held.add(role.full)
      }
      for (const role of toTake) await opened.schema.takeRole(query, user, await existingRole(query, opened, role))
    },

    async addRole(query, { schema }, text) {
      const role = directory.readRole(text)
      if (isRole(role, everyoneRole)) throw roleExists()
      if (!role.isInternal && !writesGroups) throw readOnlyRoles()
      rules.checkRoleName(role)
      if ((await directory.findRole(query, schema, role)) !== undefined) throw roleExists()
      await schema.insertRole(query, role)
      const written = await directory.findRole(query, schema, role)
      if (written === undefined) throw new UserStoreRefusal('invalid-name', 'The role name is not allowed.')
    },

    async removeRole(query, opened, text) {
      const role = writableRole(text)
      if (isRole(role, opened.adminRole)) {
        throw new UserStoreRefusal('protected', 'The role of administrators cannot be removed.')
      }
      await opened.schema.deleteRole(query, await existingRole(query, opened, role))
    },
  }
}

/** Also for what a unique index finds when two add the same at a time. */
export function roleExists(): UserStoreRefusal {
  return new UserStoreRefusal('role-exists', 'There is a role with this name.')
}

function readOnlyRoles(): UserStoreRefusal {
  return new UserStoreRefusal('read-only', 'Roles of this user store cannot be changed.')
}
