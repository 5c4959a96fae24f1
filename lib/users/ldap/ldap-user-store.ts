/**
 * Users and roles from an LDAP directory.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { untilAborted } from '../../async/deadline.js'
import { type ManagedUserStore, UserChangeError } from '../managed-user-store.js'
import { createLists } from '../names.js'
import type { UserAccount } from '../user-store.js'
import { isPassword } from '../user-store.js'
import { Directory } from './directory.js'
import { mapInChunks } from './directory-lookups.js'
import { DirectoryWriter } from './directory-writer.js'
import { createGroupFinder } from './group-finder.js'
import { LdapError } from './ldap-error.js'
import type { LdapUserStoreOptions } from './ldap-store-options.js'
import { type LdapStoreWarning, readSettings } from './ldap-store-settings.js'
import { createUserChanges } from './user-changes.js'
import { createUserFinder, type FoundUser } from './user-finder.js'

/** A {@link ManagedUserStore} in a directory. */
export interface LdapUserStore extends ManagedUserStore {
  /** What an operator should know about the options. */
  readonly warnings: readonly LdapStoreWarning[]
  close(): void
}

/**
 * Makes a user store of a directory. Nothing is connected before the first login, and a directory that is down is no failure to
 * start.
 *
 * A login searches the user by the service account, and then binds as the entry that was found, on a connection of its own. It
 * fails unless exactly one entry has the name: what a directory takes for equal beyond letter case (full width letters, blanks) does
 * not count. A directory that fails rejects with {@link LdapError}; only its word that the password is wrong is taken for that.
 *
 * @throws `ConfigError` with every option that cannot be used.
 */
export function ldapUserStore(options: LdapUserStoreOptions): LdapUserStore {
  const settings = readSettings(options)
  const { adminRole, isReadOnly, warnings, names } = settings
  const directory = new Directory(settings)
  const users = createUserFinder(directory, settings)
  const groups = createGroupFinder(directory, settings)
  const changes = createUserChanges(new DirectoryWriter(directory, settings), settings, users, groups)

  /** Groups that are being read, by the user's entry: logins of one user at a time read them once. */
  const reading = new Map<string, Promise<readonly string[]>>()

  function fetchGroups(user: FoundUser): Promise<readonly string[]> {
    const { dn } = user.entry
    const known = reading.get(dn)
    if (known !== undefined) return known
    // Without the signal of one of those who wait: the others wait on.
    const names = groups.findNames(user).finally(() => {
      if (reading.get(dn) === names) reading.delete(dn)
    })
    reading.set(dn, names)
    return names
  }

  /** Once it has ended, no login gets groups that were read before. */
  async function change(work: () => Promise<void>): Promise<void> {
    if (isReadOnly) throw new UserChangeError('read-only', 'The user store cannot be changed.')
    try {
      await work()
    } finally {
      reading.clear()
    }
  }

  async function readAccount(user: FoundUser, signal: AbortSignal | undefined): Promise<UserAccount> {
    const names = fetchGroups(user)
    return users.createAccount(user, await (signal === undefined ? names : untilAborted(names, signal)))
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
    domain: names.domain,
    adminRole,
    isReadOnly,
    warnings,

    async authenticate(name, password, signal) {
      signal?.throwIfAborted()
      const user = await users.findLogin(name, signal)
      const subject = user && names.subjectFrom(user.name)
      if (!isPassword(password) || password.includes('\0')) {
        return { failure: user === undefined ? 'unknown-user' : 'wrong-password', subject }
      }
      if (user === undefined) {
        await bindAsNobody(password, signal)
        return { failure: 'unknown-user' }
      }
      const outcome = await directory.bind(user.entry.dn, password, signal)
      if (outcome !== 'good') return { failure: outcome, subject }
      if (users.isDisabled(user.entry)) return { failure: 'disabled', subject }
      return { account: await readAccount(user, signal) }
    },

    async find(subject, signal) {
      const user = await users.findSubject(subject, signal)
      return user === undefined || users.isDisabled(user.entry) ? undefined : readAccount(user, signal)
    },

    findProfile: users.findProfile,

    async ping(signal) {
      const [base] = settings.userBases
      const nothing = { scope: 'base', filter: '(objectClass=*)', attributes: ['1.1'], maxEntries: 1 } as const
      await directory.search({ base: base!, ...nothing }, signal)
    },

    ...createLists(names, options, {
      matching: users.listMatching,
      async members({ full, isInternal }, limit, signal) {
        const group = isInternal ? undefined : await groups.find(full, signal)
        if (group === undefined) return undefined
        const members = await groups.readMembers(group, limit, signal)
        if (!groups.hasUserNames) return users.listNamesAt(members, signal)
        const found = await mapInChunks(members, (member) => users.findSubject(member, signal))
        return found.filter((user) => user !== undefined).map(({ name }) => name)
      },
      roles: async (limit, signal) => (await groups.list(limit, signal)).map(names.subjectFrom),
    }),

    add: (user, signal) => change(() => changes.add(user, signal)),
    remove: (subject, signal) => change(() => changes.remove(subject, signal)),
    setPassword: (subject, password, signal) => change(() => changes.setPassword(subject, password, signal)),
    changeRoles: (subject, roles, signal) => change(() => changes.changeRoles(subject, roles, signal)),
    addRole: (role, signal) => change(() => changes.addRole(role, signal)),
    removeRole: (role, signal) => change(() => changes.removeRole(role, signal)),

    close: () => directory.close(),
  }
}
