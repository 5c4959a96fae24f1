/**
 * Changes of users over HTTP: who may make them.
 *
 * @module
 */

import { startDeadline, untilAborted } from '../async/deadline.js'
import { createMutex } from '../async/mutex.js'
import { BadRequestError, StoreError, UnauthorizedError } from '../core/errors.js'
import type { ChangeContext } from '../core/events.js'
import type { Authenticator } from '../users/login/authenticator.js'
import { SecondFactorRequiredError } from '../users/login/second-factor-required.js'
import {
  type ManagedUserStore,
  type NewUser,
  type RoleChange,
  setDisabled,
  UserChangeError,
} from '../users/managed-user-store.js'
import type { UserAccount } from '../users/user-store.js'
import { accountFrom } from '../users/user-store.js'
import { invalidRequest } from './json-body.js'
import { adminRequired, type Caller, memberNotFound, protectedUser } from './resource.js'
import { isAdminRole } from './user-changes.js'

/** Whether `name` may have this password: a place for a list of common or breached passwords. */
export type AcceptPassword = (password: string, name: string) => boolean | Promise<boolean>

export interface UserAdministrationParts {
  /** One that reports its changes. */
  readonly store: ManagedUserStore
  /** Checks the old password, with the throttle that all logins share. */
  readonly authenticator: Authenticator
  /** @defaultValue at least 8 characters */
  readonly acceptPassword?: AcceptPassword | undefined
}

export interface NewPassword {
  readonly password: string
  readonly oldPassword: string
}

