/**
 * `[management_api.trusted_issuer]`, `[[management_api.api_tokens]]` and `[icp_config]`: what other programs call with.
 *
 * @module
 */

import * as z from 'zod'
import { isSafeUrl } from '../../core/safe-url.js'
import type { Finding } from '../checks/findings.js'
import type { ApiTokenConfig, IcpConfig, TrustedIssuerConfig } from '../machine-config.js'
import type { KeyPath } from '../values/key-path.js'
import { path } from './authorization.js'
import { networks } from './control-access.js'
import type { Deployment } from './deployment.js'
import {
  duration,
  type Field,
  field,
  filledText,
  flag,
  oneOf,
  refuseAt,
  refuseRepeated,
  table,
  tables,
  textList,
  textOrNone,
  wholeSeconds,
} from './fields.js'
import { textsByName } from './identity-provider.js'
import { moment } from './tokens.js'
import { takenDomains } from './user-store/user-store.js'

const issuerUrl: Field<string> = field((value, refuse) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isPlain = url !== undefined && isSafeUrl(url) && `${url.username}${url.password}${url.search}${url.hash}` === ''
  return isPlain
    ? (value as string)
    : refuse('must be an https URL (http on this machine only), without user, query and fragment')
}).meta({ unit: 'URL', type: 'string' })

const maxTokenAgeMs = 2_592_000_000

/** Subjects of these are of somebody else. */
export const reservedDomains: readonly string[] = ['API', 'ICP', 'CLIENT']

const domainName: Field<string> = field((value, refuse) => {
  const name = typeof value === 'string' ? value.toUpperCase() : ''
  if (!/^[A-Z0-9._-]{1,64}$/.test(name)) return refuse('must be a name of letters, digits, ".", "_" and "-"')
  return takenDomains.includes(name) ? refuse(`must not be one of ${takenDomains.join(', ')}`) : name
}).meta({ unit: 'text' })

export const trustedIssuerTable: Field<TrustedIssuerConfig> = table({
  issuer: issuerUrl.describe('`iss` of the tokens, and where the discovery document is').meta({ absent: 'required' }),
  jwks_uri: issuerUrl
    .optional()
    .describe('where the keys are')
    .meta({ absent: 'what `<issuer>/.well-known/openid-configuration` says' }),
  audience: filledText
    .describe('`aud` of the tokens: the name that this API has there, never a client id')
    .meta({ absent: 'required' }),
  typ: oneOf(['at+jwt', 'JWT'])
    .prefault('at+jwt')
    .describe(
      '`typ` in the header of the tokens; `"JWT"` takes those without one too, for issuers that write no `at+jwt`',
    ),
  domain_name: domainName
    .prefault('TRUSTED')
    .describe('what stands before `sub`, so that nobody there is a user of the local store'),
  roles_claim: filledText.prefault('roles').describe('claim with the roles, such as `realm_access.roles`'),
  role_mapping: textsByName('groups there, each with a role here, or a list of roles')
    .prefault({})
    .describe('roles here, by the value of the claim; what is not named gives no role')
    .meta({ unit: 'table of texts' }),
  admin_roles: textList.prefault([]).describe('values of the claim that make an administrator'),
  allow_unmapped: flag.prefault(false).describe('whether a token is taken that gives no role'),
  max_token_age: duration()
    .prefault('24h')
    .describe(
      'how long after `iat` a token is good at the most, up to 30 days; a revocation of a user is kept so long',
    ),
}).transform((table, context): TrustedIssuerConfig => {
  if (Object.keys(table.role_mapping).length === 0 && table.admin_roles.length === 0 && !table.allow_unmapped) {
    const rule =
      'must say which values of the claim are which roles, because no other token is taken; or write admin_roles, or allow_unmapped = true'
    refuseAt(context, ['role_mapping'], rule)
  }
  if (table.max_token_age > maxTokenAgeMs) refuseAt(context, ['max_token_age'], 'must be at most "30d"')
  return {
    issuer: table.issuer,
    jwksUri: table.jwks_uri,
    audience: table.audience,
    type: table.typ,
    domainName: table.domain_name,
    rolesClaim: table.roles_claim,
    roleMapping: table.role_mapping,
    adminRoles: table.admin_roles,
    allowUnmapped: table.allow_unmapped,
    maxTokenAgeMs: wholeSeconds(table.max_token_age),
  }
})

const tokenName: Field<string> = field((value, refuse) =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value)
    ? value
    : refuse('must be a name of 1 to 64 letters, digits, ".", "_" and "-"'),
).meta({ unit: 'text' })

const tokenHash: Field<string> = field((value, refuse) =>
  typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)
    ? value.toLowerCase()
    : refuse('must be the hash from "npx sallyport api-token create", 64 hexadecimal digits, not the token itself'),
).meta({ unit: 'hash' })

