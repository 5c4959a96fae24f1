/**
 * `[[identity_provider]]` and `[sso]`: OpenID providers that people sign in at.
 *
 * @module
 */

import * as z from 'zod'
import { isSafeUrl } from '../../core/safe-url.js'
import type { Finding } from '../checks/findings.js'
import type { IdentityProviderConfig } from '../config.js'
import type { KeyPath } from '../values/key-path.js'
import {
  duration,
  type Field,
  field,
  filledText,
  flag,
  refuseAt,
  refuseRepeated,
  table,
  tables,
  textList,
  textOrNone,
} from './fields.js'
import { takenDomains } from './user-store/user-store.js'

/** The sign-in with a name and a password of the user store. */
export const localSignIn = 'local'

/** The provider that `[sso]` describes. */
const ssoName = 'sso'

const nameRule = `must be 1 to 64 lower-case letters, digits, _ and -, and neither ${localSignIn} nor ${ssoName}`
const providerName = z.string({ error: nameRule }).regex(/^(?!(?:local|sso)$)[a-z0-9_-]{1,64}$/, { error: nameRule })

/** Issuers are compared character by character (OpenID Connect Discovery 1.0 section 4.3). */
const issuer: Field<string> = field((value, refuse) => {
  const rule =
    'must be the issuer of the provider, such as "https://login.example.com/realms/staff" (http on localhost only)'
  if (typeof value !== 'string' || !URL.canParse(value) || /[\s?#]/.test(value)) return refuse(rule)
  const url = new URL(value)
  if (!isSafeUrl(url) || url.username !== '' || url.password !== '') return refuse(rule)
  if (
    /^login\.microsoftonline\.com$/i.test(url.hostname) &&
    /^\/(?:common|organizations|consumers)\//i.test(url.pathname)
  ) {
    return refuse('must be the issuer of one tenant: put the tenant id in the place of common')
  }
  return value
}).meta({ unit: 'URL' })

const publicOrigin: Field<string> = field((value, refuse) => {
  const rule = 'must be an https origin in quotes, such as "https://portal.example.com" (http on localhost only)'
  if (typeof value !== 'string' || !URL.canParse(value) || !isSafeUrl(new URL(value))) return refuse(rule)
  const { origin } = new URL(value)
  return value === origin || value === `${origin}/` ? origin : refuse(rule)
}).meta({ unit: 'origin' })

const scopeRule = 'must be a list of scopes with "openid" among them'
const scopes = z
  .array(z.string({ error: scopeRule }).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: scopeRule }), {
    error: scopeRule,
  })
  .refine((list) => list.includes('openid'), { error: scopeRule })

/** One text, or several. */
const texts = z.union([filledText.transform((text) => [text]), textList], {
  error: 'must be a text or a list of texts',
})

/** Without a prototype: names come from the provider. */
export const textsByName = (what: string): Field<Readonly<Record<string, readonly string[]>>> =>
  z
    .record(z.string(), texts, { error: `must be a table of ${what}` })
    .transform((values) => Object.assign(Object.create(null), values))

const domainRule = 'must be a name of letters, digits, ".", "_" and "-"'
const domainName = z
  .string({ error: domainRule })
  .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: domainRule })
  .transform((text) => text.toUpperCase())

/** Domains that mean something else, with those of API tokens and OAuth clients. */
const reservedDomains: readonly string[] = takenDomains

/** A provider as it is written; it is complete but for the place of its table. */
export type WrittenProvider = Omit<IdentityProviderConfig, 'origin'>

