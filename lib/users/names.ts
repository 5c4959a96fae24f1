/**
 * Names of users and roles: domains, spellings, patterns, and what they mean in one store.
 *
 * @module
 */

import type { ManagedUserStore, UserQuery } from './managed-user-store.js'
import { UserChangeError } from './managed-user-store.js'
import type { UserAccount } from './user-store.js'

/** Domain of the store that names without a domain mean. */
export const primaryDomain = 'PRIMARY'

/** Case-insensitive. */
export function isSameDomain(one: string, other: string): boolean {
  return one.toUpperCase() === other.toUpperCase()
}

/** The part before the first slash, and what follows it; no domain when there is no slash. */
export function splitDomain(name: string): { readonly domain: string | undefined; readonly rest: string } {
  const at = name.indexOf('/')
  return at === -1 ? { domain: undefined, rest: name } : { domain: name.slice(0, at), rest: name.slice(at + 1) }
}

/** A name with this domain before it, unless it is empty or there already. */
export function qualifiedName(name: string, domain: string): string {
  return domain === '' || withoutDomain(name, domain) !== name ? name : `${domain}/${name}`
}

export function withoutDomain(name: string, domain: string): string {
  const { domain: before, rest } = splitDomain(name)
  return before !== undefined && isSameDomain(before, domain) ? rest : name
}

/** A name with its domain in the store's spelling, and without `PRIMARY/`, which means the first store. */
export function ownSpelling(name: string, domains: readonly string[]): string {
  const { domain, rest } = splitDomain(name)
  if (domain === undefined) return name
  if (isSameDomain(domain, primaryDomain)) return rest
  const known = domains.find((one) => isSameDomain(one, domain))
  return known === undefined ? name : `${known}/${rest}`
}

/** A user store that consists of several. */
export interface HasDomains {
  /** Domains of all its stores, the first one's first. */
  readonly domains: readonly string[]
}

/** The domains that users of a store can have. */
export function listDomains(store: ManagedUserStore & Partial<HasDomains>): readonly string[] {
  return store.domains ?? [store.domain]
}

/** The name of a role. */
export interface RoleName {
  /** With `Internal/`, `Application/` or `Workflow/` where it has that; without the store's domain. */
  readonly full: string
  /** As WSO2 stores it: without `Internal/`. */
  readonly stored: string
  /** Whether the role is shared by all stores. */
  readonly isInternal: boolean
}

/** The role that everybody has. */
export const everyoneRole = 'Internal/everyone'

/** Domains of roles that belong to no user store. */
export const sharedDomains = ['Internal', 'Application', 'Workflow'] as const

const sharedPrefix = /^(?:internal|application|workflow)\//i

