/**
 * What two configurations differ in besides what requests are compared by: somebody has to look at it.
 *
 * @module
 */

import { dirname, sep } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { originAt } from '../config/checks/origins.js'
import type { Config, KeyStoreConfig, NamedStoreConfig } from '../config/config.js'
import type { Origin } from '../core/errors.js'

/** A table of a configuration. */
interface Part {
  /** The same in both configurations, wherever a list has it. */
  readonly id: string
  /** As the file has it. */
  readonly key: string
  /** Tables that its values may come from as well. */
  readonly others?: readonly string[]
  /** By their names in {@link Config}. */
  readonly fields: object
}

/** A part, and the configuration that has it. */
interface Side {
  readonly config: Config
  readonly part: Part
}

/** The keys that differ, each where it is written, in the newer file if it is there. Values are not part of it. */
export function listUncompared(before: Config, after: Config): readonly Origin[] {
  const found = new Map<string, Origin>()
  for (const sides of pairsOf(after, before)) {
    for (const field of changedFields(sides)) {
      const origin = placeOf(sides, field)
      found.set(origin.key, origin)
    }
  }
  return [...found.values()]
}

/** What belongs together, one side where the other does not have it. */
function pairsOf(...configs: readonly Config[]): readonly (readonly Side[])[] {
  const pairs = new Map<string, Side[]>()
  for (const config of configs) {
    for (const part of partsOf(config)) pairs.set(part.id, [...(pairs.get(part.id) ?? []), { config, part }])
  }
  return [...pairs.values()]
}

type Fields = Readonly<Record<string, unknown>>

/** `undefined` stands for the whole table. */
function changedFields(sides: readonly Side[]): readonly (string | undefined)[] {
  const [one, other] = sides.map(({ config, part }) => plain(part.fields, config) as Fields)
  if (one === undefined || other === undefined) return [undefined]
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return names.filter((name) => !isDeepStrictEqual(one[name], other[name]))
}

/** The first key of those it may be that a file has, or else the table. */
function placeOf(sides: readonly Side[], field: string | undefined): Origin {
  const names = field === undefined ? [] : namesOf(field)
  const tables = sides.flatMap(({ config, part: { key, others = [] } }) =>
    [key, ...others].map((table) => ({ config, table })),
  )
  const keys = tables.flatMap(({ config, table }) => names.map((name) => ({ config, key: `${table}.${name}` })))
  const all = [...keys, ...tables.map(({ config, table }) => ({ config, key: table }))]
  const origins = all.map(({ config, key }) => originAt(config, key))
  return origins.find(({ position }) => position !== undefined) ?? origins[0]!
}

/** Fields whose keys are called otherwise. */
const keyNames: Readonly<Record<string, readonly string[]>> = {
  isAdmin: ['admin', 'is_admin'],
  isEnabled: ['enable', 'file_user_store.enable'],
  expiresAt: ['expires'],
  allowedNetworks: ['allow'],
  userName: ['user'],
  passwordHash: ['password'],
  type: ['typ', 'type'],
  maxStalenessOnFailureMs: ['max_staleness_on_failure', 'on_store_failure'],
  kid: ['secret'],
  material: ['secret'],
  accessTokenMs: ['access_token_expiry'],
  refreshTokenMs: ['refresh_token_expiry'],
  refreshReuseMs: ['refresh_reuse_window'],
  secretHashes: ['client_secret'],
  claimsIn: ['claims'],
  issueRefreshTokens: ['refresh_tokens'],
  audience: ['audience', 'resource'],
  rsaBits: ['size'],
  keyStore: ['keystore'],
  previousKeyStore: ['previous_keystore', 'previous_until'],
  snapshot: ['snapshot_file', 'snapshot_interval', 'snapshot_max_age'],
  username: ['user'],
  datasource: ['data_source'],
  removeOldestOnOverflow: ['remove_oldest_token_on_overflow'],
  signOnIdleMs: ['session_timeout'],
  signOnAbsoluteMs: ['absolute_timeout'],
}