const identityProviderTable: Field<WrittenProvider> = table({
  name: providerName.describe('what `sign_in` calls it, and a step of its callback path').meta({ absent: 'required' }),
  title: filledText.optional().describe('what the login page calls it').meta({ absent: 'made from the name' }),
  issuer: issuer.describe('the issuer of the provider, as its discovery document has it').meta({ absent: 'required' }),
  client_id: filledText.describe('the client id that the provider gave to these portals').meta({ absent: 'required' }),
  client_secret: filledText.optional().describe('its secret').meta({ absent: 'a public client, with PKCE' }),
  scopes: scopes.prefault(['openid', 'profile']).describe('what is asked for'),
  subject_claim: filledText.prefault('sub').describe('the claim that users are named by'),
  roles_claim: filledText
    .optional()
    .describe('the claim with the groups of a user; a path has dots: `realm_access.roles`'),
  role_mapping: textsByName('groups there, each with a role here, or a list of roles')
    .prefault({})
    .describe('roles here, by the group there')
    .meta({ unit: 'table of texts' }),
  admin_roles: textList.prefault([]).describe('groups there whose members are administrators here'),
  required_claims: textsByName('claims, each with a value, or a list of values')
    .prefault({})
    .describe('values of which a claim must have one: `{ hd = "example.com" }`')
    .meta({ unit: 'table of texts' }),
  allow_unmapped: flag.prefault(false).describe('lets users sign in whose groups are no role here'),
  domain_name: domainName
    .optional()
    .describe('what stands before the names of its users')
    .meta({ absent: 'the name in capitals' }),
  session_ceiling: duration()
    .optional()
    .describe('when a session ends at the latest')
    .meta({ absent: 'as the portal has it' }),
  public_origin: publicOrigin
    .optional()
    .describe('where people reach the portals, for the callback')
    .meta({ absent: 'as the request says' }),
}).transform((written, context): WrittenProvider => {
  const { roles_claim, role_mapping, admin_roles, allow_unmapped } = written
  const usesGroups = Object.keys(role_mapping).length > 0 || admin_roles.length > 0
  if (!usesGroups && !allow_unmapped) {
    const rule =
      'must say which groups are which roles, because nobody else signs in; or write admin_roles, or allow_unmapped = true'
    refuseAt(context, ['role_mapping'], rule)
  }
  if (usesGroups && roles_claim === undefined) {
    refuseAt(
      context,
      ['roles_claim'],
      'must name the claim that has the groups, such as "groups" or "realm_access.roles"',
    )
  }
  return {
    name: written.name,
    title: written.title,
    issuer: written.issuer,
    clientId: written.client_id,
    clientSecret: written.client_secret,
    scopes: [...new Set(written.scopes)],
    subjectClaim: written.subject_claim,
    rolesClaim: roles_claim,
    roleMapping: role_mapping,
    adminRoles: admin_roles,
    requiredClaims: written.required_claims,
    allowUnmapped: allow_unmapped,
    domainName: written.domain_name ?? written.name.toUpperCase(),
    sessionCeilingMs: written.session_ceiling === undefined ? undefined : Math.round(written.session_ceiling),
    publicOrigin: written.public_origin,
  }
})

export const identityProvidersTable: Field<(WrittenProvider | undefined)[]> = tables(identityProviderTable)
  .prefault([])
  .superRefine((list, context) => {
    const unique = { name: 'name', domain_name: 'domainName' } as const
    for (const [key, property] of Object.entries(unique)) {
      const values = list.map((provider) => provider?.[property as 'name'])
      refuseRepeated(context, values, (index) => [index, key], `must not be the ${key} of another identity provider`)
    }
  })

/** A list, or a text with blanks or commas in between. */
const ssoList: Field<string[]> = field((value, refuse) => {
  const list: unknown = typeof value === 'string' ? value.split(/[\s,]+/) : value
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) return refuse('must be a list of texts')
  return list.filter((item) => item !== '')
}).meta({ unit: 'list of texts' })

/** WSO2's table for its dashboard. Nothing in it is required before a portal names it. */
export const ssoTable = table({
  enable: flag.prefault(false).describe('whether `sign_in` may name `sso`'),
  client_id: textOrNone.optional().describe('as `client_id` of an identity provider'),
  base_url: textOrNone.optional().describe('as `public_origin`'),
  jwt_issuer: textOrNone.optional().describe('as `issuer`').meta({ absent: 'what `well_known_endpoint` begins with' }),
  well_known_endpoint: textOrNone.optional().describe('the discovery document, below the issuer'),
  scope: ssoList.optional().describe('as `scopes`').meta({ absent: '`openid`' }),
  user_name_attribute: textOrNone.optional().describe('as `subject_claim`').meta({ absent: '`sub`' }),
  admin_group_attribute: textOrNone.optional().describe('as `roles_claim`').meta({ absent: '`groups`' }),
  admin_groups: ssoList.optional().describe('as `admin_roles`: nobody else signs in'),
  enable_PKCE: flag.prefault(true).describe('`false` is refused where a portal names `sso`'),
})

export type SsoTable = z.output<typeof ssoTable>

const wellKnown = '/.well-known/openid-configuration'

