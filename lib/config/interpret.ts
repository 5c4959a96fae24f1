/**
 * From a parsed document to a configuration or a list of mistakes: known keys, placeholders, values, warnings.
 *
 * @module
 */

import { dirname, resolve } from 'node:path'
import type { Origin } from '../core/errors.js'
import { keyStoreNamed, keyStoreNames } from '../core/key-stores.js'
import { managementConsole } from '../core/names.js'
import type { Finding, Locate } from './checks/findings.js'
import { defaultValues, knownKeys } from './checks/known-keys.js'
import { refuseUnshared, refuseUselessSnapshot } from './checks/lasting-state.js'
import { createOrigin } from './checks/origins.js'
import { otherTables } from './checks/our-tables.js'
import { readTables } from './checks/read-tables.js'
import { checkKeys, unknownWarning } from './checks/unknown-keys.js'
import { createWarnings } from './checks/warnings.js'
import type { Config, EnabledControl, KeyStoresConfig, TokenConfig } from './config.js'
import { createKeyStores } from './key-stores.js'
import { readLogos } from './logos.js'
import { createAuditTrail } from './schema/audit-trail.js'
import type { Deployment } from './schema/deployment.js'
import { createIdentityProviders } from './schema/identity-provider.js'
import { checkMachines } from './schema/machines.js'
import { checkOauth, createOauth } from './schema/oauth.js'
import { createPortals } from './schema/portals.js'
import { checkSecondFactor, createSecondFactor } from './schema/second-factor.js'
import { createSharedStore } from './schema/shared-store.js'
import { createTls } from './schema/tls.js'
import { isCarbonFile, readCarbonDatabase, usesUserStore } from './schema/user-store/carbon-database.js'
import { listDatasources } from './schema/user-store/datasource.js'
import { createUserStores } from './schema/user-store/user-stores.js'
import type { Ciphertext } from './values/ciphertext.js'
import { expandValues } from './values/expand-values.js'
import { formatKey, type KeyPath } from './values/key-path.js'
import { type ConfigOptions, createExpand, createSecretExpand, type Expand } from './values/placeholders.js'
import { createSecrets, type SecretOutcome, tryOutcome } from './values/secrets.js'
import { copyTree, deepFreeze, isTree, type Tree, type TreeValue, valueAt } from './values/tree.js'

export interface DocumentSource {
  readonly path: string | undefined
  readonly home: string
  readonly options: ConfigOptions
  readonly locate: Locate
  readonly decrypted?: ReadonlyMap<string, SecretOutcome>
  readonly whyEncrypted: string
}

export interface Interpretation {
  readonly source: Tree
  /** The same with `[[datasource]]` as a list. */
  readonly listed: Tree
  /** Where a key of `listed` and `values` stands in `source`. */
  readonly asWritten: (path: KeyPath) => KeyPath
  /** The document with its placeholders replaced. */
  readonly values: Tree
  /** `undefined` when there are mistakes. Its `warnings` are still to be filled in. */
  readonly config: Config | undefined
  readonly mistakes: readonly Finding[]
  readonly warnings: readonly Finding[]
  /** Keys and tables that nobody knows. One of `warnings` counts them. */
  readonly unknown: readonly KeyPath[]
  /** The key stores; `undefined` when not even they can be read. */
  readonly keyStores: KeyStoresConfig | undefined
  /** Secrets that are used and still encrypted, by alias. */
  readonly encrypted: ReadonlyMap<string, Ciphertext>
  /** `[encryption] key`; `undefined` when it is not there. */
  readonly symmetricKey: () => SecretOutcome | undefined
}

