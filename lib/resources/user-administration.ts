/**
 * Changes of users: who may make them, and what each of them ends.
 *
 * @module
 */

import { BadRequestError, StoreError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Tokens } from '../tokens/tokens.js'
import type { Accounts } from '../users/accounts.js'
import type { Authenticator } from '../users/authenticator.js'
import { accountFrom } from '../users/checked-account.js'
import {
  type ManagedUserStore,
  type NewUser,
  type RoleChange,
  setDisabled,
  UserStoreRefusal,
} from '../users/managed-user-store.js'
import type { UserAccount } from '../users/user-store.js'
import { invalidRequest } from './members.js'
import { createPrivileges } from './privileges.js'
import type { Caller } from './resource.js'
import { adminRequired, memberNotFound, protectedUser } from './store-refusal.js'
import { createTurnstile } from './turnstile.js'

/**
 * Whether a password may be set: a place for a list of common or breached passwords.
 *
 * `name`: the user it is for.
 */
export type IsPasswordAcceptable = (password: string, name: string) => boolean | Promise<boolean>

/** What {@link createUserAdministration} works with. */
export interface UserAdministrationParts {
  readonly store: ManagedUserStore
  readonly tokens: Tokens
  readonly accounts: Accounts
  /** Checks the old password, with the throttle that all logins share. */
  readonly authenticator: Authenticator
  readonly events: SecurityEvents
  readonly clock: () => number
  /** @defaultValue at least 8 characters */
  readonly isPasswordAcceptable?: IsPasswordAcceptable | undefined
}

/** A user as a client names it, and the name for answers. */
export interface NewPassword {
  readonly password: string
  /** Only for one's own password. */
  readonly oldPassword: string
}

/**
 * Changes users and roles for a caller. Every method throws what refuses it. Whatever ends rights, or whose outcome is not
 * known, ends the user's tokens.
 */
export interface UserAdministration {
  /** `name` may have a domain before it. */
  add(caller: Caller, user: NewUser): Promise<void>
  remove(caller: Caller, name: string): Promise<void>
  setPassword(caller: Caller, name: string, change: NewPassword): Promise<void>
  setDisabled(caller: Caller, name: string, isDisabled: boolean): Promise<void>
  changeRoles(caller: Caller, name: string, change: RoleChange): Promise<void>
  addRole(caller: Caller, role: string): Promise<void>
  removeRole(caller: Caller, role: string): Promise<void>
}

/** NIST SP 800-63B-3 section 5.1.1.1. */
const minPasswordCharacters = 8

const isLongEnough: IsPasswordAcceptable = (password) => [...password].length >= minPasswordCharacters

