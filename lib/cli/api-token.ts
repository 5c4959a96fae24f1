/**
 * `sallyport api-token`: credentials for programs.
 *
 * @module
 */

import { Command } from 'commander'
import { systemClock } from '../core/clock.js'
import { createApiToken, hashApiToken } from '../tokens/machines/api-token-text.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'

interface CreateOptions {
  readonly days: string
  readonly roles?: string
  readonly admin?: boolean
}

const dayMs = 24 * 3_600_000
const defaultDays = '90'
const maxDays = 3660

/** Creates the command. @param clock - Milliseconds since the epoch. */
export function apiTokenCommand(process: CommandProcess, clock: () => number = systemClock): Command {
  const create = new Command('create')
    .description(
      'Makes an API token. What belongs into the file goes to standard output, the token to standard error, once.',
    )
    .argument('<name>', 'the name of the token: letters, digits, ".", "_" and "-"')
    .option('--days <number>', 'how long it is good', defaultDays)
    .option('--roles <names>', 'its roles, separated by commas')
    .option('--admin', 'make it an administrator')
    .allowExcessArguments(false)
    .action((name: string, options: CreateOptions) =>
      runCommand(process, async () => createToken(name, options, clock(), process)),
    )
  return new Command('api-token').description('Makes API tokens for programs.').addCommand(create)
}

function createToken(name: string, options: CreateOptions, now: number, { stderr }: CommandProcess): string {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new CommandError('The name must have 1 to 64 letters, digits, ".", "_" and "-".')
  }
  const days = Number(options.days)
  if (!Number.isInteger(days) || days < 1 || days > maxDays) {
    throw new CommandError(`--days must be a whole number from 1 to ${maxDays}.`)
  }
  const roles = (options.roles ?? '').split(',').flatMap((role) => (role.trim() === '' ? [] : [role.trim()]))
  const expires = new Date(now + days * dayMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const token = createApiToken()
  stderr.write(`${token}\n`)
  if ('isTTY' in stderr && stderr.isTTY === true) {
    stderr.write('This is the token, which is shown once. The lines below belong into the configuration file.\n')
  }
  return [
    // It is appended to a file whose last line may have no end.
    '',
    '[[management_api.api_tokens]]',
    `name = ${JSON.stringify(name)}`,
    `hash = "${hashApiToken(token)}"`,
    `expires = ${expires}`,
    ...(roles.length > 0 ? [`roles = ${JSON.stringify(roles)}`] : []),
    ...(options.admin ? ['admin = true'] : []),
  ].join('\n')
}
