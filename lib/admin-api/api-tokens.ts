/**
 * `/api-tokens`: the tokens that the configuration gives to programs. Neither they nor their hashes are part of it.
 *
 * @module
 */

import type { ApiTokenConfig } from '../config/config.js'
import type { Origin } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { maxMachineTokens } from '../tokens/external/pools.js'
import { apiTokenSubject } from '../tokens/machines/api-tokens.js'
import { tokenId } from '../tokens/token-id.js'
import type { Tokens } from '../tokens/tokens.js'
import { pageOf, readPage } from './page.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'
import { ruleFrom } from './rule.js'
import type { ApiTokenEntry } from './schemas/configuration.js'

/** A token of the configuration in effect, and where it is written. */
export interface PlacedApiToken {
  readonly token: ApiTokenConfig
  readonly origin: Origin
}

/** Answers `GET /api-tokens?offset=&limit=`, of administrators only, with `{"count","total","list":[`{@link ApiTokenEntry}`]}`. */
export function apiTokensGate(listConfigured: () => readonly PlacedApiToken[], tokens: Pick<Tokens, 'list'>): Gate {
  async function list({ query }: Call): Promise<object> {
    const page = readPage(query)
    const configured = listConfigured()
    const live = configured.length === 0 ? [] : await tokens.list({ kind: 'api', limit: maxMachineTokens })
    const lastUses = new Map(live.map(({ id, lastAccessAt }) => [id, lastAccessAt]))
    return pageOf(configured, page, (placed) => entryFrom(placed, lastUses))
  }

  return administratorsOnly(
    (path) => readMember('api-tokens', path) !== undefined,
    resourceGate('api-tokens', { GET: list }),
  )
}

function entryFrom({ token, origin }: PlacedApiToken, lastUses: ReadonlyMap<string, number>): ApiTokenEntry {
  const { name, hash, isAdmin, roles, allowedNetworks, paths, expiresAt } = token
  const id = tokenId('api', hash)
  const lastUse = lastUses.get(id)
  return {
    id: lastUse === undefined ? null : id,
    name,
    subject: apiTokenSubject(name),
    isAdmin,
    roles,
    addresses: allowedNetworks ?? null,
    paths: paths ?? null,
    expiresAt: new Date(expiresAt).toISOString(),
    lastUsedAt: lastUse ? new Date(lastUse).toISOString() : null,
    rule: ruleFrom(origin),
  }
}
