/**
 * `[management_api.jwt_token_security_handler]`: tokens, and the store that keeps them.
 *
 * @module
 */

import type { TokenConfig, TokenStoreConfig } from '../config.js'
import { duration, type Field, field, filledText, flag, integer, oneOf, refuseAt, table } from './fields.js'

/** Bounds of `snapshot_interval`, in milliseconds. */
const minInterval = 100
const maxInterval = 60_000

const defaultInterval = 5000
const defaultMaxAge = 600_000

/** The path of the snapshot is as it is written: what it is relative to is not known here. */
const tokenStoreTable: Field<TokenStoreConfig> = table({
  max_size: integer(1, 10_000_000).prefault(200).describe('how many tokens may be live'),
  clean_up_interval: integer(1, 86_400, 'seconds')
    .prefault(600)
    .describe('how often expired tokens are removed; it frees memory only, expiry is checked at every request'),
  remove_oldest_token_on_overflow: flag
    .prefault(true)
    .describe(
      'a full store evicts expired tokens, then the longest unused one, of the user who logs in if that user holds more than half; `false`: the login is refused (503)',
    ),
  max_per_user: integer(1, 10_000_000).optional().describe('live tokens of one user').meta({ absent: 'no limit' }),
  snapshot_file: filledText
    .optional()
    .describe(
      'path, from the folder of the file: tokens, sessions, sign-ons and OAuth grants are kept there, encrypted, and outlive a restart of the one process; needs `token_config.key_file` or `keystore`',
    )
    .meta({ absent: 'they end with the process' }),
  snapshot_interval: duration()
    .optional()
    .describe('between two snapshots; 100ms to 60s. Logins and revocations are written at once')
    .meta({ absent: '`"5s"`' }),
  snapshot_max_age: duration()
    .optional()
    .describe('of a process that ended longer ago nothing is taken; at least twice `snapshot_interval`')
    .meta({ absent: '`"10m"`' }),
}).transform(
  (
    {
      max_size,
      max_per_user,
      clean_up_interval,
      remove_oldest_token_on_overflow,
      snapshot_file,
      snapshot_interval,
      snapshot_max_age,
    },
    context,
  ): TokenStoreConfig => {
    const intervalMs = snapshot_interval ?? defaultInterval
    const maxAgeMs = snapshot_max_age ?? defaultMaxAge
    for (const [key, value] of Object.entries({ snapshot_interval, snapshot_max_age })) {
      if (snapshot_file === undefined && value !== undefined) {
        refuseAt(context, [key], 'has no effect without snapshot_file')
      }
    }
    if (intervalMs < minInterval || intervalMs > maxInterval) {
      refuseAt(context, ['snapshot_interval'], 'must be from "100ms" to "60s"')
    }
    if (maxAgeMs < 2 * intervalMs) {
      refuseAt(context, ['snapshot_max_age'], 'must be at least twice snapshot_interval')
    }
    if (max_per_user !== undefined && max_per_user > max_size) {
      refuseAt(context, ['max_per_user'], `must be a whole number from 1 to ${max_size} (max_size)`)
    }
    return {
      maxSize: max_size,
      cleanUpIntervalMs: clean_up_interval * 1000,
      removeOldestOnOverflow: remove_oldest_token_on_overflow,
      maxPerUser: max_per_user,
      snapshot: snapshot_file === undefined ? undefined : { file: snapshot_file, intervalMs, maxAgeMs },
    }
  },
)

const rsaUnit = 'bits of the RSA key: shorter ones can be broken, longer ones make every login slow'

/** A TOML time without an offset is taken as UTC. */
export const moment: Field<Date> = field((value, refuse) => {
  const isMoment = value instanceof Date || (typeof value === 'string' && /T.*(?:Z|[+-]\d\d:\d\d)$/.test(value))
  const date = isMoment ? new Date(value) : undefined
  return date === undefined || Number.isNaN(date.getTime())
    ? refuse('must be a date and time, such as 2030-01-31T08:00:00Z')
    : date
}).meta({ unit: 'date and time', type: 'string' })

/** `keyFile` is the path as it is written: what it is relative to is not known here. */
const tokenTable: Field<TokenConfig> = table({
  expiry: integer(1, 2_592_000, 'seconds, at most 30 days').prefault(3600).describe('life of a token'),
  size: integer(2048, 4096, rsaUnit).prefault(2048).describe('size of the RSA key'),
  algorithm: oneOf(['RS256', 'ES256', 'EdDSA'])
    .optional()
    .describe('how tokens are signed')
    .meta({ absent: '`"RS256"`; with `key_file` or `keystore`, what fits its key' }),
  issuer: filledText.prefault('urn:sallyport:management').describe('`iss` of the tokens'),
  audience: filledText.prefault('management-api').describe('`aud` of the tokens'),
  key_file: filledText
    .optional()
    .describe('path of a private key (PKCS#8 PEM or JWK), from the folder of the file')
    .meta({ absent: 'a new key at each start' }),
  keystore: filledText
    .optional()
    .describe(
      '`primary`, `internal`, `tls`, or the name of a `[custom_keystore.*]`: its key signs, so that processes and restarts share it',
    ),
  previous_keystore: filledText.optional().describe('the key before it, which verifies until `previous_until`'),
  previous_until: moment
    .optional()
    .describe('when the previous key stops verifying')
    .meta({ absent: 'required with `previous_keystore`' }),
}).transform((table, context): TokenConfig => {
  const { expiry, size, algorithm, issuer, audience, key_file, keystore, previous_keystore, previous_until } = table
  if (key_file !== undefined && keystore !== undefined) {
    refuseAt(context, ['keystore'], 'must not be beside key_file: one of them has the key that signs')
  }
  if (previous_keystore !== undefined && keystore === undefined) {
    refuseAt(context, ['previous_keystore'], 'must be beside keystore, which names the key that signs now')
  }
  if ((previous_keystore === undefined) !== (previous_until === undefined)) {
    // At the one that is missing: it may only have been misread, which is told already.
    const missing = previous_until === undefined ? 'previous_until' : 'previous_keystore'
    refuseAt(
      context,
      [missing],
      'must be there as well: previous_keystore says which key still verifies, previous_until until when',
    )
  }
  return {
    expiryMs: expiry * 1000,
    rsaBits: size,
    algorithm: algorithm ?? (keystore === undefined && key_file === undefined ? 'RS256' : undefined),
    issuer,
    audience,
    keyFile: key_file,
    keyStore: keystore,
    previousKeyStore:
      previous_keystore === undefined || previous_until === undefined
        ? undefined
        : { name: previous_keystore, verifyUntil: previous_until.getTime() },
  }
})

export const jwtHandlerTable = table({
  enable: flag
    .prefault(true)
    .describe(
      '`false` switches authentication off: no login, routes of the app are open to anybody, protected paths are refused to all',
    ),
  token_store_config: tokenStoreTable.prefault({}),
  token_config: tokenTable.prefault({}),
})
