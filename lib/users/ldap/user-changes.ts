/**
 * Changes of users and roles, with the protections that WSO2 has.
 *
 * A directory has no transactions: what consists of several steps is checked before the first, and undone in part when one
 * fails.
 *
 * @module
 */

import { type NewUser, type RoleChange, UserStoreRefusal } from '../managed-user-store.js'
import { everyoneRole, type RoleName } from '../sql/role-name.js'
import type { StoreRules } from '../sql/store-rules.js'
import { foldName } from '../sql/user-name.js'
import type { AccountReader } from './account-reader.js'
import { mapInChunks } from './chunks.js'
import type { DirectoryEntry } from './directory-entry.js'
import type { DirectoryWriter } from './directory-writer.js'
import { escapeDnValue } from './escape.js'
import type { GroupFinder } from './group-finder.js'
import { hasResultCode, resultCode } from './ldap-error.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import type { FoundUser, UserFinder } from './user-finder.js'

/** Options of {@link userChanges}. */
export interface UserChangesOptions {
  readonly writer: DirectoryWriter
  readonly settings: LdapStoreSettings
  readonly users: UserFinder
  /** Absent: roles cannot be changed. */
  readonly groups: GroupFinder | undefined
  /** Absent: groups count for nothing. */
  readonly readableGroups: GroupFinder | undefined
  readonly accounts: AccountReader
  readonly rules: StoreRules
  readonly superAdmin: string | undefined
  readonly membershipAttribute: string
  readonly userObjectClasses: readonly string[]
  readonly groupObjectClasses: readonly string[]
  readonly isActiveDirectory: boolean
}

/** Changes of a store. Each throws {@link UserStoreRefusal}. */
export interface UserChanges {
  add(user: NewUser, signal?: AbortSignal): Promise<void>
  remove(subject: string, signal?: AbortSignal): Promise<void>
  setPassword(subject: string, password: string, signal?: AbortSignal): Promise<void>
  changeRoles(subject: string, change: RoleChange, signal?: AbortSignal): Promise<void>
  addRole(role: string, signal?: AbortSignal): Promise<void>
  removeRole(role: string, signal?: AbortSignal): Promise<void>
}

/** NORMAL_ACCOUNT ([MS-ADTS] section 2.2.16): an account that is switched on. */
const normalAccount = '512'

