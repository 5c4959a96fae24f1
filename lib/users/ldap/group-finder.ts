/**
 * Finds groups in a directory. A group is a role.
 *
 * @module
 */

import { isUserName } from '../credential-limits.js'
import { readRoleName } from '../sql/role-name.js'
import type { Directory } from './directory.js'
import type { DirectoryEntry } from './directory-entry.js'
import { firstValue, isWithin } from './distinguished-name.js'
import { escapeFilterValue } from './escape.js'
import { hasResultCode, LdapError, resultCode } from './ldap-error.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import type { FoundUser } from './user-finder.js'

/** Options of {@link groupFinder}. */
export interface GroupFinderOptions {
  readonly directory: Directory
  readonly settings: LdapStoreSettings
  readonly membershipAttribute: string
  readonly memberOfAttribute: string | undefined
  readonly nestedGroupDepth: number
}

/** Look-ups of groups. */
export interface GroupFinder {
  /** Whether members are names of users (RFC 2307) and not of entries (RFC 4519 section 2.17). */
  readonly hasUserNames: boolean
  /** What a group that has the user as a member has as a value. */
  memberValue(user: FoundUser): string
  /** Names of the groups that a user is in. */
  groupsOf(user: FoundUser, signal?: AbortSignal): Promise<readonly string[]>
  /** The group with exactly this name. None when several have it. */
  find(name: string, signal?: AbortSignal): Promise<DirectoryEntry | undefined>
  /** Every group that has this value as a member. */
  holding(member: string, signal?: AbortSignal): Promise<readonly DirectoryEntry[]>
  /** Names of all groups, at most so many. */
  list(maxEntries: number, signal?: AbortSignal): Promise<readonly string[]>
  /** Members of a group, at most so many. */
  membersOf(group: DirectoryEntry, maxMembers: number, signal?: AbortSignal): Promise<readonly string[]>
}

/** A user in more groups than this cannot log in: nobody can say which of the rights are missing. */
const maxGroups = 1000

