/**
 * `sallyport users` and `sallyport roles`: those of the directory or database that a configuration file names, or of a running server.
 *
 * @module
 */

import { Command } from 'commander'
import { CommandError, type CommandProcess, exitCodes, readPassword } from './command.js'
import { printable, printableJson, wantsJson } from './output.js'
import { addServerOptions, connectServer, namedServer, readEnv, type ServerOptions } from './server/connect.js'
import {
  addConfigCommand,
  createCommandEvents,
  type InitShared,
  initSharedStore,
  initUsers,
  type OpenManagedStore,
  openManagedStore,
} from './store-command.js'
import { addTotpCommand } from './totp.js'
import { type ShownUser, serverActions, storeActions, type UserActions } from './user-actions.js'

interface UserOptions extends ServerOptions {
  readonly admin?: boolean
  readonly json?: boolean
}

/** What a command does with its arguments. The text that it returns is printed. */
type UserWork = (actions: UserActions, options: UserOptions, ...names: string[]) => Promise<string>

/** Adds commands that work on the store of a file, or on a server that is named. */
function createAdder(
  parent: Command,
  process: CommandProcess,
  open: OpenManagedStore,
): (usage: string, description: string, work: UserWork) => Command {
  return (usage, description, work) => {
    const added = addConfigCommand(parent, process, { usage, description }, async (path, logger, command) => {
      const options = command.opts<UserOptions>()
      if (usesServer(command, options)) {
        return work(serverActions(connectServer(options, process)), options, ...command.args)
      }
      const opened = await open(path, logger)
      const { store } = opened
      try {
        return await work(storeActions(opened, createCommandEvents(process)), options, ...command.args)
      } finally {
        await store.close()
      }
    })
    return addServerOptions(added)
  }

  /** What is written goes before what the environment says, and the file is the default. */
  function usesServer(command: Command, options: UserOptions): boolean {
    if (command.getOptionValueSource('config') !== 'cli') return namedServer(options, readEnv(process)) !== undefined
    if (options.server === undefined) return false
    throw new CommandError('Write --server or --config, not both.', exitCodes.usage)
  }
}

/**
 * A running server ends the tokens of a user that was changed in the store when it reads the account again, at the latest after
 * `[user_store] recheck_interval`; one that makes the change itself ends them at once. Each change of a store is a line on
 * standard error as well.
 */
export function usersCommand(
  process: CommandProcess,
  open: OpenManagedStore = openManagedStore,
  initShared: InitShared = initSharedStore,
): Command {
  const users = new Command('users').description('Manages the users of a directory or database, or of a server.')
  const add = createAdder(users, process, open)

  const init = { usage: 'init', description: 'Makes the tables of a new database. Add an administrator then.' }
  addConfigCommand(users, process, init, async (path, logger) => {
    const shared = await initShared(path, logger)
    if (shared !== 'all') await initUsers(await open(path, logger), shared === 'made' ? logger : undefined)
    return 'The tables are there.'
  })

  addTotpCommand(users, process)

  add('list', 'Lists the users.', async (actions, options) => formatNames(await actions.list(), options)).option(
    '--json',
    'print JSON',
  )

  add('show <name>', 'Shows the roles of a user.', async (actions, options, name) => {
    const user = await actions.show(name!)
    return wantsJson(process, options) ? printableJson(user) : formatUser(user)
  }).option('--json', 'print JSON')

  add('add <name>', 'Adds a user, with the password from standard input.', async (actions, { admin = false }, name) => {
    await actions.add({ name: name!, password: await readPassword(process), isAdmin: admin })
    return `Added ${printable(name!)}.`
  }).option('--admin', 'make the user an administrator')

  add('passwd <name>', 'Sets a password, read from standard input.', async (actions, _options, name) => {
    await actions.setPassword(name!, await readPassword(process))
    return `Changed the password of ${printable(name!)}.`
  })

  add('remove <name>', 'Removes a user.', async (actions, _options, name) => {
    await actions.remove(name!)
    return `Removed ${printable(name!)}.`
  })

  add('disable <name>', 'Keeps a user from logging in, with all its roles kept.', async (actions, _options, name) => {
    await actions.setDisabled(name!, true)
    return `Disabled ${printable(name!)}.`
  })

  add('enable <name>', 'Lets a user who is disabled log in again.', async (actions, _options, name) => {
    await actions.setDisabled(name!, false)
    return `Enabled ${printable(name!)}.`
  })

  add('grant <name> <role>', 'Gives a role to a user.', async (actions, _options, name, role) => {
    await actions.changeRoles(name!, { added: [role!], removed: [] })
    return `Gave ${printable(role!)} to ${printable(name!)}.`
  })

  add('revoke <name> <role>', 'Takes a role from a user.', async (actions, _options, name, role) => {
    await actions.changeRoles(name!, { added: [], removed: [role!] })
    return `Took ${printable(role!)} from ${printable(name!)}.`
  })

  return users
}

export function rolesCommand(process: CommandProcess, open: OpenManagedStore = openManagedStore): Command {
  const roles = new Command('roles').description('Manages the roles of a directory or database, or of a server.')
  const add = createAdder(roles, process, open)

  add('list', 'Lists the roles.', async (actions, options) => formatNames(await actions.listRoles(), options)).option(
    '--json',
    'print JSON',
  )

  add('add <role>', 'Adds a role without members.', async (actions, _options, role) => {
    await actions.addRole(role!)
    return `Added ${printable(role!)}.`
  })

  add('remove <role>', 'Removes a role from all who have it.', async (actions, _options, role) => {
    await actions.removeRole(role!)
    return `Removed ${printable(role!)}.`
  })

  return roles
}

/** One name a line is what other programs read, on a terminal or not. */
function formatNames(names: readonly string[], { json = false }: UserOptions): string {
  return json ? printableJson(names) : names.map(printable).join('\n')
}

function formatUser({ user, isAdmin, isDisabled, roles }: ShownUser): string {
  return [
    `user           ${printable(user)}`,
    `administrator  ${isAdmin ? 'yes' : 'no'}`,
    `can log in     ${isDisabled ? 'no: disabled' : 'yes'}`,
    `roles          ${roles.map(printable).join(', ') || '-'}`,
  ].join('\n')
}
