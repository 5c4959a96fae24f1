/**
 * Changes of users and roles, with the protections that WSO2 has.
 *
 * A directory has no transactions: what consists of several steps is checked before the first, and undone in part when one
 * fails.
 *
 * @module
 */

import { type NewUser, type RoleChange, UserChangeError } from '../managed-user-store.js'
import { everyoneRole, type RoleName } from '../names.js'
import { mapInChunks } from './directory-lookups.js'
import type { DirectoryWriter } from './directory-writer.js'
import { escapeDnValue } from './distinguished-name.js'
import type { GroupFinder } from './group-finder.js'
import type { DirectoryEntry } from './ldap-connection.js'
import { hasResultCode, resultCode } from './ldap-error.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import type { FoundUser, UserFinder } from './user-finder.js'

/** NORMAL_ACCOUNT ([MS-ADTS] section 2.2.16): an account that is enabled. */
const normalAccount = '512'

const userExists = ['user-exists', 'There is a user with this name.'] as const
const roleExists = ['role-exists', 'There is a role with this name.'] as const
const readOnlyRoles = ['read-only', 'Roles of this user store cannot be changed.'] as const

export function createUserChanges(
  writer: DirectoryWriter,
  settings: LdapStoreSettings,
  users: UserFinder,
  groups: GroupFinder,
) {
  const { adminRole, activeDirectory, rules, membershipAttribute } = settings
  const { readRole, readChangeableRole, isRole, isSuperAdmin } = settings.names
  const { userNameAttribute, userBases, writeGroups, groupNameAttribute, groupBases } = settings

  async function add({ name: given, password, isAdmin }: NewUser, signal?: AbortSignal): Promise<void> {
    rules.checkUserName(given)
    rules.checkPassword(password)
    const name = given.normalize('NFC')
    if ((await users.findSubject(name, signal)) !== undefined) throw new UserChangeError(...userExists)
    const group = isAdmin ? await existingGroup(readChangeableRole(adminRole), signal) : undefined
    const dn = newDn(name)
    await addEntry(dn, name, signal)
    // From here on it is this call's entry, which is removed when a step fails. The steps ignore the signal: the client may
    // be gone, and no login works before the last one.
    try {
      const added = await existingUser(name)
      await takeLeftOver(added)
      if (group !== undefined) await give(group, added)
      await setPasswordAt(dn, password)
      if (activeDirectory) await writer.replaceValue(dn, 'userAccountControl', normalAccount)
    } catch (error) {
      await writer.removeEntry(dn).catch(() => {})
      throw error
    }
  }

  async function remove(subject: string, signal?: AbortSignal): Promise<void> {
    const user = await existingUser(subject, signal)
    if (isSuperAdmin(user.name)) throw new UserChangeError('protected', 'The super admin cannot be removed.')
    // Rights first: what is left when a later step fails has none.
    for (const group of await findWritableGroups(user, signal)) await take(group, user, signal)
    await writer.removeEntry(user.entry.dn, signal)
  }

  async function setPassword(subject: string, password: string, signal?: AbortSignal): Promise<void> {
    rules.checkPassword(password)
    const { entry } = await existingUser(subject, signal)
    await setPasswordAt(entry.dn, password, signal)
  }

  async function changeRoles(subject: string, { added, removed }: RoleChange, signal?: AbortSignal): Promise<void> {
    const toGive = added.map(readChangeableRole)
    const toTake = removed.map(readChangeableRole)
    const user = await existingUser(subject, signal)
    if (isSuperAdmin(user.name) && toTake.some((role) => isRole(role, adminRole))) {
      throw new UserChangeError('protected', 'The super admin cannot lose the role of administrators.')
    }
    const given = await mapInChunks(toGive, (role) => existingGroup(role, signal))
    const taken = await mapInChunks(toTake, (role) => existingGroup(role, signal))
    const held = new Set((await findWritableGroups(user, signal)).map(({ dn }) => dn))
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
  }

  async function addRole(text: string, signal?: AbortSignal): Promise<void> {
    const role = readRole(text)
    if (isRole(role, everyoneRole)) throw new UserChangeError(...roleExists)
    rules.checkRoleName(role)
    if (!writeGroups || groups.hasUserNames || role.isInternal) throw new UserChangeError(...readOnlyRoles)
    if ((await groups.find(role.full, signal)) !== undefined) throw new UserChangeError(...roleExists)
    const dn = `${groupNameAttribute}=${escapeDnValue(role.full)},${groupBases[0]}`
    const attributes = {
      objectClass: settings.groupObjectClasses,
      [groupNameAttribute]: [role.full],
      ...(activeDirectory ? {} : { [membershipAttribute]: [dn] }),
    }
    await unless(writer.addEntry(dn, attributes, signal), [resultCode.entryAlreadyExists], roleExists)
  }

  async function removeRole(text: string, signal?: AbortSignal): Promise<void> {
    const role = readChangeableRole(text)
    if (isRole(role, adminRole)) {
      throw new UserChangeError('protected', 'The role of administrators cannot be removed.')
    }
    await writer.removeEntry((await existingGroup(role, signal)).dn, signal)
  }

  async function existingUser(subject: string, signal?: AbortSignal): Promise<FoundUser> {
    const user = await users.findSubject(subject, signal)
    if (user === undefined) throw new UserChangeError('user-not-found', 'There is no such user.')
    return user
  }

  async function existingGroup(role: RoleName, signal: AbortSignal | undefined): Promise<DirectoryEntry> {
    if (!writeGroups) throw new UserChangeError(...readOnlyRoles)
    const group = role.isInternal ? undefined : await groups.find(role.full, signal)
    if (group === undefined) throw new UserChangeError('role-not-found', 'There is no such role.')
    return group
  }

  async function findWritableGroups(user: FoundUser, signal?: AbortSignal): Promise<readonly DirectoryEntry[]> {
    return writeGroups ? groups.holding([user], signal) : []
  }

  async function give(group: DirectoryEntry, user: FoundUser): Promise<void> {
    const adding = writer.addValue(group.dn, membershipAttribute, groups.memberValue(user))
    await unless(adding, [resultCode.attributeOrValueExists])
  }

  /** A group that must not be empty (`groupOfNames`) has itself as its last member, which grants no rights. */
  async function take(group: DirectoryEntry, user: FoundUser, signal?: AbortSignal): Promise<void> {
    const value = groups.memberValue(user)
    const remove = (replacement?: string): Promise<void> =>
      writer.removeValue(group.dn, membershipAttribute, value, replacement, signal)
    try {
      await unless(remove(), [resultCode.noSuchAttribute])
    } catch (error) {
      if (!hasResultCode(error, resultCode.objectClassViolation)) throw error
      await remove(group.dn)
    }
  }

  function newDn(name: string): string {
    // Active Directory names users by cn, whatever they log in with.
    const attribute = activeDirectory ? 'cn' : userNameAttribute
    return settings.userNames?.(name)[0] ?? `${attribute}=${escapeDnValue(name)},${userBases[0]}`
  }

  async function addEntry(dn: string, name: string, signal: AbortSignal | undefined): Promise<void> {
    const surname = activeDirectory ? {} : { sn: [name] }
    const attributes = { objectClass: settings.userObjectClasses, cn: [name], ...surname, [userNameAttribute]: [name] }
    const adding = unless(writer.addEntry(dn, attributes, signal), [resultCode.entryAlreadyExists], userExists)
    const { invalidDnSyntax, namingViolation } = resultCode
    await unless(adding, [invalidDnSyntax, namingViolation], ['invalid-name', 'The user name is not allowed.'])
  }

  /** Rights that another user of this name had, and that were left behind when the entry was removed by other means. */
  async function takeLeftOver(user: FoundUser): Promise<void> {
    const held = await groups.holding([user])
    if (held.length > 0 && !writeGroups) {
      throw new UserChangeError('protected', 'Groups of the directory have a member of this name already.')
    }
    for (const group of held) await take(group, user)
  }

  function setPasswordAt(dn: string, password: string, signal?: AbortSignal): Promise<void> {
    const refusal = ['invalid-password', 'The password is not allowed.'] as const
    return unless(writer.setPassword(dn, password, signal), [resultCode.constraintViolation], refusal)
  }

  return { add, remove, setPassword, changeRoles, addRole, removeRole }
}

/** Work that fails with one of these result codes is refused, or done where there is no refusal. */
async function unless(
  work: Promise<void>,
  codes: readonly number[],
  refusal?: Readonly<ConstructorParameters<typeof UserChangeError>>,
): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!hasResultCode(error, ...codes)) throw error
    if (refusal !== undefined) throw new UserChangeError(...refusal)
  }
}