/** Makes the administration of one store. */
export function createUserAdministration(parts: UserAdministrationParts): UserAdministration {
  const { store, tokens, accounts, authenticator, events, clock, isPasswordAcceptable = isLongEnough } = parts
  const privileges = createPrivileges(store)
  // Two administrators who remove each other at the same time would both find the other one left.
  const oneAtATime = createTurnstile()

  const by = ({ auth, address }: Caller) => ({ at: clock(), by: auth.subject, address })

  async function demandAcceptable(password: string, name: string): Promise<void> {
    if ((await isPasswordAcceptable(password, name)) === true) return
    const rule =
      isPasswordAcceptable === isLongEnough
        ? `it must have at least ${minPasswordCharacters} characters`
        : 'it is too short or too common'
    throw new UserStoreRefusal('invalid-password', `The password is not allowed: ${rule}.`)
  }

  /** Whatever the store says: when the outcome is not known, the user may have lost rights. */
  async function writeAndRevoke(
    { auth }: Caller,
    reason: string,
    subject: string,
    write: () => Promise<void>,
    isRevoked = true,
  ): Promise<void> {
    const context = { by: auth.subject, reason }
    try {
      await write()
    } catch (error) {
      if (error instanceof StoreError) await tokens.revokeUser(subject, context).catch(() => {})
      throw error
    }
    if (isRevoked) await tokens.revokeUser(subject, context)
    else accounts.recheck(subject)
  }

  /** Where nobody is found, a user may be there all the same: only an administrator may go on with the name. */
  async function targetOf(caller: Caller, name: string): Promise<UserAccount | undefined> {
    const target = accountFrom((await store.find(name)) ?? (await store.findDisabled?.(name)))
    if (target === undefined || target.isAdmin) await privileges.demandAdmin(caller)
    return target
  }

  async function demandOldPassword({ auth, address }: Caller, oldPassword: string): Promise<void> {
    if (oldPassword === '') throw invalidRequest("Missing the field 'oldPassword' in the payload.")
    try {
      await authenticator.authenticate(auth.subject, oldPassword, { address })
    } catch (error) {
      // A 401 would make clients log in again and repeat the call.
      if (!(error instanceof UnauthorizedError)) throw error
      throw new BadRequestError('ERR_PASSWORD_WRONG', 'The current password is not right.')
    }
  }

  return {
    async add(caller, user) {
      if (user.isAdmin) await privileges.demandAdmin(caller)
      await demandAcceptable(user.password, user.name)
      await writeAndRevoke(caller, 'user added', user.name, () => store.add(user))
      events.report('userAdded', { ...by(caller), subject: user.name, isAdmin: user.isAdmin })
    },

    remove: (caller, name) =>
      oneAtATime(async () => {
        const target = await targetOf(caller, name)
        const subject = target?.subject ?? name
        if (subject === caller.auth.subject) throw protectedUser('You cannot remove your own account.')
        if (target?.isAdmin) await privileges.demandAnotherAdmin(target)
        await writeAndRevoke(caller, 'user removed', subject, () => store.remove(subject))
        events.report('userRemoved', { ...by(caller), subject })
      }),

    async setPassword(caller, name, { password, oldPassword }) {
      const subject = accountFrom(await store.find(name))?.subject
      const isOwn = subject === caller.auth.subject
      // Before anything is said of the user: only administrators learn who is there.
      if (!isOwn) await privileges.demandAdmin(caller)
      await demandAcceptable(password, subject ?? name)
      if (isOwn) await demandOldPassword(caller, oldPassword)
      await writeAndRevoke(caller, 'password changed', subject ?? name, () =>
        store.setPassword(subject ?? name, password),
      )
      events.report('passwordChanged', { ...by(caller), subject: subject ?? name })
    },

    setDisabled: (caller, name, isDisabled) =>
      oneAtATime(async () => {
        await privileges.demandAdmin(caller)
        const target = await targetOf(caller, name)
        if (target === undefined) throw memberNotFound('User', name)
        const { subject } = target
        if (isDisabled && subject === caller.auth.subject) throw protectedUser('You cannot disable your own account.')
        if (isDisabled && target.isAdmin) await privileges.demandAnotherAdmin(target)
        const reason = isDisabled ? 'user disabled' : 'user enabled'
        await writeAndRevoke(caller, reason, subject, () => setDisabled(store, subject, isDisabled), isDisabled)
        events.report(isDisabled ? 'userDisabled' : 'userEnabled', { ...by(caller), subject })
      }),

    changeRoles: (caller, name, { added, removed }) =>
      oneAtATime(async () => {
        const target = await targetOf(caller, name)
        if (target === undefined) throw memberNotFound('User', name)
        const { subject } = target
        if (added.some((role) => removed.includes(role))) throw invalidRequest('A role cannot be added and removed.')
        if ([...added, ...removed].some(privileges.isAdminRole)) await privileges.demandAdmin(caller)
        // Nobody may give away more than they have.
        const givesOwnOnly = added.every((role) => caller.auth.roles.includes(role))
        if (!givesOwnOnly && !(await privileges.isAdmin(caller))) throw adminRequired()
        const endsAdmin = target.isAdmin && removed.some(privileges.isAdminRole)
        if (endsAdmin) await privileges.demandAnotherAdmin(target)
        if (added.length + removed.length === 0) return
        await writeAndRevoke(
          caller,
          'roles changed',
          subject,
          () => store.changeRoles(subject, { added, removed }),
          endsAdmin,
        )
        events.report('rolesChanged', { ...by(caller), subject, added, removed })
      }),

    async addRole(caller, role) {
      // A shared role of the same name makes administrators where the store itself has none.
      if (privileges.isAdminRole(role.slice(role.lastIndexOf('/') + 1))) await privileges.demandAdmin(caller)
      await store.addRole(role)
      events.report('roleAdded', { ...by(caller), role })
    },

    async removeRole(caller, role) {
      if (privileges.isAdminRole(role)) throw protectedUser('The role of administrators cannot be removed.')
      try {
        await store.removeRole(role)
      } finally {
        accounts.recheck()
      }
      events.report('roleRemoved', { ...by(caller), role })
    },
  }
}
