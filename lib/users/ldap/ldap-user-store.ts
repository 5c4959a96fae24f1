/**
 * Users and roles from an LDAP directory.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { isPassword } from '../credential-limits.js'
import { untilAborted } from '../deadline.js'
import { type ManagedUserStore, UserStoreRefusal } from '../managed-user-store.js'
import { storeRules } from '../sql/store-rules.js'
import type { UserAccount } from '../user-store.js'
import { accountReader } from './account-reader.js'
import { openDirectory } from './directory.js'
import { directoryWriter } from './directory-writer.js'
import { activeDirectoryMemberOf, groupFinder } from './group-finder.js'
import { LdapError } from './ldap-error.js'
import type { LdapUserStoreOptions } from './ldap-store-options.js'
import { type LdapStoreWarning, readSettings } from './ldap-store-settings.js'
import { userChanges } from './user-changes.js'
import { type FoundUser, userFinder } from './user-finder.js'
import { userLister } from './user-lister.js'

/** A {@link ManagedUserStore} in a directory. */
export interface LdapUserStore extends ManagedUserStore {
  /** What an operator should know about the options. */
  readonly warnings: readonly LdapStoreWarning[]
  close(): void
}

const defaultTimeoutMs = 5000
const defaultRetryDelayMs = 2000
const defaultConnections = 10
const defaultWaiting = 1000
/** Firewalls forget a connection after some minutes without a packet. */
const maxIdleMs = 60_000
const defaultListLength = 100
const maxNestedDepth = 20

/** What `inetOrgPerson` (RFC 2798) and Active Directory have of a person. */
const displayNameAttributes = ['displayName', 'cn'] as const
const emailAttribute = 'mail'

/** What WSO2 allows in a directory when nothing is said. */
const namePattern = '[a-zA-Z0-9._\\-|//]{3,30}$'

/**
 * Makes a user store of a directory. Nothing is connected before the first login, and a directory that is down is no
 * failure to start.
 *
 * A login searches the user by the service account, and then binds as the entry that was found, on a connection that nobody
 * else uses. Nobody logs in unless exactly one entry has the name, spelled like that but for letter case: what a directory
 * takes for equal beyond it (full width letters, blanks) does not count. A directory that fails rejects with
 * {@link LdapError}; only its word that the password is wrong is taken for that.
 *
 * @throws `ConfigError` with every option that cannot be used.
 */