/** Interprets a parsed document. It is neither changed nor kept. */
export function interpret(document: object, where: DocumentSource): Interpretation {
  const { home, options, decrypted = new Map(), whyEncrypted } = where
  const mistakes: Finding[] = []
  const warnings: Finding[] = []
  const mistake = (finding: Finding) => mistakes.push(finding)
  const warning = (finding: Finding) => warnings.push(finding)

  const source = copyTree(document, mistake)
  const { document: listed, asWritten } = listDatasources(source)
  const unknown: KeyPath[] = []
  checkKeys(listed, knownKeys(), otherTables, { mistake, warning, unknown: (at) => unknown.push(asWritten(at)) })
  warnings.push(...unknownWarning(unknown))

  const values = copyTree(listed, () => {})
  // Neither their passwords nor the variables that those come from are needed.
  const fileUsers = valueAt(values, ['internal_apis'])
  if (options.ignoreUserStore === true && isTree(fileUsers)) delete fileUsers['users']
  const unexpanded: Finding[] = []
  const secrets = createSecrets(source, home, createSecretExpand(options), decrypted, whyEncrypted, warning)
  const expand = createExpand(source, defaultValues(), options, secrets.read)
  expandValues(values, expand, mistake, (finding) => unexpanded.push(finding))

  const conclude = (config?: Config, keyStores?: KeyStoresConfig): Interpretation => ({
    source,
    listed,
    asWritten,
    values,
    config,
    mistakes: mistakes.map((finding) => ({ ...finding, path: asWritten(finding.path) })),
    warnings,
    unknown,
    keyStores,
    encrypted: secrets.encrypted,
    symmetricKey: () => readSymmetricKey(valueAt(source, ['encryption', 'key']), expand),
  })

  const deployment = readTables(values, listed, mistakes)
  if (deployment === undefined) return conclude()
  // What is missing because its value could not be read is no second mistake.
  const known = new Set(mistakes.map((finding) => formatKey(finding.path)))
  const mistakeOnce = (finding: Finding): void => {
    const key = formatKey(finding.path)
    if (!known.has(key)) mistake(finding)
    known.add(key)
  }
  const userStores = options.ignoreUserStore !== true && usesUserStore(values) ? readUserStores(deployment) : []
  checkSecondFactor(deployment, userStores, mistakeOnce)
  checkOauth(deployment.oauth, deployment.management_api.token, deployment.portal, mistake)
  const identityProviders = createIdentityProviders(deployment, userStores, mistakeOnce)
  const keyStores = createKeyStores(deployment, keyStoreFolders(where), unexpanded)
  refuseUnknownKeyStores(deployment.management_api.token, keyStores, mistake)
  refuseUselessSnapshot(deployment, mistake)
  const usesFileUsers = options.ignoreUserStore !== true && !usesUserStore(values)
  checkMachines(deployment, usesFileUsers, mistake)
  if (deployment.shared_store !== undefined) refuseUnshared(deployment, usesFileUsers, mistake)
  const sharedStore = createSharedStore(deployment, home, mistakeOnce, asWritten)
  const logos = readLogos(deployment.portal, home, mistakeOnce)
  const tls = createTls(values, deployment.server.hostname ?? 'localhost', { mistake: mistakeOnce, warning })
  if (mistakes.length > 0) return conclude(undefined, keyStores)

  const [userStore, ...secondaryUserStores] = userStores
  const stores = { userStore, secondaryUserStores, keyStores, sharedStore, tls, identityProviders }
  const config = deepFreeze(createConfig(deployment, { ...stores, logos }, source, where))
  warnings.push(...createWarnings(config, values))
  return conclude(config, keyStores)

  function readUserStores(tables: Deployment): Config['secondaryUserStores'] {
    const { primary } = tables.user_store
    const carbon = isCarbonFile(source) ? readCarbonDatabase(source, expand, primary) : undefined
    if (carbon === undefined && primary.kind === undefined) {
      const rule =
        'must not be false without a [user_store] that names its type, read_only_ldap, read_write_ldap, active_directory or database'
      mistake({ path: ['internal_apis', 'file_user_store', 'enable'], rule })
    }
    const stores = createUserStores(tables, home, mistakeOnce, { carbon, asWritten })
    if (carbon?.reason !== undefined && stores[0]?.type === 'unavailable')
      warning({ path: carbon.path, rule: carbon.reason })
    return stores
  }
}

/** The folder of the file, and those that WSO2's products have their own conf or repository/conf in. */
function keyStoreFolders({ path, home, options }: DocumentSource): string[] {
  const start = resolve(home)
  const around = path === undefined ? [start] : [start, dirname(start), dirname(dirname(start))]
  return [...new Set(options.home === undefined ? around : [resolve(options.home), ...around])]
}

function readSymmetricKey(value: TreeValue, expand: Expand): SecretOutcome | undefined {
  if (value === undefined) return undefined
  return tryOutcome(() => {
    const text = typeof value === 'string' ? expand(value) : undefined
    return typeof text === 'string' ? { text } : { reason: 'is not a text in quotes' }
  })
}