/** Reads a name without a store's domain. `internal/` is case-insensitive. */
export function readRoleName(text: string): RoleName {
  if (!sharedPrefix.test(text)) return { full: text, stored: text, isInternal: false }
  const full = ownSpelling(text, sharedDomains)
  return { full, stored: full.replace(/^Internal\//, ''), isInternal: true }
}

/** What names have in common that differ in letter case or in how accents are encoded. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC')
}

/** The spellings of a name that may be stored: WSO2 stores what it was given, composed or not. */
export function listSpellings(name: string): readonly string[] {
  return [...new Set([name.normalize('NFC'), name.normalize('NFD')])]
}

/** A pattern of `LIKE` for one of `*` and `?`, where `!` stands before a character that means itself. */
export function likePattern(pattern: string): string {
  return pattern.replace(/[!%_]/g, '!$&').replace(/\*+/g, '%').replaceAll('?', '_')
}

/** Whether a name matches a pattern of `*` and `?`. Takes at most the product of their lengths. */
export function matchesPattern(name: string, pattern: string): boolean {
  const text = [...name]
  const glob = [...pattern]
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < text.length) {
    if (glob[at] === '*') {
      star = at++
      resume = index
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else {
      return false
    }
  }
  while (glob[at] === '*') at++
  return at === glob.length
}

export type StoreNames = ReturnType<typeof createStoreNames>

/** Names of users and roles in one store. */
export function createStoreNames(options: {
  readonly domain?: string | undefined
  readonly ignoreCase?: boolean | undefined
  readonly superAdmin?: string | undefined
}) {
  const { ignoreCase = true, superAdmin } = options
  /** In capitals. */
  const domain = (options.domain || primaryDomain).toUpperCase()
  const qualify = (name: string): string => (domain === primaryDomain ? name : `${domain}/${name}`)
  const localName = (subject: string): string => withoutDomain(subject, domain)
  /** A name of this store as others know it. */
  const subjectFrom = (name: string): string => qualify(name.normalize('NFC'))
  /** A role without this store's domain. */
  const readRole = (text: string): RoleName => readRoleName(localName(text))
  /** A role as others know it. */
  const roleText = ({ full, isInternal }: RoleName): string => (isInternal ? full : qualify(full))
  const isRole = (role: RoleName, text: string): boolean => foldName(roleText(role)) === foldName(text)

  return {
    domain,
    localName,
    subjectFrom,
    readRole,
    roleText,
    isRole,

    /** The same text for all names of one user. */
    fold: (name: string): string => (ignoreCase ? foldName(name) : name.normalize('NFC')),

    isSuperAdmin: (name: string): boolean =>
      superAdmin !== undefined && foldName(localName(superAdmin)) === foldName(name),

    readChangeableRole(text: string): RoleName {
      const role = readRole(text)
      if (isRole(role, everyoneRole)) throw new UserChangeError('protected', 'Everybody has this role, always.')
      return role
    },

    createAccount(name: string, roles: readonly string[], adminRole: string, version: string): UserAccount {
      const all = new Set(roles).add(everyoneRole)
      const isAdmin = all.has(adminRole)
      return Object.freeze({ subject: subjectFrom(name), roles: Object.freeze([...all].sort()), isAdmin, version })
    },
  }
}

/** A database or a directory finds more than a pattern means. So many names are read for each that is listed. */
const surplus = 10

/** A longer pattern finds nothing: no name is longer. */
const maxPatternLength = 255

const defaultListLength = 100

/** What the lists of a store are made of; `limit`: as many names as are read at most. */
export interface NameSource {
  /** At least the users whose name matches the pattern. */
  matching(pattern: string, limit: number, signal: AbortSignal | undefined): Promise<readonly string[]>
  /** Users with the role; `undefined` when there is no such role. */
  members(role: RoleName, limit: number, signal: AbortSignal | undefined): Promise<readonly string[] | undefined>
  /** Roles as others know them. */
  roles(limit: number, signal: AbortSignal | undefined): Promise<readonly string[]>
}

/** The lists of a store. A length of 0 or less is the default. */
export function createLists(
  { localName, fold, subjectFrom, readRole }: StoreNames,
  lengths: { readonly maxUsers?: number | undefined; readonly maxRoles?: number | undefined },
  source: NameSource,
): Pick<ManagedUserStore, 'list' | 'listRoles' | 'listMembers'> {
  const maxUsers = listLength(lengths.maxUsers)
  const maxRoles = listLength(lengths.maxRoles)

  function sortedSubjects(names: readonly string[], pattern: string): readonly string[] {
    const wanted = fold(pattern)
    const found = names.filter((name) => matchesPattern(fold(name), wanted)).map(subjectFrom)
    return [...new Set(found)].sort().slice(0, maxUsers)
  }

  async function namesWithRole(text: string, pattern: string, signal: AbortSignal | undefined) {
    const role = readRole(text)
    const limit = maxUsers * surplus
    return role.full === everyoneRole ? source.matching(pattern, limit, signal) : source.members(role, limit, signal)
  }

  return {
    async list({ pattern = '*', role }: UserQuery, signal) {
      const local = localName(pattern)
      if (local === '' || local.length > maxPatternLength) return []
      const names =
        role === undefined
          ? await source.matching(local, maxUsers * surplus, signal)
          : await namesWithRole(role, local, signal)
      return sortedSubjects(names ?? [], local)
    },

    async listRoles(signal) {
      const roles = new Set(await source.roles(maxRoles, signal)).add(everyoneRole)
      return [...roles].sort().slice(0, maxRoles)
    },

    async listMembers(role, signal) {
      const names = await namesWithRole(role, '*', signal)
      return names && sortedSubjects(names, '*')
    },
  }
}

function listLength(length: number | undefined): number {
  return length !== undefined && Number.isSafeInteger(length) && length > 0 ? length : defaultListLength
}
