/**
 * Lists of users and roles.
 *
 * @module
 */

import type { UserQuery } from '../managed-user-store.js'
import { everyoneRole } from '../sql/role-name.js'
import { matchesPattern } from '../sql/user-name.js'
import type { AccountReader } from './account-reader.js'
import { mapInChunks } from './chunks.js'
import type { Directory } from './directory.js'
import type { DirectoryEntry } from './directory-entry.js'
import { entriesAt } from './entries-at.js'
import { escapeFilterValue } from './escape.js'
import type { GroupFinder } from './group-finder.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import type { UserFinder } from './user-finder.js'

/** Options of {@link userLister}. */
export interface UserListerOptions {
  readonly directory: Directory
  readonly settings: LdapStoreSettings
  readonly users: UserFinder
  /** Absent: groups are not read. */
  readonly groups: GroupFinder | undefined
  readonly accounts: AccountReader
  readonly maxUsers: number
  readonly maxRoles: number
}

/** The lists of a store. */
export interface UserLister {
  list(query: UserQuery, signal?: AbortSignal): Promise<readonly string[]>
  listRoles(signal?: AbortSignal): Promise<readonly string[]>
  membersOf(role: string, signal?: AbortSignal): Promise<readonly string[] | undefined>
}

/** A directory finds more than a pattern means: it has no sign for one character. So many are read for each that is given. */
const surplus = 10

/** A longer pattern finds nothing: no name is longer. */
const maxPatternLength = 255

/** Makes the lists of one store. */
export function userLister(options: UserListerOptions): UserLister {
  const { directory, settings, users, groups, accounts, maxUsers, maxRoles } = options
  const { userBases, userListFilter, userNameAttribute } = settings

  async function matching(pattern: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const value = pattern.split(/[*?]+/).map(escapeFilterValue).join('*')
    const filter = `(&${userListFilter}(${userNameAttribute}=${value}))`
    const found: DirectoryEntry[] = []
    for (const base of userBases) {
      const wanted = {
        base,
        scope: 'sub',
        filter,
        attributes: users.attributes,
        maxEntries: maxUsers * surplus,
      } as const
      found.push(...(await directory.searchPaged(wanted, signal)).entries)
    }
    return namesOf(found)
  }

  function namesOf(entries: readonly DirectoryEntry[]): readonly string[] {
    return entries.map(users.nameOf).filter((name) => name !== undefined)
  }

  async function namesWithRole(role: string, pattern: string, signal: AbortSignal | undefined) {
    const { full, isInternal } = accounts.readRole(role)
    if (full === everyoneRole) return matching(pattern, signal)
    const group = isInternal ? undefined : await groups?.find(full, signal)
    if (group === undefined || groups === undefined) return undefined
    const members = await groups.membersOf(group, maxUsers * surplus, signal)
    if (groups.hasUserNames) {
      const found = await mapInChunks(members, (member) => users.findSubject(member, signal))
      return found.filter((user) => user !== undefined).map(({ name }) => name)
    }
    const read = { directory, bases: userBases, filter: userListFilter, attributes: users.attributes }
    // Members that are gone, or that are no users, are left out.
    return namesOf(await entriesAt(members, read, signal))
  }

  function sortedSubjects(names: readonly string[], pattern: string): readonly string[] {
    const wanted = users.fold(pattern)
    const found = names.filter((name) => matchesPattern(users.fold(name), wanted)).map(users.subjectOf)
    return [...new Set(found)].sort().slice(0, maxUsers)
  }

  return {
    async list({ pattern = '*', role }, signal) {
      const local = users.localName(pattern)
      if (local === '' || local.length > maxPatternLength) return []
      const names = role === undefined ? await matching(local, signal) : await namesWithRole(role, local, signal)
      return sortedSubjects(names ?? [], local)
    },

    async listRoles(signal) {
      const names = (await groups?.list(maxRoles, signal)) ?? []
      const roles = names.map((full) => accounts.roleText({ full, stored: full, isInternal: false }))
      return [...new Set([everyoneRole, ...roles])].sort().slice(0, maxRoles)
    },

    async membersOf(role, signal) {
      const names = await namesWithRole(role, '*', signal)
      return names === undefined ? undefined : sortedSubjects(names, '*')
    },
  }
}
