/**
 * `sallyport audit show`: records as a table or as JSON.
 *
 * @module
 */

import type { Command } from 'commander'
import type { AuditRecord } from '../audit/audit-record.js'
import { searchTrail } from '../audit/search-trail.js'
import { parseDuration } from '../config/values/durations.js'
import { CommandError, type CommandProcess, exitCodes } from './command.js'
import { type Columns, formatTable, printableJson, shortMoment, wantsJson } from './output.js'

/** Options of the command. */
export interface ShowOptions {
  readonly config?: string
  readonly user?: string
  readonly address?: string
  readonly action?: string
  readonly outcome?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
  readonly json?: boolean
}

export function addShowOptions(command: Command): void {
  command
    .option('--config <file>', 'the configuration file, which names the file of the trail')
    .option('--user <name>', 'who did it, as whom it was done, or to whom')
    .option('--address <address>', 'from this address')
    .option('--action <name>', 'such as login, loginRefused, refusal, rolesChanged')
    .option('--outcome <outcome>', 'success, failure or denied')
    .option('--since <time>', 'not older than a duration such as 1h, or than a moment such as 2026-11-29T15:00:00Z')
    .option('--until <time>', 'older than that')
    .option('--limit <number>', 'at most so many, the newest', '100')
    .option('--json', 'print JSON')
}

const columns: Columns<AuditRecord> = {
  TIME: ({ time }) => shortMoment(time),
  ACTION: ({ action }) => action,
  OUTCOME: ({ outcome }) => outcome,
  ACTOR: ({ actor, impersonator }) => (impersonator === undefined ? actor : `${impersonator} as ${actor}`),
  ADDRESS: ({ address }) => address,
  TARGET: ({ target }) => (target === null ? null : `${target.type} ${shorten(target.id)}`),
  WHY: ({ reason, code, rule }) => reason ?? ([code, rule?.key].filter(Boolean).join(' ') || null),
}

const maxShown = 40

function shorten(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown - 3)}...` : text
}

/** @param now - Milliseconds since the epoch. */
export async function showRecords(
  process: CommandProcess,
  file: string,
  options: ShowOptions,
  now: number,
): Promise<string> {
  const { user, address, action, outcome } = options
  const limit = /^[1-9]\d{0,5}$/.test(options.limit) ? Number(options.limit) : undefined
  if (limit === undefined) throw new CommandError('--limit must be a number.', exitCodes.usage)
  const [since, until] = [readTime('since', options.since, now), readTime('until', options.until, now)]
  const page = await searchTrail(file, { user, address, action, outcome, since, until, offset: 0, limit })
  const records = [...page.list].reverse()
  if (wantsJson(process, options)) return printableJson(records)
  const table = formatTable(records, columns, 'There is no such record.')
  if (page.isComplete && page.total === page.count) return table
  return `${table}\n${page.count} of ${page.isComplete ? '' : 'at least '}${page.total}: --limit shows more.`
}

function readTime(name: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const age = parseDuration(text)
  const moment = age === undefined ? Date.parse(text) : now - age
  if (!Number.isNaN(moment)) return moment
  throw new CommandError(`--${name} must be a duration such as 1h, or a moment of ISO 8601.`, exitCodes.usage)
}
