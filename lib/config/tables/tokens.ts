/**
 * `[management_api.jwt_token_security_handler]`: tokens, and the store that keeps them.
 *
 * @module
 */

import type { TokenConfig, TokenStoreConfig } from '../config.js'
import { type Field, field, filledText, flag, integer, oneOf, refuseAt, table } from '../fields.js'

const tokenStoreTable: Field<TokenStoreConfig> = table({
  max_size: integer(1, 10_000_000).prefault(200),
  clean_up_interval: integer(1, 86_400, ' (seconds)').prefault(600),
  remove_oldest_token_on_overflow: flag.prefault(true),
  max_per_user: integer(1, 10_000_000).optional(),
}).transform(
  ({ max_size, max_per_user, clean_up_interval, remove_oldest_token_on_overflow }, context): TokenStoreConfig => {
    if (max_per_user !== undefined && max_per_user > max_size) {
      refuseAt(context, ['max_per_user'], `must be a whole number from 1 to ${max_size} (max_size)`)
    }
    return {
      maxSize: max_size,
      cleanUpIntervalSeconds: clean_up_interval,
      removeOldestOnOverflow: remove_oldest_token_on_overflow,
      maxPerUser: max_per_user,
    }
  },
)

const rsaRemark = ' (bits of the RSA key: shorter ones can be broken, longer ones make every login slow)'

/** A TOML time without an offset is taken as UTC. */
const moment: Field<Date> = field((value, refuse) => {
  const isMoment = value instanceof Date || (typeof value === 'string' && /T.*(?:Z|[+-]\d\d:\d\d)$/.test(value))
  const date = isMoment ? new Date(value) : undefined
  return date === undefined || Number.isNaN(date.getTime())
    ? refuse('must be a date and time, such as 2030-01-31T08:00:00Z')
    : date
})

/** `keyFile` is the path as it is written: what it is relative to is not known here. */
const tokenTable: Field<TokenConfig> = table({
  expiry: integer(1, 2_592_000, ' (seconds, at most 30 days)').prefault(3600),
  size: integer(2048, 4096, rsaRemark).prefault(2048),
  algorithm: oneOf(['RS256', 'ES256', 'EdDSA']).optional(),
  issuer: filledText.prefault('urn:sallyport:management'),
  audience: filledText.prefault('management-api'),
  key_file: filledText.optional(),
  keystore: filledText.optional(),
  previous_keystore: filledText.optional(),
  previous_until: moment.optional(),
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
    expirySeconds: expiry,
    rsaBits: size,
    algorithm: algorithm ?? (keystore === undefined ? 'RS256' : undefined),
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

/** What `[management_api.jwt_token_security_handler]` says. */
export interface JwtHandlerTable {
  readonly enable: boolean
  readonly token_store_config: TokenStoreConfig
  readonly token_config: TokenConfig
}

/** The table that switches tokens on and off. */
export const jwtHandlerTable: Field<JwtHandlerTable> = table({
  enable: flag.prefault(true),
  token_store_config: tokenStoreTable.prefault({}),
  token_config: tokenTable.prefault({}),
})
