/**
 * A command on the directory or database that a configuration file names.
 *
 * @module
 */

import { Command } from 'commander'
import { ConfigError, HttpError, StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { UserStoreRefusal } from '../users/managed-user-store.js'
import type { ManagedStore, OpenManagedStore } from './open-managed-store.js'
import { CommandError, type CommandProcess } from './read-password.js'

/** What a command does with an open store. The text that it returns is printed. */
export type Work = (opened: ManagedStore, options: { readonly admin?: boolean }) => Promise<string>

/** Makes the work of a command's arguments. */
export type WorkOf = (...names: string[]) => Work

/** Adds a command that opens the store, does its work and closes the store. */
export function storeCommand(
  parent: Command,
  { process, open }: { readonly process: CommandProcess; readonly open: OpenManagedStore },
  usage: string,
  description: string,
  workOf: WorkOf,
): Command {
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
  parent.addCommand(command)
  return command
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
export function printable(name: string): string {
  return name.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}
