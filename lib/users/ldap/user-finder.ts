/**
 * Finds users in a directory: nobody unless exactly one entry has the name.
 *
 * @module
 */

import { isUserName } from '../credential-limits.js'
import { foldName, withoutDomain } from '../sql/user-name.js'
import type { Directory, DirectorySearch } from './directory.js'
import type { DirectoryEntry } from './directory-entry.js'
import { firstValue } from './distinguished-name.js'
import { hasResultCode, resultCode } from './ldap-error.js'
import type { LdapStoreSettings } from './ldap-store-settings.js'

/** A user's entry. */
export interface FoundUser {
  readonly entry: DirectoryEntry
  /** The directory's own spelling. */
  readonly name: string
}

/** Options of {@link userFinder}. */
export interface UserFinderOptions {
  readonly directory: Directory
  readonly settings: LdapStoreSettings
  /** In capitals; `PRIMARY` for the first store. */
  readonly domain: string
  readonly ignoresCase: boolean
  readonly allowsOuterBlanks: boolean
  /** Attributes that are read beside the name. */
  readonly attributes: readonly string[]
}

/** Look-ups of users. */
export interface UserFinder {
  /** Attributes that an entry must be read with. */
  readonly attributes: readonly string[]
  localName(subject: string): string
  subjectOf(name: string): string
  /** How names are compared. */
  fold(text: string): string
  /** The user who logs in with this name. */
  findLogin(name: string, signal?: AbortSignal): Promise<FoundUser | undefined>
  /** The user with this subject. */
  findSubject(subject: string, signal?: AbortSignal): Promise<FoundUser | undefined>
  /** The name of the user of an entry; `undefined` for an entry that is no user, an alias for example. */
  nameOf(entry: DirectoryEntry): string | undefined
}

/** Aliases and referrals stand for other entries, and nobody follows them. */
const pointers: readonly string[] = ['alias', 'referral']

/** Half of a character in UTF-16: it has no form in UTF-8 of its own. */
const loneSurrogate = /\p{Surrogate}/u

/** A directory takes more names for equal than this store does, so that more than one entry may come. */
const maxTwins = 10

/** Makes the look-ups of one store. */
export function userFinder(options: UserFinderOptions): UserFinder {
  const { directory, settings, domain, ignoresCase, allowsOuterBlanks, attributes } = options
  const { userNameAttribute, loginFilter, nameFilter, userBases, userNames } = settings
  const read = [...new Set([...attributes, userNameAttribute, 'objectClass', ...loginFilter.attributes])]
  const fold = ignoresCase ? foldName : (text: string): string => text.normalize('NFC')

  function nameOf(entry: DirectoryEntry): string | undefined {
    if (entry.values('objectClass').some((objectClass) => pointers.includes(objectClass.toLowerCase())))
      return undefined
    const names = entry.values(userNameAttribute)
    const inDn = firstValue(entry.dn, userNameAttribute)
    // The same one whichever of several names was given, so that there is one subject for each user.
    const name = names.find((value) => value === inDn) ?? [...names].sort()[0]
    return name !== undefined && isUserName(name) ? name : undefined
  }

  async function entryAt(dn: string, signal: AbortSignal | undefined): Promise<readonly DirectoryEntry[]> {
    const search: DirectorySearch = {
      base: dn,
      scope: 'base',
      filter: '(objectClass=*)',
      attributes: read,
      maxEntries: maxTwins,
    }
    try {
      return (await directory.search(search, signal)).entries
    } catch (error) {
      if (hasResultCode(error, resultCode.noSuchObject, resultCode.invalidDnSyntax)) return []
      throw error
    }
  }

  /** `undefined` when the server has more than it gives: one of those might be a second. */
  async function entriesBelow(
    filter: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly DirectoryEntry[] | undefined> {
    const found: DirectoryEntry[] = []
    for (const base of userBases) {
      const search: DirectorySearch = { base, scope: 'sub', filter, attributes: read, maxEntries: maxTwins }
      const { entries, isCut } = await directory.search(search, signal)
      if (isCut) return undefined
      // Bases may lie in one another. A directory spells an entry's name in one way.
      found.push(...entries.filter((entry) => !found.some(({ dn }) => dn === entry.dn)))
    }
    return found
  }

  async function findOne(
    text: string,
    template: LdapStoreSettings['loginFilter'],
    signal: AbortSignal | undefined,
  ): Promise<FoundUser | undefined> {
    const given = withoutDomain(text, domain)
    if (!isUserName(given) || loneSurrogate.test(given)) return undefined
    if (!allowsOuterBlanks && given !== given.trim()) return undefined
    const hasName = (entry: DirectoryEntry): boolean =>
      userNames === undefined
        ? template.hasName(entry, given, fold)
        : entry.values(userNameAttribute).some((value) => fold(value) === fold(given))
    const entries =
      userNames === undefined
        ? await entriesBelow(template.filterFor(given), signal)
        : (await Promise.all(userNames(given).map((dn) => entryAt(dn, signal)))).flat()
    const [entry, twin] = entries?.filter(hasName) ?? []
    if (entry === undefined || twin !== undefined) return undefined
    const name = nameOf(entry)
    return name === undefined ? undefined : { entry, name }
  }

  return {
    attributes: read,
    fold,
    nameOf,
    localName: (subject) => withoutDomain(subject, domain),
    subjectOf: (name) => (domain === 'PRIMARY' ? name.normalize('NFC') : `${domain}/${name.normalize('NFC')}`),
    findLogin: (name, signal) => findOne(name, loginFilter, signal),

    async findSubject(subject, signal) {
      const user = await findOne(subject, nameFilter, signal)
      // An entry may have several names, and only one of them is the subject.
      return user !== undefined && fold(user.name) === fold(withoutDomain(subject, domain)) ? user : undefined
    },
  }
}
