/**
 * `[shared_store]`: where processes share tokens, sessions, sign-ons, OAuth grants and login counters.
 *
 * @module
 */

import { resolve } from 'node:path'
import { isKeyPrefix, keyPrefixRule } from '../../core/key-prefix.js'
import type { Finding } from '../checks/findings.js'
import type { RedisSharedStoreConfig, SharedStoreConfig, SqlSharedStoreConfig } from '../config.js'
import { durationRule, parseDuration } from '../values/durations.js'
import { formatKey, type KeyPath } from '../values/key-path.js'
import type { Deployment } from './deployment.js'
import { duration, type Field, field, filledText, integer, oneOf, refuseAt, table, textList } from './fields.js'
import { checkDatasource, datasourceId, findDatasources } from './user-store/datasource.js'

const urlRule = 'must be a URL that begins with redis:// or rediss://, such as "redis://127.0.0.1:6379"'

const url: Field<string> = field((value, refuse) => {
  const isUrl = typeof value === 'string' && /^rediss?:\/\/[^/?#]+(?:\/\d{0,4})?$/.test(value) && isDecodable(value)
  return isUrl ? value : refuse(urlRule)
}).meta({ unit: 'URL', type: 'string' })

/** A user and a password with a `%` that is no escape cannot be read. */
function isDecodable(url: string): boolean {
  try {
    const { username, password } = new URL(url)
    return decodeURIComponent(username + password) !== undefined
  } catch {
    return false
  }
}

const keyPrefix: Field<string> = field((value, refuse) => (isKeyPrefix(value) ? value : refuse(keyPrefixRule))).meta({
  unit: 'text',
  type: 'string',
})

const sentinelTable = table({
  master_name: filledText.describe('name under which the sentinels know the primary').meta({ absent: 'required' }),
  nodes: textList.describe('`"host:port"` of each sentinel').meta({ absent: 'required' }),
  user: filledText.optional().describe('ACL user at the sentinels').meta({ absent: 'none' }),
  password: filledText.optional().describe('password at the sentinels').meta({ absent: 'none' }),
}).describe('host and port of `url` are not used then: the sentinels name the primary')

/** `max_staleness`: what is written for it when it is absent, and its bounds in milliseconds. */
const stalenessFor = {
  redis: { ifAbsent: 1000, least: 100, rule: 'must be from "100ms" to "60s"' },
  sql: { ifAbsent: 0, least: 0, rule: 'must be from "0s" to "60s"' },
}
const maxStaleness = 60_000

const staleness: Field<number> = field((value, refuse) => {
  if (typeof value !== 'string') return refuse(durationRule)
  return /^0(?:ms|s)$/.test(value) ? 0 : (parseDuration(value) ?? refuse(durationRule))
}).meta({ unit: 'duration', type: 'string' })

/** What the table says; which database its name means is found later. */
export type SharedStoreTable =
  | RedisSharedStoreConfig
  | (Omit<SqlSharedStoreConfig, 'datasource' | 'datasourceKey'> & { readonly dataSource: string })

const redisKeys = ['url', 'ca_file', 'user', 'password', 'replicas_to_confirm', 'sentinel'] as const

/** Paths of files are as they are written. */
export const sharedStoreTable: Field<SharedStoreTable> = table({
  type: oneOf(['redis', 'sql'])
    .describe('`"redis"`, for Redis 6.2 or later and for Valkey; `"sql"`, for PostgreSQL, MariaDB or MySQL')
    .meta({ absent: 'required' }),
  data_source: filledText
    .optional()
    .describe('`id` of the `[[datasource]]`; its tables are made by `npx sallyport users init`')
    .meta({ absent: 'required with `"sql"`' }),
  url: url
    .optional()
    .describe('`redis://host:port/database`, or `rediss://` for TLS')
    .meta({ absent: 'required with `"redis"`' }),
  ca_file: filledText
    .optional()
    .describe('PEM file with the certificates that may sign that of the server, with `rediss://`')
    .meta({ absent: 'those of Node' }),
  user: filledText.optional().describe('ACL user').meta({ absent: 'none' }),
  password: filledText.optional().describe('its password, best as `$secret{}`').meta({ absent: 'none' }),
  key_prefix: keyPrefix
    .prefault('sallyport')
    .describe('first part of each key, or of the key of each row: one for each set of processes'),
  max_staleness: staleness
    .optional()
    .describe(
      'how long after a logout another process may take the token, whatever fails: 100ms to 60s; with `"sql"` 0s to 60s, and 0s asks the database at each request',
    )
    .meta({ absent: '`"1s"`; with `"sql"` `"0s"`' }),
  on_store_failure: oneOf(['deny', 'cached'])
    .prefault('deny')
    .describe(
      'what holds while the store cannot be reached: `"deny"` answers 503; `"cached"` lets tokens pass that the process has checked within `max_staleness_on_failure`',
    ),
  max_staleness_on_failure: duration()
    .optional()
    .describe('with `on_store_failure = "cached"`: how long a token that was checked before still passes')
    .meta({ absent: 'required with `"cached"`' }),
  replicas_to_confirm: integer(0, 100)
    .optional()
    .describe(
      'how many replicas must have a revocation, or the use of an OAuth code or refresh token, before it is answered; else 503',
    )
    .meta({ absent: '`0`' }),
  sentinel: sentinelTable.optional(),
}).transform((written, context): SharedStoreTable => {
  const { type, data_source: dataSource, max_staleness_on_failure: onFailure, on_store_failure: policy } = written
  const { ifAbsent, least, rule } = stalenessFor[type]
  const { max_staleness: staleness = ifAbsent, sentinel, url = '' } = written
  if (staleness < least || staleness > maxStaleness) refuseAt(context, ['max_staleness'], rule)
  if (policy === 'cached' && onFailure === undefined) {
    refuseAt(context, ['max_staleness_on_failure'], 'must be there with on_store_failure = "cached", for example "5m"')
  }
  if (policy === 'deny' && onFailure !== undefined) {
    refuseAt(context, ['max_staleness_on_failure'], 'has no effect without on_store_failure = "cached"')
  }
  const common = {
    keyPrefix: written.key_prefix,
    maxStalenessMs: staleness,
    maxStalenessOnFailureMs: onFailure ?? 0,
  }
  if (type === 'sql') {
    for (const key of redisKeys) {
      if (written[key] !== undefined) refuseAt(context, [key], 'has no effect with type = "sql": see data_source')
    }
    if (dataSource === undefined) refuseAt(context, ['data_source'], 'must be the id of a [[datasource]]')
    return { ...common, type, dataSource: dataSource ?? '' }
  }
  if (dataSource !== undefined) refuseAt(context, ['data_source'], 'has no effect with type = "redis": see url')
  if (written.url === undefined) refuseAt(context, ['url'], urlRule)
  if (written.ca_file !== undefined && !url.startsWith('rediss:')) {
    refuseAt(context, ['ca_file'], 'has no effect without TLS: write rediss:// in url')
  }
  for (const [index, node] of (sentinel?.nodes ?? []).entries()) {
    if (!/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(node)) {
      refuseAt(context, ['sentinel', 'nodes', index], 'must be "host:port"')
    }
  }
  if (sentinel?.nodes.length === 0) refuseAt(context, ['sentinel', 'nodes'], 'must name at least one sentinel')
  return {
    ...common,
    type,
    url,
    caFile: written.ca_file,
    username: written.user,
    password: written.password,
    replicasToConfirm: written.replicas_to_confirm ?? 0,
    sentinel: sentinel && {
      name: sentinel.master_name,
      nodes: sentinel.nodes,
      username: sentinel.user,
      password: sentinel.password,
    },
  }
})

/** The store with its database, which is another table. Relative paths start from `home`. */
export function createSharedStore(
  { shared_store: written, datasource }: Deployment,
  home: string,
  mistake: (finding: Finding) => void,
  asWritten: (path: KeyPath) => KeyPath,
): SharedStoreConfig | undefined {
  if (written?.type !== 'sql') return written && { ...written, caFile: written.caFile && resolve(home, written.caFile) }
  const { dataSource, ...rest } = written
  const path = ['shared_store', 'data_source']
  const id = datasourceId(dataSource)
  const found = checkDatasource(datasource, id, path, mistake)
  if (found?.url === undefined) return undefined
  if (/^\s*jdbc:sqlite:/i.test(found.url)) {
    const rule =
      'must not name SQLite, which is for one process: take PostgreSQL, MariaDB or MySQL, or for one process snapshot_file'
    mistake({ path, rule })
  }
  const datasourceKey = formatKey(asWritten(['datasource', findDatasources(datasource, id)[0]![0]]))
  const { url, username, password, maxConnections } = found
  return { ...rest, datasourceKey, datasource: { url, username, password, maxConnections, home } }
}