function namesOf(field: string): readonly string[] {
  const snake = field
    .replace(/^is(?=[A-Z])|Ms$/g, '')
    .replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`)
  return keyNames[field] ?? [snake]
}

/** All of a configuration but what the requests of a comparison tell, and what is only shown. */
function partsOf(config: Config): readonly Part[] {
  const { managementApi: api, portalDefaults, fileUsers, keyStores, oauth, tls } = config
  const { trustedIssuer, apiTokens, breakGlass, loginThrottle, token, tokenStore, cors } = api
  const { protocols, secondFactor, otpSeparator } = api
  const jwt = 'management_api.jwt_token_security_handler'
  const stores = [config.userStore, ...config.secondaryUserStores]
  return [
    ...listParts('identity_provider', config.identityProviders, ({ name }) => name),
    ...config.portals.map(({ name, roles: _roles, allow: _allow, title: _title, support: _support, ...fields }) => {
      const others = [
        'portal',
        ...(name === 'management_console' ? ['tomcat.management_console'] : []),
        'tomcat.global',
      ]
      return { ...table(`portal.${name}`, fields), others }
    }),
    table('portal', portalDefaults),
    table('management_api', { protocols, secondFactor, otpSeparator }),
    ...listParts('management_api.api_tokens', apiTokens, ({ name }) => name),
    ...optional('management_api.trusted_issuer', trustedIssuer),
    ...optional('management_api.break_glass', breakGlass),
    table('management_api.login_throttle', loginThrottle),
    table('management_api.cors', cors),
    table(`${jwt}.token_config`, token),
    table(`${jwt}.token_store_config`, tokenStore),
    table('health', config.health),
    table('metrics', config.metrics),
    ...optional('icp_config', config.icp),
    ...optional('operator_console', config.isOperatorConsoleEnabled ? { enable: true } : undefined),
    ...optional('oauth', oauth && { ...oauth, serviceProviders: undefined }, ['tomcat.global', 'portal']),
    ...listParts('oauth.service_provider', oauth?.serviceProviders ?? [], ({ clientId }) => clientId),
    ...optional('second_factor', config.secondFactor && { key: config.secondFactor.key }, ['portal', 'management_api']),
    table('internal_apis', { ...fileUsers, users: undefined }),
    ...listParts('internal_apis.users', fileUsers.users, ({ name }) => name, '.user'),
    ...stores.flatMap((store) => (store === undefined ? [] : [storePart(store)])),
    table('user_store', { recheckIntervalMs: config.recheckIntervalMs, recheckGraceMs: config.recheckGraceMs }),
    ...optional('shared_store', config.sharedStore),
    ...keyStoresOf(keyStores).map((store) => table(store.key, store)),
    { ...table('internal_api_ssl_config', tls), others: ['transport.https', 'server'] },
  ]
}

function table(key: string, fields: object): Part {
  return { id: key, key, fields }
}

function optional(key: string, fields: object | undefined, others: readonly string[] = []): readonly Part[] {
  return fields === undefined ? [] : [{ ...table(key, fields), others }]
}

/** Entries of a list belong together by their names. */
function listParts<Entry extends object>(
  key: string,
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
  below = '',
): readonly Part[] {
  return entries.map((fields, index) => {
    const { origin } = fields as { readonly origin?: Origin }
    return { id: `${key} ${nameOf(fields)}`, key: origin?.key ?? `${key}[${index}]${below}`, fields }
  })
}

/** A database or directory counts as one: its options are not those of the file. */
function storePart(store: NamedStoreConfig): Part {
  return { id: `user store ${store.domain}`, key: store.key, fields: { store: { ...store, key: undefined } } }
}

function keyStoresOf({ custom, ...named }: Config['keyStores']): readonly KeyStoreConfig[] {
  const all = [...Object.values(named), ...Object.values(custom)].filter((store) => store !== undefined)
  return [...new Map(all.map((store) => [store.key, store])).values()]
}

/** Names that say where a configuration stands, or what its messages and pages show. */
const places: ReadonlySet<string> = new Set(['origin', 'home', 'folders', 'title', 'problems', 'datasourceKey'])

/** A value without places: a file in the folder of the configuration is the same in another folder. */
function plain(value: unknown, config: Config): unknown {
  const home = config.path === undefined ? undefined : `${dirname(config.path)}${sep}`
  const visit = (inner: unknown): unknown => {
    if (typeof inner === 'string' && home !== undefined && inner.startsWith(home)) return inner.slice(home.length)
    if (Array.isArray(inner)) return inner.map(visit)
    if (typeof inner !== 'object' || inner === null || Object.getPrototypeOf(inner) !== Object.prototype) return inner
    const fields = Object.entries(inner).filter(([name, own]) => !places.has(name) && own !== undefined)
    return Object.fromEntries(fields.map(([name, own]) => [name, visit(own)]))
  }
  return visit(value)
}
