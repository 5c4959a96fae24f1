/**
 * The live tokens in Redis, in steps that are short: Redis does one thing at a time, and all processes wait for it.
 *
 * @module
 */

import { digest } from '../../core/digest.js'
import type { Script } from '../../redis/script.js'
import { listedPools, type Pool, poolFor } from '../external/pools.js'
import { momentOfUse, recordFrom } from '../external/stored-record.js'
import type { TokenQuery, TokenRecord } from '../token-store.js'
import { membersScript, recordsScript } from './token-scripts.js'

/** What a list is made with. */
export interface ListParts {
  readonly run: (script: Script, args: readonly (string | number)[]) => Promise<unknown>
  readonly now: number
  /** Milliseconds by which Redis may know a last use too late. */
  readonly slackMs: number
}

interface Listed {
  readonly use: number
  readonly record: TokenRecord
}

/** Records that are read in one step: a few milliseconds. */
const sliceSize = 1000

/** The live tokens of a query, the most recently used first. */
export async function listTokens(parts: ListParts, query: TokenQuery): Promise<readonly TokenRecord[]> {
  const { kind, limit = 100 } = query
  const pools = kind === undefined ? listedPools : [poolFor(kind)]
  const found: Listed[] = []
  for (const pool of pools) found.push(...(await listPool(parts, pool, query, limit)))
  found.sort((left, right) => right.use - left.use)
  return found.slice(0, limit).map(({ record }) => record)
}

async function listPool(parts: ListParts, pool: Pool, query: TokenQuery, limit: number): Promise<readonly Listed[]> {
  const user = query.subject === undefined ? '' : digest(query.subject)
  // All at once where all are asked for: a token that is used meanwhile would come before those that are read already.
  const step = Math.max(limit, sliceSize)
  const found = new Map<string, Listed>()
  for (let start = 0; found.size < limit; start += step) {
    const members = (await parts.run(membersScript, [pool, user, start, start + step - 1])) as string[]
    for (let at = 0; at < members.length && found.size < limit; at += sliceSize * 2) {
      const slice = await readLive(parts, members.slice(at, at + sliceSize * 2))
      for (const listed of slice) {
        const { id, kind } = listed.record
        if (found.size < limit && (query.kind === undefined || kind === query.kind)) found.set(id, listed)
      }
    }
    if (members.length < step * 2) break
  }
  return [...found.values()]
}

/** `members`: pairs of a member and its last use. */
async function readLive(parts: ListParts, members: readonly string[]): Promise<readonly Listed[]> {
  const ids = members.filter((_text, index) => index % 2 === 0).map((member) => member.slice(0, 43))
  const records = await readRecords(parts, ids)
  const slice = records.flatMap((json, index) => {
    if (json === null) return []
    const use = Number(members[index * 2 + 1])
    const { record } = recordFrom(json, momentOfUse(use))
    return endOf(record, parts.slackMs) > parts.now ? [{ use, record }] : []
  })
  const parents = [...new Set(slice.flatMap(({ record }) => record.parent ?? []))]
  const ends = (await readRecords(parts, parents)).map((json) =>
    json === null ? 0 : recordFrom(json, 0).record.expiresAt,
  )
  const live = new Set(parents.filter((_id, index) => ends[index]! > parts.now))
  return slice.filter(({ record: { parent } }) => parent === undefined || live.has(parent))
}

async function readRecords(parts: ListParts, ids: readonly string[]): Promise<readonly (string | null)[]> {
  return ids.length === 0 ? [] : ((await parts.run(recordsScript, ids)) as (string | null)[])
}

function endOf({ expiresAt, idleTimeoutMs, lastAccessAt }: TokenRecord, slackMs: number): number {
  return idleTimeoutMs === undefined ? expiresAt : Math.min(expiresAt, lastAccessAt + idleTimeoutMs + slackMs)
}