/** Changes users and roles for a caller. Every method throws what refuses it. */
export interface UserAdministration {
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

const isLongEnough: AcceptPassword = (password) => [...password].length >= minPasswordCharacters

/** For a change that others wait for. */
const changeTimeoutMs = 20_000

export function createUserAdministration(parts: UserAdministrationParts): UserAdministration {
  const { store, authenticator, acceptPassword = isLongEnough } = parts
  const privileges = createPrivileges(store)
  // Two administrators who remove each other at the same time would both find the other one left.
  const runAlone = createMutex()

  /** A store that gives no answer holds up the next change for a while only. After it, `signal` forbids the write. */
  function oneAtATime(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return runAlone(() => {
      const late = (): Error => new StoreError(`no answer within ${changeTimeoutMs} ms`)
      const { signal, end } = startDeadline(changeTimeoutMs, late)
      return untilAborted(work(signal), signal).finally(end)
    })
  }

  const by = ({ auth, client }: Caller): ChangeContext => ({ ...client, by: auth.subject })

  async function assertAcceptable(password: string, name: string): Promise<void> {
    if ((await acceptPassword(password, name)) === true) return
    const rule =
      acceptPassword === isLongEnough
        ? `it must have at least ${minPasswordCharacters} characters`
        : 'it is too short or too common'
    throw new UserChangeError('invalid-password', `The password is not allowed: ${rule}.`)
  }

  /** Where nobody is found, a user may be there all the same: only an administrator may go on with the name. */
  async function findTarget(caller: Caller, name: string): Promise<UserAccount | undefined> {
    const target = accountFrom((await store.find(name)) ?? (await store.findDisabled?.(name)))
    if (target === undefined || target.isAdmin) await privileges.assertAdmin(caller)
    return target
  }

  async function assertOldPassword({ auth, client }: Caller, oldPassword: string): Promise<void> {
    if (oldPassword === '') throw invalidRequest("Missing the field 'oldPassword' in the payload.")
    try {
      await authenticator.authenticate(auth.subject, oldPassword, { ...client, kind: auth.kind })
    } catch (error) {
      // The password was right; the caller has shown the second factor at the login, where one is demanded.
      if (error instanceof SecondFactorRequiredError) return
      // A 401 would make clients log in again and repeat the call.
      if (!(error instanceof UnauthorizedError)) throw error
      throw new BadRequestError('ERR_PASSWORD_WRONG', 'The current password is wrong.')
    }
  }

  return {
    async add(caller, user) {
      if (user.isAdmin) await privileges.assertAdmin(caller)
      await assertAcceptable(user.password, user.name)
      await store.add(user, undefined, by(caller))
    },

    remove: (caller, name) =>
      oneAtATime(async (signal) => {
        const target = await findTarget(caller, name)
        const subject = target?.subject ?? name
        if (subject === caller.auth.subject) throw protectedUser('You cannot remove your own account.')
        if (target?.isAdmin) await privileges.assertAnotherAdmin(target)
        await store.remove(subject, signal, by(caller))
      }),

    async setPassword(caller, name, { password, oldPassword }) {
      const subject = accountFrom(await store.find(name))?.subject
      const isOwn = subject === caller.auth.subject
      // Before anything is said of the user: only administrators learn who is there.
      if (!isOwn) await privileges.assertAdmin(caller)
      await assertAcceptable(password, subject ?? name)
      if (isOwn) await assertOldPassword(caller, oldPassword)
      await store.setPassword(subject ?? name, password, undefined, by(caller))
    },

    setDisabled: (caller, name, isDisabled) =>
      oneAtATime(async (signal) => {
        await privileges.assertAdmin(caller)
        const target = await findTarget(caller, name)
        if (target === undefined) throw memberNotFound('User', name)
        const { subject } = target
        if (isDisabled && subject === caller.auth.subject) throw protectedUser('You cannot disable your own account.')
        if (isDisabled && target.isAdmin) await privileges.assertAnotherAdmin(target)
        await setDisabled(store, subject, isDisabled, signal, by(caller))
      }),

    changeRoles: (caller, name, { added, removed }) =>
      oneAtATime(async (signal) => {
        const target = await findTarget(caller, name)
        if (target === undefined) throw memberNotFound('User', name)
        if (added.some((role) => removed.includes(role))) throw invalidRequest('A role cannot be added and removed.')
        if ([...added, ...removed].some(privileges.isAdminRole)) await privileges.assertAdmin(caller)
        // Nobody may give away more than they have.
        const givesOwnOnly = added.every((role) => caller.auth.roles.includes(role))
        if (!givesOwnOnly && !(await privileges.isAdmin(caller))) throw adminRequired()
        if (target.isAdmin && removed.some(privileges.isAdminRole)) await privileges.assertAnotherAdmin(target)
        if (added.length + removed.length === 0) return
        await store.changeRoles(target.subject, { added, removed }, signal, by(caller))
      }),

    async addRole(caller, role) {
      // A shared role of the same name makes administrators where the store itself has none.
      if (privileges.isAdminRole(role.slice(role.lastIndexOf('/') + 1))) await privileges.assertAdmin(caller)
      await store.addRole(role, undefined, by(caller))
    },

    async removeRole(caller, role) {
      if (privileges.isAdminRole(role)) throw protectedUser('The role of administrators cannot be removed.')
      await store.removeRole(role, undefined, by(caller))
    },
  }
}

export interface Privileges {
  /** By the token and by the store right now: it may have changed while the body was on the way. */
  isAdmin(caller: Caller): Promise<boolean>
  assertAdmin(caller: Caller): Promise<void>
  /** Refuses to leave nobody who is an administrator, once this one is none any more. */
  assertAnotherAdmin(account: UserAccount): Promise<void>
  /** Whether this role makes administrators, in any spelling that a store may take for the same. */
  isAdminRole(role: string): boolean
}

export function createPrivileges(store: ManagedUserStore): Privileges {
  async function isAdmin({ auth }: Caller): Promise<boolean> {
    const account = accountFrom(await store.find(auth.subject))
    if (account === undefined)
      throw new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', challenge)
    return auth.isAdmin && account.isAdmin
  }

  return {
    isAdmin,
    isAdminRole: (role) => isAdminRole(store, role),

    async assertAdmin(caller) {
      if (!(await isAdmin(caller))) throw adminRequired()
    },

    async assertAnotherAdmin({ subject }) {
      for (const member of (await store.listMembers(store.adminRole)) ?? []) {
        const other = accountFrom(await store.find(member))
        if (other !== undefined && other.subject !== subject && other.isAdmin) return
      }
      throw protectedUser('The last administrator must stay one.')
    },
  }
}

const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport", error="invalid_token"' } }
