/**
 * Finds groups in a directory. A group is a role.
 *
 * @module
 */

import { isUserName } from '../credential-limits.js'
import { readRoleName } from '../sql/role-name.js'
import { chunksOf, mapInChunks } from './chunks.js'
import type { Directory } from './directory.js'
import type { DirectoryEntry } from './directory-entry.js'
import { firstValue, isWithin, nameKey } from './distinguished-name.js'
import { entriesAt, namesInFilter } from './entries-at.js'
import { escapeFilterValue } from './escape.js'
import { LdapError } from './ldap-error.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import { rootEntryHas } from './root-entry.js'
import type { FoundUser } from './user-finder.js'

/** Options of {@link groupFinder}. */
export interface GroupFinderOptions {
  readonly directory: Directory
  readonly settings: LdapStoreSettings
  readonly membershipAttribute: string
  readonly memberOfAttribute: string | undefined
  readonly nestedGroupDepth: number
  /** Known from the configuration; else the server is asked, where groups in groups are read. */
  readonly isActiveDirectory: boolean
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
  /** Every group that has one of these values as a member. */
  holding(members: readonly string[], signal?: AbortSignal): Promise<readonly DirectoryEntry[]>
  /** Names of all groups, at most so many. */
  list(maxEntries: number, signal?: AbortSignal): Promise<readonly string[]>
  /** Members of a group, at most so many. */
  membersOf(group: DirectoryEntry, maxMembers: number, signal?: AbortSignal): Promise<readonly string[]>
}

/** A user in more groups than this cannot log in: nobody can say which of the rights are missing. */
const maxGroups = 1000

/** What an Active Directory has in `supportedCapabilities` ([MS-ADTS] section 3.1.1.3.4.3). */
const activeDirectoryOid = '1.2.840.113556.1.4.800'

/** LDAP_MATCHING_RULE_IN_CHAIN: members of members too ([MS-ADTS] section 3.1.1.3.4.4.3). */
const inChainRule = '1.2.840.113556.1.4.1941'

/** What every entry of an Active Directory has. */
export const activeDirectoryMemberOf = 'memberOf'

