/**
 * `sallyport sessions` and `locks`.
 *
 * @module
 */

import { Command } from 'commander'
import type { LockEntry } from '../admin-api/locks.js'
import type { SessionEntry } from '../admin-api/sessions.js'
import { CommandError, type CommandProcess, exitCodes, runCommand } from './command.js'
import { type Columns, commandLogger, formatTable, printable, printableJson, shortMoment, wantsJson } from './output.js'
import { addServerOptions, connectServer, type ServerOptions } from './server/connect.js'
import { type Operations, openStoreOperations, serverOperations } from './server/operations.js'

interface TargetOptions extends ServerOptions {
  readonly config?: string
}

interface ListOptions extends TargetOptions {
  readonly json?: boolean
}

type Work<Options> = (operations: Operations, options: Options, ...names: string[]) => Promise<string>

/** Adds a command on a running server, or with `--config` on the store that servers share. */
function addOperation<Options extends TargetOptions>(
  parent: Command,
  process: CommandProcess,
  { usage, description }: { readonly usage: string; readonly description: string },
  work: Work<Options>,
): Command {
  const command = addServerOptions(parent.command(usage))
    .description(description)
    .option('--config <file>', 'the configuration file: work on the store that its servers share')
    .allowExcessArguments(false)
  return command.action(() =>
    runCommand(process, async () => {
      const options = command.opts<Options>()
      const operations = await openOperations(options, process)
      try {
        return await work(operations, options, ...command.args)
      } finally {
        await operations.close()
      }
    }),
  )
}

async function openOperations(options: TargetOptions, process: CommandProcess): Promise<Operations> {
  const { config, server } = options
  if (config === undefined) return serverOperations(connectServer(options, process))
  if (server !== undefined) throw new CommandError('Write --server or --config, not both.', exitCodes.usage)
  return openStoreOperations(config, commandLogger(process))
}

const sessionColumns: Columns<SessionEntry> = {
  USER: ({ user }) => user,
  KIND: ({ kind }) => kind,
  CLIENT: ({ client }) => client,
  ADDRESS: ({ address }) => address,
  'LAST USE': ({ lastAccessAt }) => shortMoment(lastAccessAt),
  ENDS: ({ expiresAt }) => shortMoment(expiresAt),
  ID: ({ id }) => id,
}

interface SessionListOptions extends ListOptions {
  readonly user?: string
  readonly address?: string
  readonly kind?: string
  readonly client?: string
  readonly sort?: string
  readonly limit: string
  readonly offset: string
}

export function sessionsCommand(process: CommandProcess): Command {
  const sessions = new Command('sessions').description('Shows who is signed in, and ends that.')

  const list = { usage: 'list', description: 'Lists tokens, portal sessions and OAuth access tokens.' }
  addOperation<SessionListOptions>(sessions, process, list, async (operations, options) => {
    const { user, address, kind, client, sort } = options
    const [limit, offset] = [readCount('limit', options.limit), readCount('offset', options.offset)]
    const page = await operations.sessions({ user, address, kind, client, sort, limit, offset })
    if (wantsJson(process, options)) return printableJson(page)
    const table = formatTable(page.list, sessionColumns, 'Nobody is signed in, or nobody who was asked for.')
    return page.total > page.count
      ? `${table}\n${page.count} of ${page.total}: --limit and --offset show others.`
      : table
  })
    .option('--user <name>', 'of this user; * stands for any characters')
    .option('--address <address>', 'from this address')
    .option('--kind <kind>', 'management, portal, oauth, sso, api, issuer or icp')
    .option('--client <name>', 'of this portal, or OAuth audience')
    .option(
      '--sort <field>',
      'user, kind, client, address, issuedAt, lastAccessAt, expiresAt; -field: the greatest first',
    )
    .option('--limit <number>', 'at most so many, up to 1000', '100')
    .option('--offset <number>', 'leave out so many', '0')
    .option('--json', 'print JSON')

  const end = { usage: 'end [id]', description: 'Ends one session, or with --user all of a user.' }
  addOperation<TargetOptions & { readonly user?: string }>(sessions, process, end, async (operations, { user }, id) => {
    if ((id === undefined) === (user === undefined)) {
      throw new CommandError('Write the id of a session, or --user NAME.', exitCodes.usage)
    }
    if (user === undefined) {
      await operations.endSession(id!)
      return 'Ended.'
    }
    const count = await operations.endSessionsOf(user)
    return `Ended ${count} ${count === 1 ? 'session' : 'sessions'} of ${printable(user)}.`
  }).option('--user <name>', 'all of this user')

  return sessions
}

function readCount(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new CommandError(`--${name} must be a number.`, exitCodes.usage)
}

const lockedLogins: Readonly<Record<LockEntry['scope'], string>> = {
  pair: 'the user from there',
  user: 'the user',
  source: 'all from there',
  'second-factor': 'the second factor',
}

const lockColumns: Columns<LockEntry> = {
  LOCKED: ({ scope }) => lockedLogins[scope] ?? scope,
  USER: ({ scope, user }) => (scope === 'source' ? null : user),
  ADDRESS: ({ scope, address }) => (scope === 'user' ? null : address),
  SINCE: ({ since }) => shortMoment(since),
  UNTIL: ({ until }) => shortMoment(until),
}

export function locksCommand(process: CommandProcess): Command {
  const locks = new Command('locks').description('Shows who cannot log in because of failed logins, and lifts that.')

  const list = { usage: 'list', description: 'Lists the locks that hold.' }
  addOperation<ListOptions>(locks, process, list, async (operations, options) => {
    const all = await operations.locks()
    return wantsJson(process, options) ? printableJson(all) : formatTable(all, lockColumns, 'Nobody is locked.')
  }).option('--json', 'print JSON')

  const lift = {
    usage: 'lift [user]',
    description: 'Lifts all locks of a user, or with --address those of an address.',
  }
  addOperation<TargetOptions & { readonly address?: string }>(
    locks,
    process,
    lift,
    async (operations, { address }, user) => {
      if ((user === undefined) === (address === undefined)) {
        throw new CommandError('Write the name of a user, or --address ADDRESS.', exitCodes.usage)
      }
      const wasLocked = await operations.liftLocks(address === undefined ? { user: user! } : { address })
      const name = printable(address ?? user!)
      return wasLocked ? `Lifted the locks of ${name}.` : `There was no lock of ${name}.`
    },
  ).option('--address <address>', 'what locks all users of this address')

  return locks
}
