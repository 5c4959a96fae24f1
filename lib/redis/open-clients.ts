/**
 * Opens the connections of a session.
 *
 * @module
 */

import { within } from '../async/deadline.js'
import { destroy, messageFrom, noAnswer, type OpenClient, type RedisClient } from './redis-connection.js'

/** One that is told of changes, one for all else, and one that waits for replicas. */
export type Clients = readonly [tracking: RedisClient, commands: RedisClient, ...confirming: RedisClient[]]

/** Replies to a client that must not be told of changes. */
const noTracking = /^NOPERM|unknown (?:sub)?command/i

/** All of them, or a rejection and none. */
export async function openClients(open: OpenClient, timeoutMs: number, isConfirming: boolean): Promise<Clients> {
  const opening = [openTracking(open, timeoutMs), open({}), ...(isConfirming ? [open({})] : [])]
  const outcomes = await Promise.allSettled(opening)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  if (failed === undefined) return opened as unknown as Clients
  for (const client of opened) destroy(client)
  throw failed.reason
}

/** Without tracking where the server does not allow that, and all else. */
async function openTracking(open: OpenClient, timeoutMs: number): Promise<RedisClient> {
  try {
    return await open({ emitInvalidate: true })
  } catch (error) {
    if (!noTracking.test(messageFrom(error))) throw error
    const client = await open({})
    const ask = (...command: string[]): Promise<unknown> => within(client.sendCommand(command), timeoutMs, noAnswer)
    try {
      await ask('INFO')
      // That it is refused once more tells a rule from a change of the rights.
      const isAllowed = await ask('CLIENT', 'TRACKING', 'ON').catch((refusal: unknown) => {
        if (!noTracking.test(messageFrom(refusal))) throw refusal
        return undefined
      })
      if (isAllowed !== undefined) throw error
      return client
    } catch (failure) {
      destroy(client)
      throw failure
    }
  }
}
