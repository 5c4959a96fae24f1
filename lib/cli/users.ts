/**
 * `sallyport users`: the users of the directory or database that a configuration file names.
 *
 * @module
 */

import { Command } from 'commander'
import { createPrivileges } from '../resources/privileges.js'
import { setDisabled } from '../users/managed-user-store.js'
import { byOperator, commandEvents } from './command-events.js'
import { type OpenManagedStore, openManagedStore } from './open-managed-store.js'
import { CommandError, type CommandProcess, readPassword } from './read-password.js'
import { printable, storeCommand, type WorkOf } from './store-command.js'

/**
 * Makes the command. Passwords come from standard input, never from an argument.
 *
 * The exit code is 0 when it was done and 1 when it was not; then standard error says why. A running server ends the tokens
 * of a changed user when it reads the account again, at the latest after `[user_store] recheck_interval`. Each change is a line
 * of JSON on standard error as well.
 *
 * @param open - Opens the store; it is closed at the end.
 */
export function usersCommand(process: CommandProcess, open: OpenManagedStore = openManagedStore): Command {
  const events = commandEvents(process)
  const users = new Command('users').description('Manages the users of a directory or database.')

  function subcommand(usage: string, description: string, workOf: WorkOf): Command {
    return storeCommand(users, { process, open }, usage, description, workOf)
  }

  subcommand('init', 'Makes the tables of a new database. Add an administrator then.', () => async ({ init }) => {
    if (init === undefined) throw new CommandError('This user store needs nothing to be made.')
    await init()
    return 'The tables are there.'
  })

  subcommand(
    'list',
    'Lists the users.',
    () =>
      async ({ store }) =>
        (await store.list({})).map(printable).join('\n'),
  )

  subcommand(
    'add <name>',
    'Adds a user, with the password from standard input.',
    (name) =>
      async ({ store }, { admin }) => {
        const isAdmin = admin === true
        await store.add({ name: name!, password: await readPassword(process), isAdmin })
        events.report('userAdded', { ...byOperator(), subject: name!, isAdmin })
        return `Added ${printable(name!)}.`
      },
  ).option('--admin', 'make the user an administrator')

  subcommand('passwd <name>', 'Sets a password, read from standard input.', (name) => async ({ store }) => {
    await store.setPassword(name!, await readPassword(process))
    events.report('passwordChanged', { ...byOperator(), subject: name! })
    return `Changed the password of ${printable(name!)}.`
  })

  subcommand('remove <name>', 'Removes a user.', (name) => async ({ store }) => {
    const account = await store.find(name!)
    if (account?.isAdmin) await createPrivileges(store).demandAnotherAdmin(account)
    await store.remove(name!)
    events.report('userRemoved', { ...byOperator(), subject: name! })
    return `Removed ${printable(name!)}.`
  })

  subcommand(
    'disable <name>',
    'Keeps a user from logging in, with all its roles kept.',
    (name) =>
      async ({ store }) => {
        const account = await store.find(name!)
        if (account?.isAdmin) await createPrivileges(store).demandAnotherAdmin(account)
        await setDisabled(store, name!, true)
        events.report('userDisabled', { ...byOperator(), subject: name! })
        return `Disabled ${printable(name!)}.`
      },
  )

  subcommand('enable <name>', 'Lets a user who is disabled log in again.', (name) => async ({ store }) => {
    await setDisabled(store, name!, false)
    events.report('userEnabled', { ...byOperator(), subject: name! })
    return `Enabled ${printable(name!)}.`
  })

  subcommand('grant <name> <role>', 'Gives a role to a user.', (name, role) => async ({ store }) => {
    await store.changeRoles(name!, { added: [role!], removed: [] })
    events.report('rolesChanged', { ...byOperator(), subject: name!, added: [role!], removed: [] })
    return `Gave ${printable(role!)} to ${printable(name!)}.`
  })

  subcommand('revoke <name> <role>', 'Takes a role from a user.', (name, role) => async ({ store }) => {
    const privileges = createPrivileges(store)
    const account = privileges.isAdminRole(role!) ? await store.find(name!) : undefined
    if (account?.isAdmin) await privileges.demandAnotherAdmin(account)
    await store.changeRoles(name!, { added: [], removed: [role!] })
    events.report('rolesChanged', { ...byOperator(), subject: name!, added: [], removed: [role!] })
    return `Took ${printable(role!)} from ${printable(name!)}.`
  })

  return users
}
