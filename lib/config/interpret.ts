/**
 * From a parsed document to a configuration or a list of mistakes: placeholders, known keys, values, warnings.
 *
 * @module
 */

import { resolve } from 'node:path'
import { keyStoreNamed, keyStoreNames } from '../internal/named-key-store.js'
import { managementConsole } from '../internal/portal-name.js'
import type {
  Config,
  EnabledControl,
  KeyStoresConfig,
  ManagementApiConfig,
  TokenConfig,
  UserStoreConfig,
} from './config.js'
import type { ConfigOptions } from './config-options.js'
import { expandValues } from './expand-values.js'
import type { Finding } from './findings.js'
import { formatKey, type KeyPath } from './key-path.js'
import { keyStoresOf } from './key-stores.js'
import { defaultValues, knownKeys } from './known-keys/known-keys.js'
import { otherTables } from './known-keys/other-tables.js'
import { checkOauth, oauthOf } from './oauth-providers.js'
import { PlaceholderError } from './placeholder-error.js'
import { type Expand, placeholders, secretPlaceholders } from './placeholders.js'
import { readTables } from './read-tables.js'
import type { Ciphertext } from './secrets/ciphertext.js'
import { type SecretOutcome, secretTable } from './secrets/secret-table.js'
import type { Deployment } from './tables/deployment.js'
import { portalDefaultsOf, portalsOf } from './tables/portals.js'
import { tlsOf } from './tls.js'
import { copyTree, deepFreeze, type Tree, type TreeValue, valueAt } from './tree.js'
import { checkKeys } from './unknown-keys.js'
import { carbonDatabase, isCarbonFile, usesUserStore } from './user-stores/carbon-database.js'
import { listDatasources } from './user-stores/datasource-id.js'
import { userStoresOf } from './user-stores/user-stores.js'
import { warningsOf } from './warnings.js'

/** Where a document comes from. */
export interface Origin {
  /** The file it was read from; `undefined` for an object. */
  readonly path: string | undefined
  /** Folder that relative paths start from. */
  readonly home: string
  readonly options: ConfigOptions
  /** Secrets that were decrypted. */
  readonly decrypted?: ReadonlyMap<string, SecretOutcome>
  /** Why a secret is not among them. */
  readonly whyEncrypted: string
}

/** What became of a document. */
export interface Interpretation {
  /** The document as it was written. */
  readonly source: Tree
  /** The document with its placeholders replaced. */
  readonly values: Tree
  /** `undefined` when there are mistakes. Its `warnings` are still to be filled in. */
  readonly config: Config | undefined
  readonly mistakes: readonly Finding[]
  readonly warnings: readonly Finding[]
  /** The key stores; `undefined` when not even they can be read. */
  readonly keyStores: KeyStoresConfig | undefined
  /** Secrets that are used and still encrypted, by alias. */
  readonly encrypted: ReadonlyMap<string, Ciphertext>
  /** The value of a key that is no part of the configuration; `undefined` when it is not there. */
  readonly outcomeAt: (path: KeyPath) => SecretOutcome | undefined
}

/** Interprets a parsed document. It is neither changed nor kept. */
export function interpret(document: object, origin: Origin): Interpretation {
  const { path, home, options, decrypted = new Map(), whyEncrypted } = origin
  const mistakes: Finding[] = []
  const warnings: Finding[] = []
  const mistake = (finding: Finding): void => {
    mistakes.push(finding)
  }
  /** What is missing because its value could not be read is no second mistake. */
  const mistakeOnce = (finding: Finding) => {
    const key = formatKey(finding.path)
    if (!mistakes.some(({ path }) => formatKey(path) === key)) mistake(finding)
  }

  const source = copyTree(document, mistake)
  const { document: listed, asWritten } = listDatasources(source)
  const unknown: KeyPath[] = []
  checkKeys(listed, knownKeys, otherTables, {
    mistake,
    warning: (finding) => warnings.push(finding),
    unknown: (path) => unknown.push(path),
  })
  warnings.push(...unknownWarning(unknown.map(asWritten)))

  const values = copyTree(listed, () => {})
  const unexpanded: Finding[] = []
  const expandSecret = secretPlaceholders(options)
  const warning = (finding: Finding): void => {
    warnings.push(finding)
  }
  const secrets = secretTable(source, { home, expand: expandSecret, decrypted, whyEncrypted, warning })
  const expand = placeholders(source, defaultValues, options, secrets.textOf)
  expandValues(values, expand, mistake, (finding) => unexpanded.push(finding))
  const common = () => ({
    source,
    values,
    mistakes: mistakes.map((finding) => ({ ...finding, path: asWritten(finding.path) })),
    encrypted: secrets.encrypted,
    outcomeAt: (at: KeyPath) => outcomeOf(valueAt(source, at), expand),
  })
  const deployment = readTables(values, listed, mistakes)
  const usesStores = usesUserStore(values) && options.hasUserStore !== true
  const primary = deployment?.user_store.primary
  const carbon =
    primary !== undefined && usesStores && isCarbonFile(source) ? carbonDatabase(source, expand, primary) : undefined
  if (deployment !== undefined && usesStores && carbon === undefined) refuseMissingUserStore(deployment, mistake)
  const userStores = deployment !== undefined && usesStores ? userStoresOf(deployment, home, mistakeOnce, carbon) : []
  if (carbon?.reason !== undefined && userStores[0]?.type === 'unavailable') {
    warnings.push({ path: carbon.path, rule: carbon.reason })
  }
  if (deployment !== undefined) checkOauth(deployment, mistake)
  if (deployment === undefined) return { ...common(), config: undefined, warnings, keyStores: undefined }

  const keyStores = keyStoresOf(deployment, { path, home, homeOption: options.home, unexpanded })
  refuseUnknownKeyStores(deployment.management_api.token, keyStores, mistake)
  const tls = tlsOf(
    [deployment.internal_api_ssl_config?.tls, deployment.transport],
    deployment.server.hostname ?? 'localhost',
    { mistake, warning: (finding) => warnings.push(finding) },
  )
  if (mistakes.length > 0) return { ...common(), config: undefined, warnings, keyStores }

  const config = configOf({ ...deployment, userStores, keyStores, tls }, source, { path, home })
  return { ...common(), config, warnings: [...warnings, ...warningsOf(config, values)], keyStores }
}

