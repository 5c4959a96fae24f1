/**
 * Finds groups in a directory. A group is a role.
 *
 * @module
 */

import { readRoleName } from '../names.js'
import { isUserName } from '../user-store.js'
import type { Directory } from './directory.js'
import { entriesAt, mapInChunks, namesInFilter, rootEntryHas, splitChunks } from './directory-lookups.js'
import { firstValue, isWithin, nameKey } from './distinguished-name.js'
import type { DirectoryEntry } from './ldap-connection.js'
import { LdapError } from './ldap-error.js'
import { anyEntry, anyOf, both, equals } from './ldap-filter.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'
import { type FoundUser, mainValue } from './user-finder.js'

/** A user in more groups than this cannot log in: which of the rights are missing is not known. */
const maxGroups = 1000

/** What an Active Directory has in `supportedCapabilities` ([MS-ADTS] section 3.1.1.3.4.3). */
const activeDirectoryOid = '1.2.840.113556.1.4.800'

/** LDAP_MATCHING_RULE_IN_CHAIN: members of members too ([MS-ADTS] section 3.1.1.3.4.4.3). */
const inChainRule = '1.2.840.113556.1.4.1941'

export type GroupFinder = ReturnType<typeof createGroupFinder>

/** Look-ups of groups. There are none where groups are not read: then there is no base. */
export function createGroupFinder(directory: Directory, settings: LdapStoreSettings) {
  const { groupBases, groupNameAttribute, groupFilter, groupListFilter, userNameAttribute } = settings
  const { membershipAttribute, memberOfAttribute, usesMemberOf, nestedGroupDepth } = settings
  const saysActiveDirectory = rootEntryHas(directory, 'supportedCapabilities', activeDirectoryOid)
  /** Whether members are names of users (RFC 2307) and not of entries (RFC 4519 section 2.17). */
  const hasUserNames = membershipAttribute.toLowerCase() === 'memberuid'
  const read = [groupNameAttribute, ...(usesMemberOf ? [memberOfAttribute] : [])]

  /** What a group that has the user as a member has as a value. */
  function memberValue({ entry, name }: FoundUser): string {
    if (!hasUserNames) return entry.dn
    return entry.values(userNameAttribute).find((value) => value === name) ?? name
  }

  async function findNames(user: FoundUser, signal?: AbortSignal): Promise<readonly string[]> {
    if (groupBases.length === 0) return []
    if (nestedGroupDepth === 0) {
      return usesMemberOf ? listedNames(user.entry, signal) : readNames(await holding([user], signal))
    }
    const groupsAbove = await createStep(user, signal)
    const known = new Map<string, DirectoryEntry>()
    let level: readonly DirectoryEntry[] = [user.entry]
    // Groups that are in one another end it.
    for (let depth = 0; depth <= nestedGroupDepth && level.length > 0; depth++) {
      level = (await groupsAbove(level)).filter(({ dn }) => !known.has(dn))
      for (const group of level) known.set(group.dn, group)
      if (known.size > maxGroups) throw tooMany()
    }
    return readNames([...known.values()])
  }

  /** The group with exactly this name. None when several have it. */
  async function find(name: string, signal?: AbortSignal): Promise<DirectoryEntry | undefined> {
    if (!isUserName(name)) return undefined
    const groups = await search(groupFilter.filterFor(name), [...read, membershipAttribute], signal)
    const [group, twin] = groups.filter((entry) => readName(entry)?.normalize('NFC') === name.normalize('NFC'))
    return twin === undefined ? group : undefined
  }

  /** Every group that has one of these as a direct member. */
  async function holding(members: readonly (FoundUser | DirectoryEntry)[], signal?: AbortSignal) {
    const found = new Map<string, DirectoryEntry>()
    for (const chunk of splitChunks(members, namesInFilter)) {
      const values = chunk.map((member) => ('entry' in member ? memberValue(member) : member.dn))
      const filter = both(groupListFilter, anyOf(values.map((value) => equals(membershipAttribute, value))))
      for (const group of await search(filter, read, signal)) found.set(group.dn, group)
    }
    return [...found.values()]
  }

  async function list(maxEntries: number, signal?: AbortSignal): Promise<readonly string[]> {
    return readNames(await search(groupListFilter, [groupNameAttribute], signal, maxEntries))
  }

  function readMembers(group: DirectoryEntry, maxMembers: number, signal?: AbortSignal): Promise<readonly string[]> {
    return allValues(group, membershipAttribute, maxMembers, signal)
  }

  function readName(group: DirectoryEntry): string | undefined {
    const name = mainValue(group, groupNameAttribute)
    return name !== undefined && isUsable(name) ? name : undefined
  }

  function readNames(groups: readonly DirectoryEntry[]): readonly string[] {
    return groups.map(readName).filter((name) => name !== undefined)
  }

  /** Without `maxEntries` a part of the groups is a failure. */
  async function search(filter: string, attributes: readonly string[], signal?: AbortSignal, maxEntries?: number) {
    const found = new Map<string, DirectoryEntry>()
    for (const base of groupBases) {
      const wanted = { base, scope: 'sub', filter, attributes, maxEntries: maxEntries ?? maxGroups } as const
      const { entries, isCut } = await directory.searchPaged(wanted, signal)
      if (isCut && maxEntries === undefined) throw tooMany()
      for (const entry of entries) found.set(entry.dn, entry)
    }
    return [...found.values()].slice(0, maxEntries ?? maxGroups)
  }

  /** The groups with these names. Others count for nothing. */
  function groupsAt(dns: readonly string[], signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    return entriesAt(directory, dns, { bases: groupBases, filter: groupListFilter, attributes: read }, signal)
  }

  /** The values of an attribute, of which a server may give a part at a time. */
  async function allValues(entry: DirectoryEntry, attribute: string, maxValues: number, signal?: AbortSignal) {
    const values = [...entry.values(attribute)]
    let next = entry.nextValue(attribute)
    while (next !== undefined && values.length < maxValues) {
      const attributes = [`${attribute};range=${next}-*`]
      const wanted = { base: entry.dn, scope: 'base', filter: anyEntry, attributes, maxEntries: 1 } as const
      const [part] = (await directory.search(wanted, signal)).entries
      values.push(...(part?.values(attribute) ?? []))
      const following = part?.nextValue(attribute)
      next = following !== undefined && following > next ? following : undefined
    }
    return values.slice(0, maxValues)
  }

  /** Names of the groups that entries say they are in. */
  async function listed(entries: readonly DirectoryEntry[], signal?: AbortSignal): Promise<readonly string[]> {
    const readAll = (entry: DirectoryEntry) => allValues(entry, memberOfAttribute, maxGroups + 1, signal)
    const values = await mapInChunks(entries, readAll)
    if (values.some(({ length }) => length > maxGroups)) throw tooMany()
    return values.flat()
  }

  /** A group whose distinguished name has its name is not read. */
  async function listedNames(entry: DirectoryEntry, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const names: string[] = []
    const unnamed: string[] = []
    for (const dn of await listed([entry], signal)) {
      const name = firstValue(dn, groupNameAttribute)
      if (name === undefined) unnamed.push(dn)
      else if (isUsable(name) && groupBases.some((base) => isWithin(dn, base))) names.push(name)
    }
    return [...names, ...readNames(await groupsAt(unnamed, signal))]
  }

  /** A server that does not show its root entry is not taken for one. */
  async function activeDirectory(): Promise<boolean> {
    if (hasUserNames) return false
    if (settings.activeDirectory) return true
    try {
      return await saysActiveDirectory()
    } catch (error) {
      if (error instanceof LdapError && error.kind === 'result') return false
      throw error
    }
  }

  /**
   * Creates the function that finds the groups which hold the entries of a level directly: in few searches for each level, and
   * in one for all of them at an Active Directory.
   */
  async function createStep(
    user: FoundUser,
    signal: AbortSignal | undefined,
  ): Promise<(level: readonly DirectoryEntry[]) => Promise<readonly DirectoryEntry[]>> {
    if (await activeDirectory()) {
      const filter = both(groupListFilter, equals(`${membershipAttribute}:${inChainRule}:`, user.entry.dn))
      const groups = await search(filter, [groupNameAttribute, memberOfAttribute], signal)
      const byName = new Map(groups.map((group) => [nameKey(group.dn), group]))
      return async (level) => (await listed(level, signal)).flatMap((dn) => byName.get(nameKey(dn)) ?? [])
    }
    if (usesMemberOf) return async (level) => groupsAt(await listed(level, signal), signal)
    return (level) => holding(level[0] === user.entry ? [user] : level, signal)
  }

  return { hasUserNames, memberValue, findNames, find, holding, list, readMembers }
}

/** A name that stands for a role of all stores is no group's: a directory could make administrators of another one. */
function isUsable(name: string): boolean {
  return isUserName(name) && !readRoleName(name).isInternal
}

function tooMany(): LdapError {
  return new LdapError('result', 'The directory gives only a part of the groups.')
}
