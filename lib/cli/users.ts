/**
 * `sallyport users`: the users of the directory or database that a configuration file names.
 *
 * @module
 */

import { Command } from 'commander'
import { ConfigError, HttpError, StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { createPrivileges } from '../resources/privileges.js'
import { UserStoreRefusal } from '../users/managed-user-store.js'
import { byOperator, commandEvents } from './command-events.js'
import { type ManagedStore, type OpenManagedStore, openManagedStore } from './open-managed-store.js'
import { CommandError, type CommandProcess, readPassword } from './read-password.js'

/** What a subcommand does with an open store. The text that it returns is printed. */
type Work = (opened: ManagedStore, options: { readonly admin?: boolean }) => Promise<string>

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

  function subcommand(usage: string, description: string, workOf: (...names: string[]) => Work): Command {
    const command = new Command(usage.split(' ', 1)[0])
      .description(description)
      .option('--config <file>', 'the configuration file', 'deployment.toml')
      .allowExcessArguments(false)
    for (const argument of usage.split(' ').slice(1)) command.argument(argument)
    command.action(async () => {
      const options = command.opts<{ config: string; admin?: boolean }>()
      await run(
        process,
        () => open(options.config, loggerOf(process)),
        (opened) => workOf(...command.args)(opened, options),
      )
    })
    users.addCommand(command)
    return command
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

async function run(
  process: CommandProcess,
  open: () => Promise<ManagedStore>,
  work: (opened: ManagedStore) => Promise<string>,
): Promise<void> {
  try {
    const opened = await open()
    try {
      const text = await work(opened)
      if (text !== '') process.stdout.write(`${text}\n`)
    } finally {
      await opened.store.close()
    }
  } catch (error) {
    if (!isExpected(error)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}

function isExpected(error: unknown): error is Error {
  const expected = [CommandError, ConfigError, HttpError, StoreError, UserStoreRefusal]
  return expected.some((kind) => error instanceof kind)
}

/** Warnings are for the operator; what only informs is left out. */
function loggerOf({ stderr }: CommandProcess): Logger {
  const write = (_fields: object, message: string): void => {
    stderr.write(`${message}\n`)
  }
  return { info() {}, warn: write, error: write }
}

/** A name from a database could hold what a terminal takes for commands. */
function printable(name: string): string {
  return name.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}
