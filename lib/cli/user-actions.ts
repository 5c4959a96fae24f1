/**
 * What the commands do to users and roles: in a directory or database, or by the management API of a running server.
 *
 * @module
 */

import { createPrivileges } from '../admin-api/user-administration.js'
import type { SecurityEvents } from '../core/events.js'
import { type NewUser, type RoleChange, setDisabled } from '../users/managed-user-store.js'
import { accountFrom } from '../users/user-store.js'
import { CommandError, exitCodes } from './command.js'
import { printable } from './output.js'
import { type ServerClient, segment } from './server/client.js'
import { type ManagedStore, operatorFields } from './store-command.js'

/** A user as a command shows it. */
export interface ShownUser {
  readonly user: string
  readonly isAdmin: boolean
  readonly isDisabled: boolean
  readonly roles: readonly string[]
}

export interface UserActions {
  list(): Promise<readonly string[]>
  show(name: string): Promise<ShownUser>
  add(user: NewUser): Promise<void>
  setPassword(name: string, password: string): Promise<void>
  remove(name: string): Promise<void>
  setDisabled(name: string, isDisabled: boolean): Promise<void>
  changeRoles(name: string, change: RoleChange): Promise<void>
  listRoles(): Promise<readonly string[]>
  addRole(role: string): Promise<void>
  removeRole(role: string): Promise<void>
}

/** Changes a store itself, each with an event, and leaves it an administrator. */
export function storeActions({ store, forgetSecondFactor }: ManagedStore, events: SecurityEvents): UserActions {
  async function assertAnotherAdmin(name: string): Promise<void> {
    const account = await store.find(name)
    if (account?.isAdmin) await createPrivileges(store).assertAnotherAdmin(account)
  }

  return {
    list: async () => store.list({}),
    async show(name) {
      const account = accountFrom(await store.find(name))
      const found = account ?? accountFrom(await store.findDisabled?.(name))
      if (found === undefined) throw new CommandError('There is no such user.')
      const { subject: user, isAdmin, roles } = found
      return { user, isAdmin, isDisabled: account === undefined, roles }
    },
    async add(user) {
      await store.add(user)
      events.report('userAdded', { ...operatorFields(), subject: user.name, isAdmin: user.isAdmin })
    },
    async setPassword(name, password) {
      await store.setPassword(name, password)
      events.report('passwordChanged', { ...operatorFields(), subject: name })
    },
    async remove(name) {
      await assertAnotherAdmin(name)
      // As the store writes the name: second factors are kept by it.
      const { subject = name } = accountFrom((await store.find(name)) ?? (await store.findDisabled?.(name))) ?? {}
      await store.remove(name)
      events.report('userRemoved', { ...operatorFields(), subject: name })
      await forgetSecondFactor?.(subject).catch((cause: unknown) => {
        const rule = `its second factor is still there: run "sallyport users totp --remove" for ${printable(subject)}`
        throw new CommandError(`Removed the user, but ${rule} (${(cause as Error).message}).`)
      })
    },
    async setDisabled(name, isDisabled) {
      if (isDisabled) await assertAnotherAdmin(name)
      await setDisabled(store, name, isDisabled)
      events.report(isDisabled ? 'userDisabled' : 'userEnabled', { ...operatorFields(), subject: name })
    },
    async changeRoles(name, change) {
      if (change.removed.some(createPrivileges(store).isAdminRole)) await assertAnotherAdmin(name)
      await store.changeRoles(name, change)
      events.report('rolesChanged', { ...operatorFields(), subject: name, ...change })
    },
    listRoles: async () => store.listRoles(),
    async addRole(role) {
      await store.addRole(role)
      events.report('roleAdded', { ...operatorFields(), role })
    },
    async removeRole(role) {
      await store.removeRole(role)
      events.report('roleRemoved', { ...operatorFields(), role })
    },
  }
}

/** Asks a server, which checks and reports each change itself. */
export function serverActions(client: ServerClient): UserActions {
  const at = (name: string): string => `/users/${segment(name)}`

  async function texts(path: string, member: string): Promise<readonly string[]> {
    const { list } = await client.call('GET', path)
    const found = Array.isArray(list)
      ? list.map((entry: Record<string, unknown> | null) => entry?.[member])
      : [undefined]
    if (found.every((text) => typeof text === 'string')) return found
    throw new CommandError(`${client.url} answered without a list.`, exitCodes.unreachable)
  }

  return {
    list: () => texts('/users', 'userId'),
    async show(name) {
      const { userId, isAdmin, isDisabled, roles } = await client.call('GET', at(name))
      const shown = { user: String(userId), isAdmin: isAdmin === true, isDisabled: isDisabled === true }
      return { ...shown, roles: Array.isArray(roles) ? roles.map(String) : [] }
    },
    add: async ({ name: userId, password, isAdmin }) => {
      await client.call('POST', '/users', { body: { userId, password, isAdmin } })
    },
    setPassword: async (name, newPassword) => {
      await client.call('PATCH', at(name), { body: { newPassword, confirmPassword: newPassword } })
    },
    remove: async (name) => {
      await client.call('DELETE', at(name))
    },
    setDisabled: async (name, disabled) => {
      await client.call('PATCH', at(name), { body: { disabled } })
    },
    changeRoles: async (userId, { added, removed }) => {
      await client.call('PUT', '/roles', { body: { userId, addedRoles: added, removedRoles: removed } })
    },
    listRoles: () => texts('/roles', 'role'),
    addRole: async (role) => {
      await client.call('POST', '/roles', { body: { role } })
    },
    removeRole: async (role) => {
      await client.call('DELETE', `/roles/${segment(role)}`)
    },
  }
}
