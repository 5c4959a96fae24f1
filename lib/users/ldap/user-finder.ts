/**
 * Finds users in a directory, and reads from their entries what a login needs to know.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { UserAccount } from '../user-store.js'
import { isUserName } from '../user-store.js'
import type { Directory } from './directory.js'
import { entriesAt } from './directory-lookups.js'
import { firstValue } from './distinguished-name.js'
import type { DirectoryEntry } from './ldap-connection.js'
import { hasResultCode, resultCode } from './ldap-error.js'
import { anyEntry, both, type FilterTemplate, likePattern } from './ldap-filter.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'

export interface FoundUser {
  readonly entry: DirectoryEntry
  readonly name: string
}

/** Attributes that name an entry for its whole life; a user who is removed and added again has another version. */
const identityAttributes = ['entryUUID', 'objectGUID', 'nsUniqueId', 'ipaUniqueID'] as const

const lockAttributes = ['pwdAccountLockedTime', 'pwdReset', 'nsAccountLock', 'userAccountControl'] as const

/** Locked by an administrator, until one ends it (draft-behera-ldap-password-policy section 5.3.3). */
const lockedByAdministrator = '000001010000Z'

/** ACCOUNTDISABLE ([MS-ADTS] section 2.2.16). */
const accountDisabled = 2

/** What `inetOrgPerson` (RFC 2798) and Active Directory have of a person. */
const displayNameAttributes = ['displayName', 'cn'] as const
const emailAttribute = 'mail'

/** Aliases and referrals stand for other entries, and are never followed. */
const pointers: readonly string[] = ['alias', 'referral']

/** Half of a character in UTF-16: it has no form in UTF-8 of its own. */
const loneSurrogate = /\p{Surrogate}/u

/** A directory takes more names for equal than this store does, so that more than one entry may come. */
const maxTwins = 10

export type UserFinder = ReturnType<typeof createUserFinder>