export function ldapUserStore(options: LdapUserStoreOptions): LdapUserStore {
  const { isReadOnly = true, readsGroups = true, isActiveDirectory = false, ignoresCase = true } = options
  const { allowsOuterBlanks = true } = options
  const { membershipAttribute: givenMembership, now = () => performance.now() } = options
  const settings = readSettings(options)
  const domain = (options.domain || 'PRIMARY').toUpperCase()
  const rules = storeRules(
    {
      userNamePattern: options.userNamePattern || namePattern,
      roleNamePattern: options.roleNamePattern || namePattern,
      passwordPattern: options.passwordPattern || undefined,
    },
    domain,
  )
  const membershipAttribute = givenMembership || 'member'
  const memberOfAttribute = options.memberOfAttribute || undefined

  const directory = openDirectory({
    servers: settings.servers,
    ca: settings.ca,
    startTls: options.startTls ?? false,
    refusesReferrals: options.refusesReferrals ?? false,
    service: settings.service,
    connectTimeoutMs: positive(options.connectTimeoutMs, defaultTimeoutMs),
    readTimeoutMs: positive(options.readTimeoutMs, defaultTimeoutMs),
    retryDelayMs: positive(options.connectionRetryDelayMs, defaultRetryDelayMs),
    maxConnections: positive(options.maxConnections, defaultConnections),
    maxWaiting: positive(options.maxWaiting, defaultWaiting),
    queueTimeoutMs: positive(options.queueTimeoutMs, defaultTimeoutMs),
    maxIdleMs: options.keepsConnections === false ? 0 : maxIdleMs,
    now,
  })
  const accounts = accountReader({
    domain,
    adminRole: options.adminRole ?? 'admin',
    versionAttributes: options.versionAttributes,
  })
  const profileAttributes = [...displayNameAttributes, emailAttribute]
  const nestedGroupDepth = Math.min(options.nestedGroupDepth ?? 0, maxNestedDepth)
  const memberOf = memberOfAttribute ?? (nestedGroupDepth > 0 ? activeDirectoryMemberOf : undefined)
  const attributes = [...accounts.attributes, ...profileAttributes, ...(memberOf === undefined ? [] : [memberOf])]
  const users = userFinder({ directory, settings, domain, ignoresCase, allowsOuterBlanks, attributes })
  const groups = readsGroups
    ? groupFinder({
        ...{ directory, settings, membershipAttribute, memberOfAttribute, nestedGroupDepth },
        isActiveDirectory,
      })
    : undefined
  const maxUsers = positive(options.maxUsers, defaultListLength)
  const maxRoles = positive(options.maxRoles, defaultListLength)
  const lists = userLister({ directory, settings, users, groups, accounts, maxUsers, maxRoles })
  const { passwordHashMethod } = settings
  const changes = userChanges({
    writer: directoryWriter({ directory, isActiveDirectory, passwordHashMethod }),
    settings,
    users,
    groups: options.writesGroups === false ? undefined : groups,
    readableGroups: groups,
    accounts,
    rules,
    superAdmin: options.superAdmin,
    membershipAttribute,
    userObjectClasses: classes(options.userEntryObjectClass, isActiveDirectory ? 'user' : 'identityPerson'),
    groupObjectClasses: classes(options.groupEntryObjectClass, isActiveDirectory ? 'group' : 'groupOfNames'),
    isActiveDirectory,
  })

  function checkWritable(): void {
    if (isReadOnly) throw new UserStoreRefusal('read-only', 'The user store cannot be changed.')
  }

  /** Groups that are being read, by the user's entry: logins of one user at a time read them once. */
  const reading = new Map<string, Promise<readonly string[]>>()

  function readGroups(user: FoundUser): Promise<readonly string[]> {
    const { dn } = user.entry
    const known = reading.get(dn)
    if (known !== undefined || groups === undefined) return known ?? Promise.resolve([])
    // Without the signal of one of those who wait: the others wait on.
    const names = groups.groupsOf(user).finally(() => {
      if (reading.get(dn) === names) reading.delete(dn)
    })
    reading.set(dn, names)
    return names
  }

  /** Changes, after which nobody gets what was read before. */
  async function change(work: Promise<void>): Promise<void> {
    try {
      await work
    } finally {
      reading.clear()
    }
  }

  async function accountOf(user: FoundUser, signal: AbortSignal | undefined): Promise<UserAccount> {
    const names = await (signal === undefined ? readGroups(user) : untilAborted(readGroups(user), signal))
    return accounts.accountOf(user, users.subjectOf(user.name), names)
  }

  /** An unknown user costs a bind too, so that the time does not tell who is known. Its result code counts for nothing. */
  async function bindAsNobody(password: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await directory.bind(`cn=${randomUUID()},${settings.userBases[0]}`, password, signal)
    } catch (error) {
      if (!(error instanceof LdapError) || error.kind !== 'result') throw error
    }
  }

  return {
    domain,
    adminRole: accounts.adminRole,
    isReadOnly,
    warnings: settings.warnings,

    async authenticate(name, password, signal) {
      signal?.throwIfAborted()
      const user = await users.findLogin(name, signal)
      const subject = user && users.subjectOf(user.name)
      if (!isPassword(password) || password.includes('\0')) {
        return { failure: user === undefined ? 'unknown-user' : 'wrong-password', subject }
      }
      if (user === undefined) {
        await bindAsNobody(password, signal)
        return { failure: 'unknown-user' }
      }
      const outcome = await directory.bind(user.entry.dn, password, signal)
      if (outcome !== 'good') return { failure: outcome, subject }
      if (accounts.isDisabled(user.entry)) return { failure: 'disabled', subject }
      return { account: await accountOf(user, signal) }
    },

    async find(subject, signal) {
      const user = await users.findSubject(subject, signal)
      return user === undefined || accounts.isDisabled(user.entry) ? undefined : accountOf(user, signal)
    },

    async findProfile(subject, signal) {
      const entry = (await users.findSubject(subject, signal))?.entry
      const [name] = displayNameAttributes.flatMap((attribute) => entry?.values(attribute) ?? [])
      return entry && { name, email: entry.values(emailAttribute)[0] }
    },

    list: (query, signal) => lists.list(query, signal),
    listRoles: (signal) => lists.listRoles(signal),
    membersOf: (role, signal) => lists.membersOf(role, signal),

    async add(user, signal) {
      checkWritable()
      rules.checkUserName(user.name)
      rules.checkPassword(user.password)
      await change(changes.add(user, signal))
    },

    async remove(subject, signal) {
      checkWritable()
      await change(changes.remove(subject, signal))
    },

    async setPassword(subject, password, signal) {
      checkWritable()
      rules.checkPassword(password)
      await changes.setPassword(subject, password, signal)
    },

    async changeRoles(subject, roles, signal) {
      checkWritable()
      await change(changes.changeRoles(subject, roles, signal))
    },

    async addRole(role, signal) {
      checkWritable()
      await changes.addRole(role, signal)
    },

    async removeRole(role, signal) {
      checkWritable()
      await change(changes.removeRole(role, signal))
    },

    close: () => directory.close(),
  }
}

/** What is not set, and what is written as 0 or -1, is the default. */
function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : otherwise
}

function classes(text: string | undefined, otherwise: string): readonly string[] {
  return (text || otherwise).split(',').map((name) => name.trim())
}