const apiToken: Field<ApiTokenConfig> = table({
  name: tokenName.describe('no other token may have it; the subject is `API/<name>`').meta({ absent: 'required' }),
  hash: tokenHash.describe('from `npx sallyport api-token create`: SHA-256 of the token').meta({ absent: 'required' }),
  expires: moment.describe('when it ends').meta({ absent: 'required' }),
  roles: textList.prefault([]).describe('for the rules of `authorization_handler`'),
  admin: flag.prefault(false).describe('whether it is an administrator'),
  allow: networks
    .optional()
    .describe('the addresses and networks that it may be used from')
    .meta({ absent: 'everywhere' }),
  paths: z
    .array(path, { error: 'must be a list of paths' })
    .min(1, { error: 'must name at least one path; leave the key out for all paths' })
    .optional()
    .describe('the paths that it opens, relative to the mount, with everything below them, exactly as spelled')
    .meta({ absent: 'all paths' }),
}).transform(({ name, hash, expires, roles, admin, allow, paths }) => ({
  name,
  hash,
  roles,
  isAdmin: admin,
  expiresAt: expires.getTime(),
  allowedNetworks: allow,
  paths: paths?.map((written) => (written.length > 1 ? written.replace(/\/$/, '') : written)),
}))

export const apiTokensTable: Field<ApiTokenConfig[]> = tables(apiToken).transform((tokens, context) => {
  const root = ['management_api', 'api_tokens']
  const subjects = tokens.map((token) => token?.name.toLowerCase())
  refuseRepeated(context, subjects, (index) => [index, 'name'], 'must not be the name of two tokens', root)
  const hashes = tokens.map((token) => token?.hash)
  refuseRepeated(context, hashes, (index) => [index, 'hash'], 'must not be the hash of two tokens', root)
  return tokens.filter((token) => token !== undefined)
})

/** RFC 7518 section 3.2: a key of the size of the hash output at least. */
const minSecretBytes = 32

/** WSO2's table, whose other keys are about a connection that is not made here. */
export const icpConfigTable: Field<IcpConfig | undefined> = table({
  enabled: flag
    .prefault(false)
    .describe("whether WSO2's Integration Control Plane 2 may call the management API, as an administrator"),
  secret: textOrNone
    .optional()
    .describe('`<key id>.<material>` as ICP shows it: the material has 32 bytes at least, and signs its tokens (HS256)')
    .meta({ absent: 'required with `enabled`' }),
  allow: networks
    .optional()
    .describe('the addresses and networks that ICP may call from; no key of WSO2')
    .meta({ absent: 'everywhere' }),
}).transform(({ enabled, secret, allow }, context): IcpConfig | undefined => {
  if (!enabled) return undefined
  const dot = secret?.indexOf('.') ?? -1
  const kid = secret?.slice(0, Math.max(dot, 0)) ?? ''
  const material = secret?.slice(dot + 1) ?? ''
  if (!/^[\w-]{1,128}$/.test(kid)) {
    refuseAt(
      context,
      ['secret'],
      'must be the secret that ICP shows, a key id, a dot, and what signs: "<key id>.<material>"',
    )
  } else if (Buffer.byteLength(material) < minSecretBytes) {
    refuseAt(
      context,
      ['secret'],
      `must have at least ${minSecretBytes} bytes behind its first dot: a shorter key can be guessed`,
    )
  }
  return { kid, material, allowedNetworks: allow }
})

/** Rules between these tables and others. */
export function checkMachines(
  { management_api: api, oauth, user_store, internal_apis, identity_provider }: Deployment,
  usesFileUsers: boolean,
  mistake: (finding: Finding) => void,
): void {
  const { trustedIssuer, apiTokens, token, isJwtEnabled, isBasicEnabled } = api
  const takesTokens = isJwtEnabled && !isBasicEnabled
  const table: KeyPath = ['management_api', 'trusted_issuer']
  const names = [...reservedDomains, 'BREAK-GLASS', ...(trustedIssuer === undefined ? [] : [trustedIssuer.domainName])]
  for (const [index, { name }] of usesFileUsers ? internal_apis.users.entries() : []) {
    if (!names.some((domain) => name.toUpperCase().startsWith(`${domain}/`))) continue
    const rule = `must not begin with ${names.join('/, ')}/: those are not users of the file`
    mistake({ path: ['internal_apis', 'users', index, 'user', 'name'], rule })
  }
  if (apiTokens.length > 0 && !takesTokens) {
    const rule =
      'has no effect without jwt_token_security_handler, and with basic_security_handler: then no tokens are taken'
    mistake({ path: ['management_api', 'api_tokens'], rule })
  }
  if (trustedIssuer === undefined) return
  const { issuer, audience, domainName, type } = trustedIssuer
  if (!takesTokens) {
    const rule =
      'has no effect without jwt_token_security_handler, and with basic_security_handler: then no tokens are taken'
    mistake({ path: table, rule })
  }
  if (issuer === oauth?.issuer || issuer === token.issuer) {
    mistake({
      path: [...table, 'issuer'],
      rule: 'must not be an issuer of our own: its tokens never open the management API',
    })
  }
  const elsewhere = identity_provider.filter((provider) => provider !== undefined)
  const clientIds = [...(oauth?.serviceProviders ?? []), ...elsewhere].map(({ clientId }) => clientId)
  if (type === 'JWT' && clientIds.includes(audience)) {
    mistake({ path: [...table, 'audience'], rule: 'must not be a client id, which is the audience of ID tokens' })
  }
  const stores = [user_store.primary, ...user_store.secondaries].map(({ values }) => values.domain_name)
  if (stores.includes(domainName)) {
    mistake({ path: [...table, 'domain_name'], rule: 'must not be the domain of a user store' })
  }
  // The same people may come both ways.
  if (elsewhere.some((provider) => provider.domainName === domainName && provider.issuer !== issuer)) {
    mistake({
      path: [...table, 'domain_name'],
      rule: 'must not be the domain of an identity provider with another issuer',
    })
  }
}
