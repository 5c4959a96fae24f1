/**
 * What operators do to sessions and locks: by the management API of a running server, or in the store that servers share.
 *
 * @module
 */

import { findLocks, type LockEntry } from '../../admin-api/locks.js'
import { findSessions, type SessionEntry, type SessionPage, type SessionQuery } from '../../admin-api/sessions.js'
import { loadConfig } from '../../config/load.js'
import type { Logger } from '../../core/logger.js'
import { CommandError, exitCodes } from '../command.js'
import { operatorFields } from '../store-command.js'
import { type Answer, type ServerClient, segment } from './client.js'

/** Whose locks are lifted. */
export type LockTarget = { readonly user: string } | { readonly address: string }

export interface Operations {
  sessions(query: SessionQuery): Promise<SessionPage>
  endSession(id: string): Promise<void>
  /** How many there were. */
  endSessionsOf(user: string): Promise<number>
  locks(): Promise<readonly LockEntry[]>
  /** Whether there may have been one. */
  liftLocks(target: LockTarget): Promise<boolean>
  close(): Promise<void>
}

export function serverOperations(client: ServerClient): Operations {
  return {
    async sessions(query) {
      const page = await client.call('GET', '/sessions', { query: { ...query } })
      const [count, total] = [Number(page['count']), Number(page['total'])]
      return { count, total, isComplete: page['isComplete'] === true, list: readList<SessionEntry>(client, page) }
    },
    endSession: async (id) => {
      await client.call('DELETE', `/sessions/${segment(id)}`)
    },
    async endSessionsOf(user) {
      return Number((await client.call('DELETE', '/sessions', { query: { user } }))['count'])
    },
    async locks() {
      return readList<LockEntry>(client, await client.call('GET', '/locks', { query: { limit: 1000 } }))
    },
    liftLocks: async (target) => {
      return (await client.call('DELETE', '/locks', { query: { ...target } }))['status'] !== 'NotLocked'
    },
    async close() {},
  }
}

/** A list of objects whose members are texts, or shown as such. */
function readList<Entry>({ url }: ServerClient, { list }: Answer): readonly Entry[] {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
  if (Array.isArray(list) && list.every(isObject)) return list.map(withTexts) as Entry[]
  throw new CommandError(`${url} answered without a list.`, exitCodes.unreachable)
}

function withTexts(entry: object): object {
  const members = Object.entries(entry)
  return Object.fromEntries(members.map(([name, value]) => [name, value === null ? null : String(value)]))
}

/** Opens the store that the servers of a file share. @throws {@link CommandError} where each keeps its own. */
export async function openStoreOperations(path: string, logger: Logger): Promise<Operations> {
  const config = await loadConfig(path)
  if (config.sharedStore === undefined) {
    throw new CommandError(
      `${path}: without [shared_store] the server itself holds its sessions and locks: ask it, with --server URL.`,
      exitCodes.usage,
    )
  }
  const { createSecurity } = await import('../../app/create-security.js')
  const security = await createSecurity(config, { logger })
  const { tokens } = security
  const { by } = operatorFields()

  return {
    sessions: (query) => findSessions(tokens, query),
    async endSession(id) {
      const isEnded = await tokens.revoke(id, { by, reason: 'session ended' })
      if (!isEnded) throw new CommandError('There is no session with this id.')
    },
    endSessionsOf: (user) => tokens.revokeUser(user, { by, reason: 'sessions ended' }),
    locks: () => findLocks(() => security.locks()),
    async liftLocks(target) {
      const context = { by, reason: 'locks lifted' }
      await ('user' in target ? security.unlock(target.user, context) : security.unlockAddress(target.address, context))
      return true
    },
    close: () => security.close(),
  }
}