function refuseUnknownKeyStores(
  { keyStore, previousKeyStore }: TokenConfig,
  keyStores: KeyStoresConfig,
  mistake: (finding: Finding) => void,
): void {
  const table = ['management_api', 'jwt_token_security_handler', 'token_config']
  const names = { keystore: keyStore, previous_keystore: previousKeyStore?.name }
  for (const [key, name] of Object.entries(names)) {
    if (name === undefined || keyStoreNamed(keyStores, name) !== undefined) continue
    mistake({ path: [...table, key], rule: `must be one of ${keyStoreNames(keyStores).join(', ')}` })
  }
}

/** Puts the configuration together; each rule that can refuse a request gets the place where it is written. */
function createConfig(
  tables: Deployment,
  {
    logos,
    ...stores
  }: Pick<Config, 'userStore' | 'secondaryUserStores' | 'keyStores' | 'sharedStore' | 'tls' | 'identityProviders'> & {
    readonly logos: ReadonlyMap<string, string>
  },
  source: Tree,
  { path, home, locate }: DocumentSource,
): Config {
  const withPlace = <Rule extends { readonly origin: Origin }>(rule: Rule): Rule => ({
    ...rule,
    origin: createOrigin(rule.origin.key, locate),
  })
  const { management_api: api, internal_apis: fileUsers, user_store, portal, tomcat } = tables
  const { token, tokenStore, authorization } = api
  const portals = createPortals(portal, tomcat, logos).map(withPlace)
  return {
    ...stores,
    identityProviders: stores.identityProviders.map(withPlace),
    path,
    warnings: [],
    managementApi: {
      ...api,
      token: { ...token, keyFile: token.keyFile && resolve(home, token.keyFile) },
      tokenStore: {
        ...tokenStore,
        snapshot: tokenStore.snapshot && { ...tokenStore.snapshot, file: resolve(home, tokenStore.snapshot.file) },
      },
      authorization: { ...authorization, resources: authorization.resources.map(withPlace) },
      cors: withPlace(api.cors),
    },
    makeNonAdminUsersReadOnly: tables.user_access.make_non_admin_users_read_only,
    fileUsers: { ...fileUsers, isEnabled: fileUsers.isEnabled && !isCarbonFile(source) },
    recheckIntervalMs: user_store.recheckIntervalMs,
    recheckGraceMs: user_store.recheckGraceMs,
    adminConsoleAddresses: tables.admin_console.control_access,
    webAppAddresses: tables.web_app.control_access,
    servletFilters: tables.servlet_access_control_filter.map(withPlace),
    portals,
    portalDefaults: {
      origins: portal.origins,
      allowInsecureHttp: portal.allow_insecure_http,
      cookiePrefix: portal.cookie_prefix,
      languages: portal.languages,
      maxSessions: portal.max_sessions,
    },
    health: tables.health,
    metrics: tables.metrics,
    icp: tables.icp_config,
    auditTrail: createAuditTrail(tables, home),
    oauth: createOauth(tables.oauth, tomcat, portal, portals),
    secondFactor: createSecondFactor(tables),
    isOperatorConsoleEnabled: tables.operator_console.enable,
    enabledControls: listEnabledControls(tables),
    tlsTables: [['keystore', 'tls'], ['internal_api_ssl_config']]
      .filter((table) => valueAt(source, table) !== undefined)
      .map(formatKey),
  }
}

function listEnabledControls(tables: Deployment): EnabledControl[] {
  const { management_api: api, admin_console, web_app, servlet_access_control_filter: filters } = tables
  const { oauth, operator_console } = tables
  const controls: (EnabledControl | undefined)[] = [
    api.allowedNetworks && { key: 'management_api.control_access.enable', mount: 'managementApi' },
    admin_console.control_access && {
      key: 'admin_console.control_access.enable',
      mount: 'portal',
      portal: managementConsole,
    },
    web_app.control_access && { key: 'web_app.control_access.enable', mount: 'webApps', orMount: 'portal' },
    filters[0] && { key: 'servlet_access_control_filter', mount: 'webApps', orMount: 'portal' },
    oauth && { key: 'oauth.enable', mount: 'oauth' },
    operator_console.enable ? { key: 'operator_console.enable', mount: 'console' } : undefined,
  ]
  return controls.filter((control) => control !== undefined)
}