/** What `[sso]` says as an identity provider. It was read by WSO2's dashboard as a public client. */
function readSso(sso: SsoTable, mistake: (finding: Finding) => void): WrittenProvider {
  const at = (key: string, rule: string): string => {
    mistake({ path: [ssoName, key], rule: `${rule}, because a portal names sso` })
    return ''
  }
  const { well_known_endpoint: document } = sso
  const written = sso.jwt_issuer ?? (document?.endsWith(wellKnown) ? document.slice(0, -wellKnown.length) : undefined)
  const read = issuer.safeParse(written)
  const origin = publicOrigin.safeParse(sso.base_url)
  if (!sso.enable) at('enable', 'must be true')
  if (!sso.enable_PKCE) at('enable_PKCE', 'must be true')
  if (document !== undefined && written !== undefined && document !== written.replace(/\/$/, '') + wellKnown) {
    at('well_known_endpoint', `must be jwt_issuer and ${wellKnown}`)
  }
  if (sso.base_url !== undefined && !origin.success) at('base_url', origin.error.issues[0]!.message)
  if ((sso.admin_groups ?? []).length === 0) at('admin_groups', 'must name the groups whose members are administrators')
  return {
    name: ssoName,
    title: 'single sign-on',
    issuer: read.success ? read.data : at('jwt_issuer', read.error.issues[0]!.message),
    clientId: sso.client_id ?? at('client_id', 'must be the client id that the provider gave to these portals'),
    clientSecret: undefined,
    scopes: [...new Set(['openid', ...(sso.scope ?? [])])],
    subjectClaim: sso.user_name_attribute ?? 'sub',
    rolesClaim: sso.admin_group_attribute ?? 'groups',
    roleMapping: {},
    adminRoles: sso.admin_groups ?? [],
    requiredClaims: {},
    allowUnmapped: false,
    domainName: 'SSO',
    sessionCeilingMs: undefined,
    publicOrigin: origin.success ? origin.data : undefined,
  }
}

/** What providers have to fit to, and what names them. */
export interface ProviderTables {
  readonly identity_provider: (WrittenProvider | undefined)[]
  readonly sso: SsoTable
  readonly portal: { readonly named: ReadonlyMap<string, { readonly sign_in?: readonly string[] | undefined }> }
  readonly oauth: { readonly signIn: readonly string[] } | undefined
  readonly internal_apis: { readonly users: readonly { readonly name: string }[] }
}

/** The providers of a file. `[sso]` is one where a portal names it. */
export function createIdentityProviders(
  { identity_provider, sso, portal, oauth, internal_apis: { users } }: ProviderTables,
  stores: readonly { readonly domain: string }[],
  mistake: (finding: Finding) => void,
): IdentityProviderConfig[] {
  const places = [...portal.named].map(([name, table]) => ({
    path: ['portal', name, 'sign_in'] as KeyPath,
    signIn: table.sign_in ?? [],
  }))
  if (oauth !== undefined) places.push({ path: ['oauth', 'sign_in'], signIn: oauth.signIn })
  const providers = identity_provider.flatMap((provider, index) => {
    if (provider === undefined) return []
    const path: KeyPath = ['identity_provider', index]
    const { domainName } = provider
    const taken = [...reservedDomains, ...stores.map(({ domain }) => domain.toUpperCase())]
    if (taken.includes(domainName)) {
      const rule = `must not be one of ${[...new Set(taken)].join(', ')}, which are domains of other users`
      mistake({ path: [...path, 'domain_name'], rule })
    }
    return [{ ...provider, origin: { key: `identity_provider[${index}]` } }]
  })
  if (places.some(({ signIn }) => signIn.includes(ssoName))) {
    providers.push({ ...readSso(sso, mistake), origin: { key: ssoName } })
  }
  const domains = providers.map(({ domainName }) => `${domainName}/`)
  for (const [index, { name }] of users.entries()) {
    if (!domains.some((domain) => name.toUpperCase().startsWith(domain))) continue
    const rule = 'must not begin with the domain of an identity provider'
    mistake({ path: ['internal_apis', 'users', index, 'user', 'name'], rule })
  }
  // One that could not be read may be the one that is named.
  if (identity_provider.includes(undefined)) return providers
  const known = [localSignIn, ...providers.map(({ name }) => name)]
  for (const { path, signIn } of places) {
    for (const [index, name] of signIn.entries()) {
      if (known.includes(name)) continue
      mistake({
        path: [...path, index],
        rule: `must be one of ${known.join(', ')}; any other needs an [[identity_provider]]`,
      })
    }
  }
  return providers
}

/** `sign_in` of a portal, or of the authorization server. */
export const signInList: Field<string[]> = textList
  .refine((list) => list.length > 0 && new Set(list).size === list.length, {
    error: `must list "${localSignIn}" or names of identity providers, each once`,
  })
  .describe('how people sign in: `local` with a password, and names of identity providers')
