/**
 * Changes of users and roles, each in a transaction, with the protections that WSO2 has.
 *
 * @module
 */

import { type NewUser, type RoleChange, UserChangeError } from '../managed-user-store.js'
import { everyoneRole, type RoleName, type StoreNames } from '../names.js'
import type { StoreRules } from '../store-rules.js'
import { findRole, type SqlSession, type UserDirectory } from './user-directory.js'
import type { StoredPassword, StoredRole, StoredUser } from './user-schema.js'

/** What is done inside of a transaction. Each function throws {@link UserChangeError}, and then nothing is changed. */
export function createUserChanges(
  { readRole, readChangeableRole, isRole, isSuperAdmin }: StoreNames,
  directory: UserDirectory,
  rules: StoreRules,
  writeGroups: boolean,
) {
  async function lockedUser(session: SqlSession, subject: string): Promise<StoredUser> {
    const user = await directory.findUser(session, subject, true)
    if (user === undefined) throw new UserChangeError('user-not-found', 'There is no such user.')
    return user
  }

  async function existingRole(session: SqlSession, role: RoleName): Promise<StoredRole> {
    const found = await findRole(session, role)
    if (found === undefined) throw new UserChangeError('role-not-found', 'There is no such role.')
    return found
  }

  function assertWritable({ isInternal }: RoleName): void {
    if (!isInternal && !writeGroups)
      throw new UserChangeError('read-only', 'Roles of this user store cannot be changed.')
  }

  function writableRole(text: string): RoleName {
    const role = readChangeableRole(text)
    assertWritable(role)
    return role
  }

  /** What has been written is read again: a database may cut or convert what does not fit. */
  async function checkWritten(session: SqlSession, name: string, password: StoredPassword): Promise<StoredUser> {
    const [written, twin] = await directory.usersLike(session, name)
    if (written?.name !== name || twin !== undefined)
      throw new UserChangeError('invalid-name', 'The user name is not allowed.')
    if (written.password !== password.hash || written.salt !== password.salt) {
      throw new UserChangeError('invalid-password', 'The password is not allowed.')
    }
    return written
  }

  return {
    async add(session: SqlSession, user: NewUser, password: StoredPassword): Promise<void> {
      const { query, schema } = session
      const name = user.name.normalize('NFC')
      await schema.lockNames(query)
      if ((await directory.usersLike(session, name, true)).length > 0) throw userExists()
      await schema.insertUser(query, name, password)
      const written = await checkWritten(session, name, password)
      if (!user.isAdmin) return
      const role = writableRole(session.adminRole)
      // A database that scripts have just made has no roles. WSO2's first start makes this one as well.
      if ((await findRole(session, role)) === undefined) await schema.insertRole(query, role)
      await schema.giveRole(query, written, await existingRole(session, role))
    },

    async remove(session: SqlSession, subject: string): Promise<void> {
      const user = await lockedUser(session, subject)
      if (isSuperAdmin(user.name)) throw new UserChangeError('protected', 'The super admin cannot be removed.')
      await session.schema.deleteUser(session.query, user)
    },

    async setPassword(session: SqlSession, subject: string, password: StoredPassword): Promise<void> {
      const user = await lockedUser(session, subject)
      await session.schema.updatePassword(session.query, user, password)
      await checkWritten(session, user.name, password)
    },

    async setDisabled(session: SqlSession, subject: string, isDisabled: boolean): Promise<void> {
      const user = await lockedUser(session, subject)
      if (isDisabled && isSuperAdmin(user.name)) {
        throw new UserChangeError('protected', 'The super admin cannot be disabled.')
      }
      if (user.isDisabled !== isDisabled) await session.schema.setDisabled(session.query, user, isDisabled)
    },

    async changeRoles(session: SqlSession, subject: string, { added, removed }: RoleChange): Promise<void> {
      const { query, schema, adminRole } = session
      const toGive = added.map(writableRole)
      const toTake = removed.map(writableRole)
      const user = await lockedUser(session, subject)
      if (isSuperAdmin(user.name) && toTake.some((role) => isRole(role, adminRole))) {
        throw new UserChangeError('protected', 'The super admin cannot lose the role of administrators.')
      }
      const held = new Set((await schema.listRolesWith(query, user)).map(({ full }) => full))
      for (const role of toGive) {
        const found = await existingRole(session, role)
        if (!held.has(role.full)) await schema.giveRole(query, user, found)
        held.add(role.full)
      }
      for (const role of toTake) await schema.takeRole(query, user, await existingRole(session, role))
    },

    async addRole(session: SqlSession, text: string): Promise<void> {
      const role = readRole(text)
      if (isRole(role, everyoneRole)) throw roleExists()
      assertWritable(role)
      rules.checkRoleName(role)
      if ((await findRole(session, role)) !== undefined) throw roleExists()
      await session.schema.insertRole(session.query, role)
      if ((await findRole(session, role)) !== undefined) return
      throw new UserChangeError('invalid-name', 'The role name is not allowed.')
    },

    async removeRole(session: SqlSession, text: string): Promise<void> {
      const role = writableRole(text)
      if (isRole(role, session.adminRole)) {
        throw new UserChangeError('protected', 'The role of administrators cannot be removed.')
      }
      await session.schema.deleteRole(session.query, await existingRole(session, role))
    },
  }
}

// Also for what a unique index finds when two add the same at a time.

export function userExists(): UserChangeError {
  return new UserChangeError('user-exists', 'There is a user with this name.')
}

export function roleExists(): UserChangeError {
  return new UserChangeError('role-exists', 'There is a role with this name.')
}
