/**
 * Reads from a user's entry what a login needs to know.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { everyoneRole, type RoleName, readRoleName } from '../sql/role-name.js'
import { withoutDomain } from '../sql/user-name.js'
import type { UserAccount } from '../user-store.js'
import type { DirectoryEntry } from './directory-entry.js'
import type { FoundUser } from './user-finder.js'

/** Attributes that name an entry for its whole life; a user who is removed and added again has another version. */
const identityAttributes = ['entryUUID', 'objectGUID', 'nsUniqueId', 'ipaUniqueID'] as const

/** Attributes that lock an account. */
const lockAttributes = ['pwdAccountLockedTime', 'pwdReset', 'nsAccountLock', 'userAccountControl'] as const

const defaultVersionAttributes: readonly string[] = [
  'pwdChangedTime',
  'pwdLastSet',
  'krbLastPwdChange',
  'shadowLastChange',
]

/** Locked by an administrator, until one ends it (draft-behera-ldap-password-policy section 5.3.3). */
const lockedForGood = '000001010000Z'

/** ACCOUNTDISABLE ([MS-ADTS] section 2.2.16). */
const accountDisabled = 2

/** Options of {@link accountReader}. */
export interface AccountReaderOptions {
  /** In capitals. */
  readonly domain: string
  readonly adminRole: string
  readonly versionAttributes: readonly string[] | undefined
}

/** Reads accounts. */
export interface AccountReader {
  /** Attributes that an entry must be read with. */
  readonly attributes: readonly string[]
  /** The role that makes an administrator, as others know it. */
  readonly adminRole: string
  /** A role's name without this store's domain. */
  readRole(text: string): RoleName
  /** A group as others know it. */
  roleText(role: RoleName): string
  /**
   * Whether an account is switched off. A lock after too many wrong passwords is not counted: whoever guesses would end the
   * sessions of somebody else. The directory itself refuses the next login.
   */
  isDisabled(entry: DirectoryEntry): boolean
  accountOf(user: FoundUser, subject: string, groups: readonly string[]): UserAccount
}

/** Makes the reader of one store. */
export function accountReader(options: AccountReaderOptions): AccountReader {
  const { domain, versionAttributes = defaultVersionAttributes } = options
  const readRole = (text: string): RoleName => readRoleName(withoutDomain(text, domain))
  const roleText = ({ full, isInternal }: RoleName): string => {
    const name = full.normalize('NFC')
    return isInternal || domain === 'PRIMARY' ? name : `${domain}/${name}`
  }
  const adminRole = roleText(readRole(options.adminRole))
  const versioned = [...identityAttributes, ...versionAttributes]

  /** A digest, because a time or an identifier is nobody's business who reads a token store. */
  function versionOf(entry: DirectoryEntry): string {
    const shown = versioned.map((attribute) => [attribute, [...entry.values(attribute)].sort()])
    return createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22)
  }

  return {
    attributes: [...versioned, ...lockAttributes],
    adminRole,
    readRole,
    roleText,

    isDisabled(entry) {
      const isTrue = (attribute: string): boolean => entry.values(attribute)[0]?.toLowerCase() === 'true'
      const flags = Number(entry.values('userAccountControl')[0] ?? 0)
      const isLocked = entry.values('pwdAccountLockedTime').includes(lockedForGood)
      return isLocked || isTrue('pwdReset') || isTrue('nsAccountLock') || (flags & accountDisabled) !== 0
    },

    accountOf({ entry }, subject, groups) {
      const roles = groups.map((full) => roleText({ full, stored: full, isInternal: false }))
      const names = new Set(roles).add(everyoneRole)
      return Object.freeze({
        subject,
        roles: Object.freeze([...names].sort()),
        isAdmin: names.has(adminRole),
        version: versionOf(entry),
      })
    },
  }
}