/** Makes the look-ups of one store. */
export function groupFinder(options: GroupFinderOptions): GroupFinder {
  const { directory, settings, membershipAttribute, memberOfAttribute, nestedGroupDepth } = options
  const { groupBases, groupNameAttribute, groupFilter, groupListFilter, userNameAttribute } = settings
  const hasUserNames = membershipAttribute.toLowerCase() === 'memberuid'
  const read = [groupNameAttribute, ...(memberOfAttribute === undefined ? [] : [memberOfAttribute])]

  /** A name that stands for a role of all stores is no group's: a directory could make administrators of another one. */
  function nameOf(group: DirectoryEntry): string | undefined {
    const names = group.values(groupNameAttribute)
    const name = names.find((value) => value === firstValue(group.dn, groupNameAttribute)) ?? [...names].sort()[0]
    return name === undefined || !isUserName(name) || readRoleName(name).isInternal ? undefined : name
  }

  async function search(
    filter: string,
    attributes: readonly string[],
    maxEntries: number,
    signal: AbortSignal | undefined,
    mayBeCut = false,
  ): Promise<readonly DirectoryEntry[]> {
    const found = new Map<string, DirectoryEntry>()
    for (const base of groupBases) {
      const wanted = { base, scope: 'sub', filter, attributes, maxEntries } as const
      const { entries, isCut } = await directory.searchPaged(wanted, signal)
      if (isCut && !mayBeCut) throw new LdapError('result', 'The directory gives only a part of the groups.')
      for (const entry of entries) found.set(entry.dn, entry)
    }
    return [...found.values()].slice(0, maxEntries)
  }

  /** An entry that does not exist, or that is none of the groups, counts for nothing. */
  async function groupAt(dn: string, signal: AbortSignal | undefined): Promise<DirectoryEntry | undefined> {
    if (!groupBases.some((base) => isWithin(dn, base))) return undefined
    const wanted = { base: dn, scope: 'base', filter: groupListFilter, attributes: read, maxEntries: 1 } as const
    try {
      return (await directory.search(wanted, signal)).entries[0]
    } catch (error) {
      if (hasResultCode(error, resultCode.noSuchObject)) return undefined
      throw error
    }
  }

  function holding(member: string, signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    const filter = `(&${groupListFilter}(${membershipAttribute}=${escapeFilterValue(member)}))`
    return search(filter, read, maxGroups, signal)
  }

  /** The values of an attribute, of which a server may give a part at a time. */
  async function allValues(
    entry: DirectoryEntry,
    attribute: string,
    maxValues: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const values = [...entry.values(attribute)]
    let next = entry.nextValue(attribute)
    while (next !== undefined && values.length < maxValues) {
      const attributes = [`${attribute};range=${next}-*`]
      const wanted = { base: entry.dn, scope: 'base', filter: '(objectClass=*)', attributes, maxEntries: 1 } as const
      const [part] = (await directory.search(wanted, signal)).entries
      values.push(...(part?.values(attribute) ?? []))
      const following = part?.nextValue(attribute)
      next = following !== undefined && following > next ? following : undefined
    }
    return values.slice(0, maxValues)
  }

  function memberValue({ entry, name }: FoundUser): string {
    return hasUserNames ? (entry.values(userNameAttribute).find((value) => value === name) ?? name) : entry.dn
  }

  /** Groups that an entry is in directly. */
  async function groupsAbove(
    entry: DirectoryEntry,
    member: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly DirectoryEntry[]> {
    if (memberOfAttribute === undefined) return holding(member, signal)
    const names = await allValues(entry, memberOfAttribute, maxGroups, signal)
    const groups = await Promise.all(names.map((dn) => groupAt(dn, signal)))
    return groups.filter((group) => group !== undefined)
  }

  /** A name that the group's own name tells is not read again. */
  async function namesFromDns(entry: DirectoryEntry, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const dns = await allValues(entry, memberOfAttribute!, maxGroups, signal)
    const names = await Promise.all(
      dns.map(async (dn) => {
        if (firstValue(dn, groupNameAttribute) === undefined) return groupAt(dn, signal)
        return groupBases.some((base) => isWithin(dn, base)) ? namedByDn(dn) : undefined
      }),
    )
    return names.map((group) => group && nameOf(group)).filter((name) => name !== undefined)
  }

  function namedByDn(dn: string): DirectoryEntry {
    return { dn, values: (attribute) => [firstValue(dn, attribute) ?? []].flat(), nextValue: () => undefined }
  }

  return {
    hasUserNames,
    memberValue,
    holding,

    async groupsOf(user, signal) {
      if (memberOfAttribute !== undefined && nestedGroupDepth === 0) return namesFromDns(user.entry, signal)
      const known = new Map<string, DirectoryEntry>()
      let level = await groupsAbove(user.entry, memberValue(user), signal)
      for (let depth = 0; level.length > 0; depth++) {
        const added = level.filter(({ dn }) => !known.has(dn.toLowerCase()))
        for (const group of added) known.set(group.dn.toLowerCase(), group)
        // Groups that are in one another, and more groups than can be, end it.
        if (depth >= nestedGroupDepth || known.size > maxGroups) break
        level = (await Promise.all(added.map((group) => groupsAbove(group, group.dn, signal)))).flat()
      }
      return [...known.values()].map(nameOf).filter((name) => name !== undefined)
    },

    async find(name, signal) {
      if (!isUserName(name)) return undefined
      const groups = await search(groupFilter.filterFor(name), [...read, membershipAttribute], maxGroups, signal)
      const [group, twin] = groups.filter((entry) => nameOf(entry)?.normalize('NFC') === name.normalize('NFC'))
      return twin === undefined ? group : undefined
    },

    async list(maxEntries, signal) {
      const groups = await search(groupListFilter, [groupNameAttribute], maxEntries, signal, true)
      return groups.map(nameOf).filter((name) => name !== undefined)
    },

    membersOf: (group, maxMembers, signal) => allValues(group, membershipAttribute, maxMembers, signal),
  }
}
