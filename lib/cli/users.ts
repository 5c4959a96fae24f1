/**
 * `sallyport users` and `sallyport roles`: those of the directory or database that a configuration file names.
 *
 * @module
 */

import { Command } from 'commander'
import { createPrivileges } from '../admin-api/user-administration.js'
import { type ManagedUserStore, setDisabled } from '../users/managed-user-store.js'
import { type CommandProcess, readPassword } from './command.js'
import {
  addConfigCommand,
  addStoreCommand,
  createCommandEvents,
  type InitShared,
  initSharedStore,
  initUsers,
  type OpenManagedStore,
  openManagedStore,
  operatorFields,
  printable,
  type StoreWork,
} from './store-command.js'
import { addTotpCommand } from './totp.js'

/**
 * A running server ends the tokens of a changed user when it reads the account again, at the latest after `[user_store]
 * recheck_interval`. Each change is a line of JSON on standard error as well.
 */
export function usersCommand(
  process: CommandProcess,
  open: OpenManagedStore = openManagedStore,
  initShared: InitShared = initSharedStore,
): Command {
  const events = createCommandEvents(process)
  const users = new Command('users').description('Manages the users of a directory or database.')

  function add(usage: string, description: string, work: StoreWork): Command {
    return addStoreCommand(users, { process, open }, { usage, description, work })
  }

  const init = { usage: 'init', description: 'Makes the tables of a new database. Add an administrator then.' }
  addConfigCommand(users, process, init, async (path, logger) => {
    const shared = await initShared(path, logger)
    if (shared !== 'all') await initUsers(await open(path, logger), shared === 'made' ? logger : undefined)
    return 'The tables are there.'
  })

  addTotpCommand(users, process)

  add('list', 'Lists the users.', async ({ store }) => (await store.list({})).map(printable).join('\n'))

  add('add <name>', 'Adds a user, with the password from standard input.', async ({ store, isAdmin }, name: string) => {
    await store.add({ name, password: await readPassword(process), isAdmin })
    events.report('userAdded', { ...operatorFields(), subject: name, isAdmin })
    return `Added ${printable(name)}.`
  }).option('--admin', 'make the user an administrator')

  add('passwd <name>', 'Sets a password, read from standard input.', async ({ store }, name: string) => {
    await store.setPassword(name, await readPassword(process))
    events.report('passwordChanged', { ...operatorFields(), subject: name })
    return `Changed the password of ${printable(name)}.`
  })

  add('remove <name>', 'Removes a user.', async ({ store }, name: string) => {
    await assertAnotherAdmin(store, name)
    await store.remove(name)
    events.report('userRemoved', { ...operatorFields(), subject: name })
    return `Removed ${printable(name)}.`
  })

  add('disable <name>', 'Keeps a user from logging in, with all its roles kept.', async ({ store }, name: string) => {
    await assertAnotherAdmin(store, name)
    await setDisabled(store, name, true)
    events.report('userDisabled', { ...operatorFields(), subject: name })
    return `Disabled ${printable(name)}.`
  })

  add('enable <name>', 'Lets a user who is disabled log in again.', async ({ store }, name: string) => {
    await setDisabled(store, name, false)
    events.report('userEnabled', { ...operatorFields(), subject: name })
    return `Enabled ${printable(name)}.`
  })

  add('grant <name> <role>', 'Gives a role to a user.', async ({ store }, name: string, role: string) => {
    const change = { added: [role], removed: [] }
    await store.changeRoles(name, change)
    events.report('rolesChanged', { ...operatorFields(), subject: name, ...change })
    return `Gave ${printable(role)} to ${printable(name)}.`
  })

  add('revoke <name> <role>', 'Takes a role from a user.', async ({ store }, name: string, role: string) => {
    if (createPrivileges(store).isAdminRole(role)) await assertAnotherAdmin(store, name)
    const change = { added: [], removed: [role] }
    await store.changeRoles(name, change)
    events.report('rolesChanged', { ...operatorFields(), subject: name, ...change })
    return `Took ${printable(role)} from ${printable(name)}.`
  })

  return users
}

async function assertAnotherAdmin(store: ManagedUserStore, name: string): Promise<void> {
  const account = await store.find(name)
  if (account?.isAdmin) await createPrivileges(store).assertAnotherAdmin(account)
}

export function rolesCommand(process: CommandProcess, open: OpenManagedStore = openManagedStore): Command {
  const events = createCommandEvents(process)
  const roles = new Command('roles').description('Manages the roles of a directory or database.')

  function add(usage: string, description: string, work: StoreWork): Command {
    return addStoreCommand(roles, { process, open }, { usage, description, work })
  }

  add('list', 'Lists the roles.', async ({ store }) => (await store.listRoles()).map(printable).join('\n'))

  add('add <role>', 'Adds a role without members.', async ({ store }, role: string) => {
    await store.addRole(role)
    events.report('roleAdded', { ...operatorFields(), role })
    return `Added ${printable(role)}.`
  })

  add('remove <role>', 'Removes a role from all who have it.', async ({ store }, role: string) => {
    await store.removeRole(role)
    events.report('roleRemoved', { ...operatorFields(), role })
    return `Removed ${printable(role)}.`
  })

  return roles
}
