/**
 * `[second_factor]`, and the keys that say who has to show one.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { SecondFactorPolicy } from '../../core/second-factor.js'
import type { Finding } from '../checks/findings.js'
import type { UserStoreConfig } from '../config.js'
import type { SecondFactorConfig } from '../portal-config.js'
import type { Deployment } from './deployment.js'
import { type Field, field, filledText, table } from './fields.js'

const policies: readonly unknown[] = ['optional', 'administrators', 'all'] satisfies SecondFactorPolicy[]

/** Who has to show a second factor. */
export const secondFactorPolicy = field(
  (value, refuse): SecondFactorPolicy =>
    policies.includes(value) ? (value as SecondFactorPolicy) : refuse('must be "optional", "administrators" or "all"'),
).meta({ unit: '`"optional"`, `"administrators"` or `"all"`' })

const minKeyLength = 32

const key = field((value, refuse) => {
  if (typeof value === 'string' && value.length >= minKeyLength) return createHash('sha256').update(value).digest('hex')
  return refuse(`must be a secret of at least ${minKeyLength} characters, such as "openssl rand -base64 32" prints`)
}).meta({ unit: 'secret' })

/** The seed of an authenticator app: at least 128 bits (RFC 4226 section 4). */
export const totpSecret = field((value, refuse) => {
  const text = typeof value === 'string' ? value.replace(/[\s=]/g, '').toUpperCase() : ''
  return /^[A-Z2-7]{26,128}$/.test(text)
    ? text
    : refuse('must be a seed in base32, printed by "npx sallyport users totp"')
}).meta({ unit: 'seed in base32' })

export const secondFactorTable: Field<SecondFactorConfig> = table({
  key: key
    .optional()
    .describe('seals the seeds of users in a database; a secret, the same in all processes')
    .meta({ absent: 'required for users of a database' }),
  issuer: filledText.prefault('Sallyport').describe('name of the entry in the authenticator app'),
}).transform(({ key: hexKey, issuer }) => ({ key: hexKey, issuer }))

/** Every place where the file asks for one: then all logins ask users who have one. */
function listDemands({ portal, management_api, oauth }: Deployment): readonly (readonly string[])[] {
  const portals = [...portal.named].flatMap(([name, { second_factor }]) =>
    second_factor === undefined ? [] : [['portal', name, 'second_factor']],
  )
  return [
    ...(portal.second_factor === undefined ? [] : [['portal', 'second_factor']]),
    ...portals,
    ...(management_api.secondFactor === undefined ? [] : [['management_api', 'second_factor']]),
    ...(oauth?.secondFactor === undefined ? [] : [['oauth', 'second_factor']]),
  ]
}

/** `undefined`: nothing in the file asks for one. */
export function createSecondFactor(tables: Deployment): SecondFactorConfig | undefined {
  const hasSeeds = tables.internal_apis.users.some(({ totp }) => totp !== undefined)
  const isAsked = hasSeeds || tables.second_factor.key !== undefined || listDemands(tables).length > 0
  return isAsked ? tables.second_factor : undefined
}

/** `stores`: none where the users are in the file, or in a store of the app's own. */
export function checkSecondFactor(
  tables: Deployment,
  stores: readonly UserStoreConfig[],
  mistake: (finding: Finding) => void,
): void {
  const { management_api: api } = tables
  if (api.isBasicEnabled && api.secondFactor === 'all') {
    const rule = 'must not be "all" with the Basic handler, which takes no second factor: nobody could call anything'
    mistake({ path: ['management_api', 'second_factor'], rule })
  }
  if (api.isBasicEnabled && api.otpSeparator !== undefined) {
    const rule = 'must not be written with the Basic handler: a code counts once, and each request would need one'
    mistake({ path: ['management_api', 'otp_separator'], rule })
  }
  const [primary] = stores
  const [path = ['second_factor', 'key']] = listDemands(tables)
  if (createSecondFactor(tables) === undefined || primary === undefined || primary.type === 'unavailable') return
  if (primary.type !== 'database') {
    const rule =
      'needs users of the file or of a database: a directory has no place for second factors; let an identity provider ask'
    mistake({ path, rule })
  } else if (tables.second_factor.key === undefined) {
    mistake({
      path: ['second_factor', 'key'],
      rule: 'must be a secret, such as "$secret{second_factor}", for users of a database',
    })
  }
}
