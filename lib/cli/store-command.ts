/**
 * A command on the directory or database that a configuration file names.
 *
 * @module
 */

import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { forgetSecondFactor } from '../app/second-factor.js'
import { located, locateProblems } from '../config/checks/origins.js'
import { loadConfig } from '../config/load.js'
import { ConfigError } from '../core/errors.js'
import { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { isManagedUserStore, type ManagedUserStore } from '../users/managed-user-store.js'
import { openUserStore } from '../users/open-user-store.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'
import { commandLogger } from './output.js'

/** Adds a command that needs a configuration file. The text that `work` resolves with is printed. */
export function addConfigCommand(
  parent: Command,
  process: CommandProcess,
  { usage, description }: { readonly usage: string; readonly description: string },
  work: (path: string, logger: Logger, command: Command) => Promise<string>,
): Command {
  const command = parent
    .command(usage)
    .description(description)
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .allowExcessArguments(false)
  return command.action(() =>
    runCommand(process, () => work(command.opts<{ config: string }>().config, createLogger(process), command)),
  )
}

function createLogger({ stderr }: CommandProcess): Logger {
  const write = (_fields: object, message: string): void => {
    stderr.write(`${message}\n`)
  }
  return { info() {}, warn: write, error: write }
}

/** The audit trail of a command: one line to standard error for each change, of JSON unless that is a terminal. */
export function createCommandEvents(process: CommandProcess): SecurityEvents {
  return new SecurityEvents(commandLogger(process, 'info'))
}

/** When and by whom a change is made: by the user of the operating system. */
export function operatorFields(): { at: number; by: string; reason: undefined; address: undefined } {
  const fields = { at: Date.now(), reason: undefined, address: undefined }
  try {
    return { ...fields, by: userInfo().username }
  } catch {
    // A user of a container may have no name.
    return { ...fields, by: `uid ${process.getuid?.()}` }
  }
}

export interface ManagedStore {
  readonly store: ManagedUserStore
  /** Makes what the store needs before its first user; absent where there is nothing to make. */
  readonly init?: (() => Promise<void>) | undefined
  /** Forgets the second factor of a user who was removed. @defaultValue there is none */
  readonly forgetSecondFactor?: ((subject: string) => Promise<void>) | undefined
}

export type OpenManagedStore = (path: string, logger: Logger) => Promise<ManagedStore>

/**
 * Changes nothing. @throws {@link CommandError} when the users are in the file itself, or in a store that cannot be managed.
 */
export const openManagedStore: OpenManagedStore = async (path, logger) => {
  const config = await loadConfig(path)
  // Before anything is opened: opening the users of a file may make a first administrator.
  if (config.fileUsers.isEnabled) {
    throw new CommandError(
      `${path}: the users are those of [[internal_apis.users]] in the file itself: change them there, with hashes from ` +
        '"npx sallyport hash-password". To use a directory or database, write [internal_apis.file_user_store] enable = false ' +
        'and a [user_store].',
    )
  }
  const opening = openUserStore(config, { logger, home: undefined, env: process.env })
  const { users, init } = await opening.catch(async (error: unknown) => {
    throw error instanceof ConfigError ? await locateProblems(error, config) : error
  })
  if (isManagedUserStore(users)) {
    return { store: users, init, forgetSecondFactor: (subject) => forgetSecondFactor(config, subject) }
  }
  await users.close()
  const { userStore } = config
  const why = userStore?.type === 'unavailable' ? `: ${userStore.reason}` : ''
  throw new CommandError(`${path}: the users of this user store cannot be managed${why}.`)
}

/** Makes the tables of the shared store, where it is a database. `all`: and the users are in no database. */
export type InitShared = (path: string, logger: Logger) => Promise<'none' | 'made' | 'all'>

export const initSharedStore: InitShared = async (path, logger) => {
  const config = await loadConfig(path)
  if (config.sharedStore?.type !== 'sql') return 'none'
  const { initSqlStore } = await import('../app/sql-shared-store.js')
  await located(config, initSqlStore(config.sharedStore, logger))
  return config.fileUsers.isEnabled ? 'all' : 'made'
}

/** Makes what the users need, and closes their store. `shared`: told why they need nothing, where the shared store did. */
export async function initUsers({ store, init }: ManagedStore, shared: Logger | undefined): Promise<void> {
  try {
    if (init === undefined && shared === undefined) throw new CommandError('This user store needs nothing to be made.')
    await init?.()
  } catch (error) {
    // Users of WSO2 may be in the same database.
    if (shared === undefined || !(error instanceof ConfigError)) throw error
    shared.warn({}, error.message)
  } finally {
    await store.close()
  }
}