/** Makes the changes of one store. */
export function userChanges(options: UserChangesOptions): UserChanges {
  const { writer, settings, users, groups, accounts, rules, membershipAttribute, isActiveDirectory } = options
  const { userNameAttribute, groupNameAttribute } = settings

  const isRole = (role: RoleName, text: string): boolean => foldName(accounts.roleText(role)) === foldName(text)
  const isSuperAdmin = ({ name }: FoundUser): boolean =>
    options.superAdmin !== undefined && foldName(users.localName(options.superAdmin)) === foldName(name)

  async function existingUser(subject: string, signal: AbortSignal | undefined): Promise<FoundUser> {
    const user = await users.findSubject(subject, signal)
    if (user === undefined) throw new UserStoreRefusal('user-not-found', 'There is no such user.')
    return user
  }

  function writableRole(text: string): RoleName {
    const role = accounts.readRole(text)
    if (isRole(role, everyoneRole)) throw new UserStoreRefusal('protected', 'Everybody has this role, always.')
    return role
  }

  async function existingGroup(role: RoleName, signal: AbortSignal | undefined): Promise<DirectoryEntry> {
    if (groups === undefined) throw readOnlyRoles()
    const group = role.isInternal ? undefined : await groups.find(role.full, signal)
    if (group === undefined) throw new UserStoreRefusal('role-not-found', 'There is no such role.')
    return group
  }

  async function give(group: DirectoryEntry, user: FoundUser, signal?: AbortSignal): Promise<void> {
    await unless(
      writer.addValue(group.dn, membershipAttribute, groups!.memberValue(user), signal),
      resultCode.attributeOrValueExists,
    )
  }

  /** A group that must not be empty (`groupOfNames`) has itself as its last member, which gives nobody any rights. */
  async function take(group: DirectoryEntry, user: FoundUser, signal?: AbortSignal): Promise<void> {
    const value = groups!.memberValue(user)
    try {
      await unless(
        writer.removeValue(group.dn, membershipAttribute, value, undefined, signal),
        resultCode.noSuchAttribute,
      )
    } catch (error) {
      if (!hasResultCode(error, resultCode.objectClassViolation)) throw error
      await writer.removeValue(group.dn, membershipAttribute, value, group.dn, signal)
    }
  }

  function newDn(name: string): string {
    // Active Directory names users by cn, whatever they log in with.
    const attribute = isActiveDirectory ? 'cn' : userNameAttribute
    return settings.userNames?.(name)[0] ?? `${attribute}=${escapeDnValue(name)},${settings.userBases[0]}`
  }

  async function addEntry(dn: string, name: string, signal: AbortSignal | undefined): Promise<void> {
    const attributes = {
      objectClass: options.userObjectClasses,
      cn: [name],
      ...(isActiveDirectory ? {} : { sn: [name] }),
      [userNameAttribute]: [name],
    }
    const adding = refusing(writer.addEntry(dn, attributes, signal), userExists(), [resultCode.entryAlreadyExists])
    const refusal = new UserStoreRefusal('invalid-name', 'The user name is not allowed.')
    await refusing(adding, refusal, [resultCode.invalidDnSyntax, resultCode.namingViolation])
  }

  /** Rights that somebody of this name had, and that were left behind when the entry was removed by other means. */
  async function takeLeftOver(user: FoundUser): Promise<void> {
    const held = (await options.readableGroups?.holding([options.readableGroups.memberValue(user)])) ?? []
    if (held.length > 0 && groups === undefined) {
      throw new UserStoreRefusal('protected', 'Groups of the directory have a member of this name already.')
    }
    for (const group of held) await take(group, user)
  }

  function settingPassword(dn: string, password: string, signal?: AbortSignal): Promise<void> {
    const refusal = new UserStoreRefusal('invalid-password', 'The password is not allowed.')
    return refusing(writer.setPassword(dn, password, signal), refusal, [resultCode.constraintViolation])
  }

  return {
    async add({ name: given, password, isAdmin }, signal) {
      const name = given.normalize('NFC')
      if ((await users.findSubject(name, signal)) !== undefined) throw userExists()
      const group = isAdmin ? await existingGroup(writableRole(accounts.adminRole), signal) : undefined
      const dn = newDn(name)
      await addEntry(dn, name, signal)
      // From here on it is this call's entry, which goes again when a step fails. Nobody can log in before the last one, and
      // the client may be gone: half a user helps nobody.
      try {
        const added = await existingUser(name, undefined)
        await takeLeftOver(added)
        if (group !== undefined) await give(group, added)
        await settingPassword(dn, password)
        if (isActiveDirectory) await writer.replaceValue(dn, 'userAccountControl', normalAccount)
      } catch (error) {
        await writer.removeEntry(dn).catch(() => {})
        throw error
      }
    },

    async remove(subject, signal) {
      const user = await existingUser(subject, signal)
      if (isSuperAdmin(user)) throw new UserStoreRefusal('protected', 'The super admin cannot be removed.')
      // Rights first: what is left when a later step fails has none.
      const held = (await groups?.holding([groups.memberValue(user)], signal)) ?? []
      for (const group of held) await take(group, user, signal)
      await writer.removeEntry(user.entry.dn, signal)
    },

    async setPassword(subject, password, signal) {
      const { entry } = await existingUser(subject, signal)
      await settingPassword(entry.dn, password, signal)
    },

    async changeRoles(subject, { added, removed }, signal) {
      const toGive = added.map(writableRole)
      const toTake = removed.map(writableRole)
      const user = await existingUser(subject, signal)
      if (isSuperAdmin(user) && toTake.some((role) => isRole(role, accounts.adminRole))) {
        throw new UserStoreRefusal('protected', 'The super admin cannot lose the role of administrators.')
      }
      const given = await mapInChunks(toGive, (role) => existingGroup(role, signal))
      const taken = await mapInChunks(toTake, (role) => existingGroup(role, signal))
      const held = new Set(((await groups?.holding([groups.memberValue(user)], signal)) ?? []).map(({ dn }) => dn))
      const undo: (() => Promise<void>)[] = []
      try {
        for (const group of taken.filter(({ dn }) => held.has(dn))) {
          await take(group, user)
          undo.push(() => give(group, user))
        }
        for (const group of given.filter(({ dn }) => !held.has(dn))) {
          await give(group, user)
          undo.push(() => take(group, user))
        }
      } catch (error) {
        for (const step of undo.reverse()) await step().catch(() => {})
        throw error
      }
    },

    async addRole(text, signal) {
      const role = accounts.readRole(text)
      if (isRole(role, everyoneRole)) throw roleExists()
      rules.checkRoleName(role)
      if (groups === undefined || groups.hasUserNames || role.isInternal) throw readOnlyRoles()
      if ((await groups.find(role.full, signal)) !== undefined) throw roleExists()
      const dn = `${groupNameAttribute}=${escapeDnValue(role.full)},${settings.groupBases[0]}`
      const attributes = {
        objectClass: options.groupObjectClasses,
        [groupNameAttribute]: [role.full],
        ...(isActiveDirectory ? {} : { [membershipAttribute]: [dn] }),
      }
      await refusing(writer.addEntry(dn, attributes, signal), roleExists(), [resultCode.entryAlreadyExists])
    },

    async removeRole(text, signal) {
      const role = writableRole(text)
      if (isRole(role, accounts.adminRole)) {
        throw new UserStoreRefusal('protected', 'The role of administrators cannot be removed.')
      }
      await writer.removeEntry((await existingGroup(role, signal)).dn, signal)
    },
  }
}

/** What the directory refuses, as a refusal where it is the caller's doing. */
async function refusing(work: Promise<void>, refusal: UserStoreRefusal, codes: readonly number[]): Promise<void> {
  try {
    await work
  } catch (error) {
    throw hasResultCode(error, ...codes) ? refusal : error
  }
}

/** Work whose result is there already is done. */
async function unless(work: Promise<void>, code: number): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!hasResultCode(error, code)) throw error
  }
}

function userExists(): UserStoreRefusal {
  return new UserStoreRefusal('user-exists', 'There is a user with this name.')
}

function roleExists(): UserStoreRefusal {
  return new UserStoreRefusal('role-exists', 'There is a role with this name.')
}

function readOnlyRoles(): UserStoreRefusal {
  return new UserStoreRefusal('read-only', 'Roles of this user store cannot be changed.')
}
