/**
 * The key stores of a configuration, with what they take from each other.
 *
 * @module
 */

import type { ConfigProblem } from '../core/errors.js'
import type { Finding } from './checks/findings.js'
import type { KeyStoreConfig, KeyStoresConfig } from './config.js'
import type { Deployment } from './schema/deployment.js'
import type { KeyStoreTable } from './schema/key-stores.js'
import { formatKey, isWithin, type KeyPath } from './values/key-path.js'

/** What a key store takes where its own table has nothing. */
type Base = Pick<KeyStoreConfig, 'fileName' | 'isFileGiven' | 'password' | 'isPasswordGiven'> & Partial<KeyStoreConfig>

const wso2Folder = 'repository/resources/security/'
const wso2 = { isFileGiven: false, password: 'wso2carbon', isPasswordGiven: false }
const wso2KeyStore: Base = { ...wso2, fileName: `${wso2Folder}wso2carbon.jks` }
const wso2TrustStore: Base = { ...wso2, fileName: `${wso2Folder}client-truststore.jks` }

/**
 * Resolves the key stores. None is opened. `unexpanded` are values that could not be expanded: they stop only what opens their
 * key store.
 */
export function createKeyStores(
  { keystore, custom_keystore, truststore, internal_api_ssl_config: ssl }: Deployment,
  folders: readonly string[],
  unexpanded: readonly Finding[],
): KeyStoresConfig {
  const primary = create(['keystore', 'primary'], keystore.primary, wso2KeyStore)
  const trust = create(['truststore'], truststore, wso2TrustStore)
  return {
    primary,
    internal: keystore.internal === undefined ? primary : create(['keystore', 'internal'], keystore.internal, primary),
    tls: keystore.tls && create(['keystore', 'tls'], keystore.tls, primary),
    internalApi: ssl && createBelow('key_store', ssl.key_store, primary),
    trust,
    internalApiTrust: createBelow('trust_store', ssl?.trust_store, trust),
    custom: Object.fromEntries(
      Object.entries(custom_keystore).map(([name, table]) => [name, create(['custom_keystore', name], table, primary)]),
    ),
  }

  function createBelow(name: string, table: KeyStoreTable | undefined, base: KeyStoreConfig): KeyStoreConfig {
    return table === undefined ? base : { ...create([sslTable, name], table, base), keyNames: sslKeyNames }
  }

  function create(path: KeyPath, written: KeyStoreTable | undefined, base: Base): KeyStoreConfig {
    const table = withoutEmptyPasswords(written)
    const fileName = table?.fileName ?? base.fileName
    // Passwords go with WSO2 from store to store; the names of keys do not.
    const isOwnFile = table?.fileName !== undefined
    const inherited: Partial<Base> = isOwnFile ? {} : base
    const own = unexpanded.filter((finding) => isWithin(finding.path, path))
    return {
      key: formatKey(path),
      keyNames,
      fileName,
      isFileGiven: isOwnFile || base.isFileGiven,
      isWso2Default: /^(?:repository\/resources\/security\/)?wso2carbon\.(?:jks|p12)$/.test(fileName),
      keyFileName: table?.keyFileName ?? inherited.keyFileName,
      folders,
      type: table?.type ?? inherited.type,
      password: table?.password ?? base.password,
      isPasswordGiven: table?.password !== undefined || base.isPasswordGiven,
      alias: table?.alias ?? inherited.alias,
      keyPassword: table?.keyPassword ?? (table?.password === undefined ? base.keyPassword : undefined),
      problems: [...inheritedProblems(table, base), ...own.map(({ path, rule }) => ({ key: formatKey(path), rule }))],
    }
  }
}

const keyNames = {
  file: 'file_name',
  keyFile: 'key_file',
  password: 'password',
  alias: 'alias',
  keyPassword: 'key_password',
} as const
const sslTable = 'internal_api_ssl_config'
const sslKeyNames = { ...keyNames, file: 'location' }

/** The stores of WSO2's products. Files that are made from a template have an empty password for one that was not given. */
const wso2FileName = /(?:^|\/)(?:wso2carbon|client-truststore)\.(?:jks|p12)$/

function withoutEmptyPasswords(table: KeyStoreTable | undefined): KeyStoreTable | undefined {
  if (table?.fileName === undefined || !wso2FileName.test(table.fileName)) return table
  return { ...table, password: table.password || undefined, keyPassword: table.keyPassword || undefined }
}

/** A value that could not be expanded concerns a store that takes it from another, and none that has its own. */
function inheritedProblems(table: KeyStoreTable | undefined, { problems = [] }: Base): readonly ConfigProblem[] {
  const own = new Set([
    ...(table?.fileName === undefined ? [] : ['file_name', 'location', 'key_file', 'type', 'alias', 'key_alias']),
    ...(table?.password === undefined ? [] : ['password', 'key_password']),
    ...(table?.keyPassword === undefined ? [] : ['key_password']),
  ])
  return problems.filter(({ key }) => !own.has(key.slice(key.lastIndexOf('.') + 1)))
}
