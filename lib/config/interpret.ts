/**
 * From a parsed document to a configuration or a list of mistakes: placeholders, known keys, values, warnings.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { Config, EnabledControl, ManagementApiConfig, UserStoreConfig } from './config.js'
import type { ConfigOptions } from './config-options.js'
import { expandValues } from './expand-values.js'
import type { Finding } from './findings.js'
import { formatKey } from './key-path.js'
import { defaultValues, knownKeys } from './known-keys/known-keys.js'
import { otherTables } from './known-keys/other-tables.js'
import { placeholders } from './placeholders.js'
import { readTables } from './read-tables.js'
import type { Deployment } from './tables/deployment.js'
import { copyTree, deepFreeze, type Tree, type TreeValue, valueAt } from './tree.js'
import { checkKeys } from './unknown-keys.js'
import { userStoresOf } from './user-stores/user-stores.js'
import { warningsOf } from './warnings.js'

/** Where a document comes from. */
export interface Origin {
  /** The file it was read from; `undefined` for an object. */
  readonly path: string | undefined
  /** Folder that relative paths start from. */
  readonly home: string
  readonly options: ConfigOptions
}

/** What became of a document. */
export interface Interpretation {
  /** The document as it was written. */
  readonly source: Tree
  /** `undefined` when there are mistakes. Its `warnings` are still to be filled in. */
  readonly config: Config | undefined
  readonly mistakes: readonly Finding[]
  readonly warnings: readonly Finding[]
}

/** Interprets a parsed document. It is neither changed nor kept. */
export function interpret(document: object, { path, home, options }: Origin): Interpretation {
  const mistakes: Finding[] = []
  const warnings: Finding[] = []
  const mistake = (finding: Finding) => void mistakes.push(finding)
  /** What is missing because its value could not be read is no second mistake. */
  const mistakeOnce = (finding: Finding) => {
    const key = formatKey(finding.path)
    if (!mistakes.some(({ path }) => formatKey(path) === key)) mistake(finding)
  }

  const source = copyTree(document, mistake)
  checkKeys(source, knownKeys, otherTables, { mistake, warning: (finding) => void warnings.push(finding) })

  const values = copyTree(source, () => {})
  expandValues(values, placeholders(source, defaultValues, options), mistake)
  const deployment = readTables(values, source, mistakes)
  const usesStores = deployment?.internal_apis.isEnabled === false && options.hasUserStore !== true
  if (deployment !== undefined && usesStores) refuseMissingUserStore(deployment, mistake)
  const userStores = deployment !== undefined && usesStores ? userStoresOf(deployment, home, mistakeOnce) : []
  if (deployment === undefined || mistakes.length > 0) return { source, config: undefined, mistakes, warnings }

  const config = configOf({ ...deployment, userStores }, source, { path, home })
  return { source, config, mistakes, warnings: [...warnings, ...warningsOf(config, values)] }
}

function refuseMissingUserStore({ user_store }: Deployment, mistake: (finding: Finding) => void): void {
  if (user_store.primary.kind !== undefined) return
  const rule =
    'must not be false without a [user_store] that names its type, read_only_ldap, read_write_ldap or database'
  mistake({ path: ['internal_apis', 'file_user_store', 'enable'], rule })
}

function configOf(
  deployment: Deployment & { readonly userStores: readonly UserStoreConfig[] },
  source: Tree,
  { path, home }: Pick<Origin, 'path' | 'home'>,
): Config {
  const { recheckIntervalSeconds, recheckGraceSeconds } = deployment.user_store
  const [userStore, ...secondaryUserStores] = deployment.userStores
  return deepFreeze({
    path,
    warnings: [],
    managementApi: withKeyFileBelow(home, deployment.management_api),
    makeNonAdminUsersReadOnly: deployment.user_access.make_non_admin_users_read_only,
    fileUsers: deployment.internal_apis,
    userStore,
    secondaryUserStores,
    recheckIntervalSeconds,
    recheckGraceSeconds,
    enabledControls: enabledControlsOf(deployment),
    tlsTables: tlsTablesOf(source),
  })
}

function withKeyFileBelow(home: string, api: ManagementApiConfig): ManagementApiConfig {
  const { keyFile } = api.token
  return keyFile === undefined ? api : { ...api, token: { ...api.token, keyFile: resolve(home, keyFile) } }
}

function enabledControlsOf(deployment: Deployment): EnabledControl[] {
  const { management_api, admin_console, web_app, servlet_access_control_filter, oauth } = deployment
  const controls: readonly [isEnabled: boolean, key: string, facet: EnabledControl['facet']][] = [
    [management_api.allowedNetworks !== undefined, 'management_api.control_access.enable', 'managementApi'],
    [admin_console.control_access.enable, 'admin_console.control_access.enable', 'portal'],
    [web_app.control_access.enable, 'web_app.control_access.enable', 'webApps'],
    [servlet_access_control_filter.length > 0, 'servlet_access_control_filter', 'webApps'],
    [oauth.enable, 'oauth.enable', 'oauth'],
  ]
  return controls.filter(([isEnabled]) => isEnabled).map(([, key, facet]) => ({ key, facet }))
}

function tlsTablesOf(source: Tree): string[] {
  const tables: readonly [string, TreeValue][] = [
    ['keystore.tls', valueAt(source, ['keystore', 'tls'])],
    ['internal_api_ssl_config', source['internal_api_ssl_config']],
  ]
  return tables.filter(([, value]) => value !== undefined).map(([name]) => name)
}