/** Makes the look-ups of one store. */
export function groupFinder(options: GroupFinderOptions): GroupFinder {
  const { directory, settings, membershipAttribute, memberOfAttribute, nestedGroupDepth } = options
  const { groupBases, groupNameAttribute, groupFilter, groupListFilter, userNameAttribute } = settings
  const hasUserNames = membershipAttribute.toLowerCase() === 'memberuid'
  const memberOf = memberOfAttribute ?? activeDirectoryMemberOf
  const read = [groupNameAttribute, ...(memberOfAttribute === undefined ? [] : [memberOfAttribute])]
  const asksActiveDirectory = rootEntryHas(directory, 'supportedCapabilities', activeDirectoryOid)

  function nameOf(group: DirectoryEntry): string | undefined {
    const names = group.values(groupNameAttribute)
    const name = names.find((value) => value === firstValue(group.dn, groupNameAttribute)) ?? [...names].sort()[0]
    return name === undefined ? undefined : usable(name)
  }

  /** A name that stands for a role of all stores is no group's: a directory could make administrators of another one. */
  function usable(name: string): string | undefined {
    return isUserName(name) && !readRoleName(name).isInternal ? name : undefined
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
      if (isCut && !mayBeCut) throw tooMany()
      for (const entry of entries) found.set(entry.dn, entry)
    }
    return [...found.values()].slice(0, maxEntries)
  }

  /** The groups with these names. Others count for nothing. */
  function groupsAt(dns: readonly string[], signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    return entriesAt(dns, { directory, bases: groupBases, filter: groupListFilter, attributes: read }, signal)
  }

  async function holding(
    members: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<readonly DirectoryEntry[]> {
    const found = new Map<string, DirectoryEntry>()
    for (const chunk of chunksOf(members, namesInFilter)) {
      const [first, ...others] = chunk.map((member) => `(${membershipAttribute}=${escapeFilterValue(member)})`)
      const comparison = others.length === 0 ? first : `(|${first}${others.join('')})`
      const groups = await search(`(&${groupListFilter}${comparison})`, read, maxGroups, signal)
      for (const group of groups) found.set(group.dn, group)
    }
    return [...found.values()]
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

  /** What entries say they are in. */
  async function listed(entries: readonly DirectoryEntry[], signal: AbortSignal | undefined): Promise<string[]> {
    const values = await mapInChunks(entries, (entry) => allValues(entry, memberOf, maxGroups + 1, signal))
    if (values.some(({ length }) => length > maxGroups)) throw tooMany()
    return values.flat()
  }

  /** A name that the group's own name tells is not read again. */
  async function namesFromDns(entry: DirectoryEntry, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const dns = await listed([entry], signal)
    const named = dns.map((dn) => ({ dn, name: firstValue(dn, groupNameAttribute) }))
    const told = named.filter(({ dn, name }) => name !== undefined && groupBases.some((base) => isWithin(dn, base)))
    const untold = named.filter(({ name }) => name === undefined).map(({ dn }) => dn)
    const names = told.map(({ name }) => usable(name!)).filter((name) => name !== undefined)
    return [...names, ...namesOf(await groupsAt(untold, signal))]
  }

  function namesOf(groups: readonly DirectoryEntry[]): readonly string[] {
    return groups.map(nameOf).filter((name) => name !== undefined)
  }

  /** A server that does not show its root entry is taken for none. */
  async function isActiveDirectory(): Promise<boolean> {
    if (hasUserNames) return false
    if (options.isActiveDirectory) return true
    try {
      return await asksActiveDirectory()
    } catch (error) {
      if (error instanceof LdapError && error.kind === 'result') return false
      throw error
    }
  }

  /**
   * How the groups are found that hold the entries of a level directly: in few searches for each level, and in one for all
   * of them at an Active Directory.
   */
  async function stepsFrom(
    user: FoundUser,
    signal: AbortSignal | undefined,
  ): Promise<(level: readonly DirectoryEntry[]) => Promise<readonly DirectoryEntry[]>> {
    if (await isActiveDirectory()) {
      const chain = `(${membershipAttribute}:${inChainRule}:=${escapeFilterValue(user.entry.dn)})`
      const groups = await search(`(&${groupListFilter}${chain})`, [groupNameAttribute, memberOf], maxGroups, signal)
      const byName = new Map(groups.map((group) => [nameKey(group.dn), group]))
      return async (level) => (await listed(level, signal)).flatMap((dn) => byName.get(nameKey(dn)) ?? [])
    }
    if (memberOfAttribute !== undefined) return async (level) => groupsAt(await listed(level, signal), signal)
    const memberOfLevel = (entry: DirectoryEntry): string => (entry === user.entry ? memberValue(user) : entry.dn)
    return (level) => holding(level.map(memberOfLevel), signal)
  }

  return {
    hasUserNames,
    memberValue,
    holding,

    async groupsOf(user, signal) {
      if (nestedGroupDepth === 0) {
        const isListed = memberOfAttribute !== undefined
        return isListed ? namesFromDns(user.entry, signal) : namesOf(await holding([memberValue(user)], signal))
      }
      const groupsAbove = await stepsFrom(user, signal)
      const known = new Map<string, DirectoryEntry>()
      let level: readonly DirectoryEntry[] = [user.entry]
      // Groups that are in one another end it.
      for (let depth = 0; depth <= nestedGroupDepth && level.length > 0; depth++) {
        level = (await groupsAbove(level)).filter(({ dn }) => !known.has(dn))
        for (const group of level) known.set(group.dn, group)
        if (known.size > maxGroups) throw tooMany()
      }
      return namesOf([...known.values()])
    },

    async find(name, signal) {
      if (!isUserName(name)) return undefined
      const groups = await search(groupFilter.filterFor(name), [...read, membershipAttribute], maxGroups, signal)
      const [group, twin] = groups.filter((entry) => nameOf(entry)?.normalize('NFC') === name.normalize('NFC'))
      return twin === undefined ? group : undefined
    },

    async list(maxEntries, signal) {
      const groups = await search(groupListFilter, [groupNameAttribute], maxEntries, signal, true)
      return namesOf(groups)
    },

    membersOf: (group, maxMembers, signal) => allValues(group, membershipAttribute, maxMembers, signal),
  }
}

function tooMany(): LdapError {
  return new LdapError('result', 'The directory gives only a part of the groups.')
}
