/**
 * `sallyport roles`: the roles of the directory or database that a configuration file names.
 *
 * @module
 */

import { Command } from 'commander'
import { byOperator, commandEvents } from './command-events.js'
import { type OpenManagedStore, openManagedStore } from './open-managed-store.js'
import type { CommandProcess } from './read-password.js'
import { printable, storeCommand } from './store-command.js'

/**
 * Makes the command. The exit code is 0 when it was done and 1 when it was not; then standard error says why.
 *
 * @param open - Opens the store; it is closed at the end.
 */
export function rolesCommand(process: CommandProcess, open: OpenManagedStore = openManagedStore): Command {
  const roles = new Command('roles').description('Manages the roles of a directory or database.')
  const events = commandEvents(process)
  const context = { process, open }

  storeCommand(
    roles,
    context,
    'list',
    'Lists the roles.',
    () =>
      async ({ store }) =>
        (await store.listRoles()).map(printable).join('\n'),
  )

  storeCommand(roles, context, 'add <role>', 'Adds a role without members.', (role) => async ({ store }) => {
    await store.addRole(role!)
    events.report('roleAdded', { ...byOperator(), role: role! })
    return `Added ${printable(role!)}.`
  })

  storeCommand(roles, context, 'remove <role>', 'Removes a role from all who have it.', (role) => async ({ store }) => {
    await store.removeRole(role!)
    events.report('roleRemoved', { ...byOperator(), role: role! })
    return `Removed ${printable(role!)}.`
  })

  return roles
}