const maxUnknownShown = 5

/** One line for all that is left alone. */
function unknownWarning([first, ...others]: readonly KeyPath[]): Finding[] {
  if (first === undefined) return []
  if (others.length === 0) return [{ path: first, rule: 'is not known here and has no effect' }]
  const shown = others.slice(0, maxUnknownShown).map(formatKey).join(', ')
  const rest = others.length > maxUnknownShown ? ', ...' : ''
  const rule = `and ${others.length} more are not known here and have no effect: ${shown}${rest}`
  return [{ path: first, rule }]
}

function outcomeOf(value: TreeValue, expand: Expand): SecretOutcome | undefined {
  if (value === undefined) return undefined
  try {
    const text = typeof value === 'string' ? expand(value) : undefined
    return typeof text === 'string' ? { text } : { reason: 'is not a text in quotes' }
  } catch (error) {
    if (error instanceof PlaceholderError) return { reason: error.message }
    throw error
  }
}

function refuseMissingUserStore({ user_store }: Deployment, mistake: (finding: Finding) => void): void {
  if (user_store.primary.kind !== undefined) return
  const rule =
    'must not be false without a [user_store] that names its type, read_only_ldap, read_write_ldap or database'
  mistake({ path: ['internal_apis', 'file_user_store', 'enable'], rule })
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

function configOf(
  deployment: Deployment & Pick<Config, 'keyStores' | 'tls'> & { readonly userStores: readonly UserStoreConfig[] },
  source: Tree,
  { path, home }: Pick<Origin, 'path' | 'home'>,
): Config {
  const { recheckIntervalSeconds, recheckGraceSeconds } = deployment.user_store
  const [userStore, ...secondaryUserStores] = deployment.userStores
  const portals = portalsOf(deployment.portal, deployment.tomcat)
  return deepFreeze({
    path,
    warnings: [],
    managementApi: withKeyFileBelow(home, deployment.management_api),
    makeNonAdminUsersReadOnly: deployment.user_access.make_non_admin_users_read_only,
    fileUsers: { ...deployment.internal_apis, isEnabled: deployment.internal_apis.isEnabled && !isCarbonFile(source) },
    userStore,
    secondaryUserStores,
    recheckIntervalSeconds,
    recheckGraceSeconds,
    adminConsoleAddresses: deployment.admin_console.control_access,
    webAppAddresses: deployment.web_app.control_access,
    servletFilters: deployment.servlet_access_control_filter,
    portals,
    portalDefaults: portalDefaultsOf(deployment.portal),
    oauth: oauthOf(
      deployment.oauth,
      portals,
      deployment.tomcat.global.session_timeout,
      deployment.portal.cookie_prefix,
    ),
    enabledControls: enabledControlsOf(deployment),
    tlsTables: tlsTablesOf(source),
    keyStores: deployment.keyStores,
    tls: deployment.tls,
  })
}

function withKeyFileBelow(home: string, api: ManagementApiConfig): ManagementApiConfig {
  const { keyFile } = api.token
  return keyFile === undefined ? api : { ...api, token: { ...api.token, keyFile: resolve(home, keyFile) } }
}

function enabledControlsOf(deployment: Deployment): EnabledControl[] {
  const { management_api, admin_console, web_app, servlet_access_control_filter, oauth } = deployment
  type Facet = EnabledControl['facet']
  const controls: readonly [isEnabled: boolean, key: string, facet: Facet, orFacet?: Facet][] = [
    [management_api.allowedNetworks !== undefined, 'management_api.control_access.enable', 'managementApi'],
    [admin_console.control_access !== undefined, 'admin_console.control_access.enable', 'portal'],
    [web_app.control_access !== undefined, 'web_app.control_access.enable', 'webApps', 'portal'],
    [servlet_access_control_filter.length > 0, 'servlet_access_control_filter', 'webApps', 'portal'],
    [oauth !== undefined, 'oauth.enable', 'oauth'],
  ]
  return controls
    .filter(([isEnabled]) => isEnabled)
    .map(([, key, facet, orFacet]) => ({
      key,
      facet,
      ...(orFacet !== undefined && { orFacet }),
      ...(key.startsWith('admin_console.') && { portal: managementConsole }),
    }))
}

function tlsTablesOf(source: Tree): string[] {
  const tables: readonly [string, TreeValue][] = [
    ['keystore.tls', valueAt(source, ['keystore', 'tls'])],
    ['internal_api_ssl_config', source['internal_api_ssl_config']],
  ]
  return tables.filter(([, value]) => value !== undefined).map(([name]) => name)
}