/** Look-ups of users: none unless exactly one entry has the name. */
export function createUserFinder(directory: Directory, settings: LdapStoreSettings) {
  const { adminRole, versionAttributes, memberOfAttribute, allowOuterBlanks } = settings
  const { fold, localName, subjectFrom } = settings.names
  const { userNameAttribute, userNames, userBases, loginFilter, nameFilter, userListFilter } = settings
  const versioned = [...identityAttributes, ...versionAttributes]
  const memberOf = settings.usesMemberOf || settings.nestedGroupDepth > 0 ? [memberOfAttribute] : []
  const names = [userNameAttribute, 'objectClass', ...loginFilter.attributes]
  const attributes = [
    ...new Set([...versioned, ...lockAttributes, ...displayNameAttributes, emailAttribute, ...memberOf, ...names]),
  ]

  const findLogin = (name: string, signal?: AbortSignal) => findOne(name, loginFilter, signal)

  async function findSubject(subject: string, signal?: AbortSignal): Promise<FoundUser | undefined> {
    const user = await findOne(subject, nameFilter, signal)
    // An entry may have several names, and only one of them is the subject.
    return user !== undefined && fold(user.name) === fold(localName(subject)) ? user : undefined
  }

  /** The name of the user of an entry; `undefined` for an entry that is no user, an alias for example. */
  function readName(entry: DirectoryEntry): string | undefined {
    if (entry.values('objectClass').some((name) => pointers.includes(name.toLowerCase()))) return undefined
    const name = mainValue(entry, userNameAttribute)
    return name !== undefined && isUserName(name) ? name : undefined
  }

  /**
   * Whether an account is disabled. A lock after too many wrong passwords is not counted: guessing would end the sessions of
   * another user. The directory itself refuses the next login.
   */
  function isDisabled(entry: DirectoryEntry): boolean {
    const isTrue = (attribute: string): boolean => entry.values(attribute)[0]?.toLowerCase() === 'true'
    const flags = Number(entry.values('userAccountControl')[0] ?? 0)
    const isLocked = entry.values('pwdAccountLockedTime').includes(lockedByAdministrator)
    return isLocked || isTrue('pwdReset') || isTrue('nsAccountLock') || (flags & accountDisabled) !== 0
  }

  function createAccount({ entry, name }: FoundUser, groups: readonly string[]): UserAccount {
    const shown = versioned.map((attribute) => [attribute, [...entry.values(attribute)].sort()])
    // A digest, because a token store must not show times and identifiers of users.
    const version = createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22)
    return settings.names.createAccount(name, groups.map(subjectFrom), adminRole, version)
  }

  async function findProfile(subject: string, signal?: AbortSignal) {
    const entry = (await findSubject(subject, signal))?.entry
    const [name] = displayNameAttributes.flatMap((attribute) => entry?.values(attribute) ?? [])
    return entry && { name, email: entry.values(emailAttribute)[0] }
  }

  async function findOne(text: string, template: FilterTemplate, signal?: AbortSignal): Promise<FoundUser | undefined> {
    const given = localName(text)
    if (!isUserName(given) || loneSurrogate.test(given)) return undefined
    if (!allowOuterBlanks && given !== given.trim()) return undefined
    const hasName = (entry: DirectoryEntry): boolean =>
      userNames === undefined
        ? template.hasName(entry, given, fold)
        : entry.values(userNameAttribute).some((value) => fold(value) === fold(given))
    const entries =
      userNames === undefined
        ? await entriesBelow(template.filterFor(given), signal)
        : (await Promise.all(userNames(given).map((dn) => entryAt(dn, signal)))).flat()
    const [entry, twin] = entries.filter(hasName)
    if (entry === undefined || twin !== undefined) return undefined
    const name = readName(entry)
    return name === undefined ? undefined : { entry, name }
  }

  async function entryAt(dn: string, signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    const wanted = { base: dn, filter: anyEntry, attributes, maxEntries: maxTwins }
    try {
      return (await directory.search({ ...wanted, scope: 'base' }, signal)).entries
    } catch (error) {
      if (hasResultCode(error, resultCode.noSuchObject, resultCode.invalidDnSyntax)) return []
      throw error
    }
  }

  /** None when the server has more than it gives: one of those might be a second. */
  async function entriesBelow(filter: string, signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    const found = new Map<string, DirectoryEntry>()
    for (const base of userBases) {
      const wanted = { base, filter, attributes, maxEntries: maxTwins }
      const { entries, isCut } = await directory.search({ ...wanted, scope: 'sub' }, signal)
      if (isCut) return []
      // Bases may lie in one another. A directory spells an entry's name in one way.
      for (const entry of entries) found.set(entry.dn, entry)
    }
    return [...found.values()]
  }

  /** At least the users whose name matches a pattern, as far as `maxEntries` of each base goes. */
  async function listMatching(pattern: string, maxEntries: number, signal?: AbortSignal): Promise<readonly string[]> {
    const filter = both(userListFilter, likePattern(userNameAttribute, pattern))
    const found: DirectoryEntry[] = []
    for (const base of userBases) {
      const wanted = { base, scope: 'sub', filter, attributes, maxEntries } as const
      found.push(...(await directory.searchPaged(wanted, signal)).entries)
    }
    return readNames(found)
  }

  /** The names of the users at these places. Entries that are gone, or that are no users, are left out. */
  async function listNamesAt(dns: readonly string[], signal?: AbortSignal): Promise<readonly string[]> {
    return readNames(await entriesAt(directory, dns, { bases: userBases, filter: userListFilter, attributes }, signal))
  }

  function readNames(entries: readonly DirectoryEntry[]): readonly string[] {
    return entries.map(readName).filter((name) => name !== undefined)
  }

  return { listMatching, listNamesAt, findLogin, findSubject, findProfile, isDisabled, createAccount }
}

/** Always the same one of several values, so that there is one name for each entry: that in its distinguished name, or the first. */
export function mainValue(entry: DirectoryEntry, attribute: string): string | undefined {
  const values = entry.values(attribute)
  const inName = firstValue(entry.dn, attribute)
  return values.find((value) => value === inName) ?? [...values].sort()[0]
}
