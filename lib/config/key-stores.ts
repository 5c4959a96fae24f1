/**
 * The key stores of a configuration: what their tables say, and what they take from each other.
 *
 * @module
 */

import { dirname, resolve } from 'node:path'
import type { ConfigProblem } from '../core/errors.js'
import type { KeyStoreConfig, KeyStoresConfig } from './config.js'
import type { Finding } from './findings.js'
import { formatKey, isWithin, type KeyPath } from './key-path.js'
import type { InternalApiSslTable, KeyStoresTable, KeyStoreTable } from './tables/key-stores.js'

/** The tables that key stores are made of. */
export interface KeyStoreTables {
  readonly keystore: KeyStoresTable
  readonly custom_keystore: Readonly<Record<string, KeyStoreTable>>
  readonly truststore?: KeyStoreTable | undefined
  readonly internal_api_ssl_config?: InternalApiSslTable | undefined
}

/** Where key stores are looked for, and what is wrong with their tables. */
export interface KeyStoreContext {
  /** The configuration's file; `undefined` for an object. */
  readonly path: string | undefined
  /** Folder that relative paths of the configuration start from. */
  readonly home: string
  /** `home` of the options. */
  readonly homeOption: string | undefined
  /** Values that could not be expanded. They stop only what opens the key store. */
  readonly unexpanded: readonly Finding[]
}

/** WSO2's own key store, and its password. */
const wso2 = { isFileGiven: false, password: 'wso2carbon', isPasswordGiven: false }
const wso2KeyStore = { ...wso2, fileName: 'repository/resources/security/wso2carbon.jks' }
const wso2TrustStore = { ...wso2, fileName: 'repository/resources/security/client-truststore.jks' }

/** Resolves the key stores. Nothing is opened. */
export function keyStoresOf(tables: KeyStoreTables, context: KeyStoreContext): KeyStoresConfig {
  const { keystore, custom_keystore, truststore, internal_api_ssl_config: ssl } = tables
  const make = (path: KeyPath, table: KeyStoreTable | undefined, base: Base): KeyStoreConfig =>
    keyStoreOf(path, table, base, context)

  const primary = make(['keystore', 'primary'], keystore.primary, wso2KeyStore)
  const trust = make(['truststore'], truststore, wso2TrustStore)
  const below = ['internal_api_ssl_config']
  return {
    primary,
    internal: keystore.internal === undefined ? primary : make(['keystore', 'internal'], keystore.internal, primary),
    tls: keystore.tls && make(['keystore', 'tls'], keystore.tls, primary),
    internalApi: ssl && (ssl.keyStore === undefined ? primary : make([...below, 'key_store'], ssl.keyStore, primary)),
    trust,
    internalApiTrust: ssl?.trustStore === undefined ? trust : make([...below, 'trust_store'], ssl.trustStore, trust),
    custom: Object.fromEntries(
      Object.entries(custom_keystore).map(([name, table]) => [name, make(['custom_keystore', name], table, primary)]),
    ),
  }
}

/** What a key store takes where its own table has nothing. */
interface Base {
  readonly fileName: string
  readonly isFileGiven: boolean
  readonly keyFileName?: string | undefined
  readonly type?: string | undefined
  readonly password: string
  readonly isPasswordGiven: boolean
  readonly alias?: string | undefined
  readonly keyPassword?: string | undefined
  readonly problems?: readonly ConfigProblem[]
}

function keyStoreOf(
  path: KeyPath,
  written: KeyStoreTable | undefined,
  base: Base,
  context: KeyStoreContext,
): KeyStoreConfig {
  const table = withoutEmptyPasswords(written)
  const fileName = table?.fileName ?? base.fileName
  // Passwords go with WSO2 from store to store; the names of keys do not.
  const isOwnFile = table?.fileName !== undefined
  const inherited: Partial<Base> = isOwnFile ? {} : base
  return {
    key: formatKey(path),
    keyNames: isBelowSslConfig(path) ? locationNames : fileNames,
    fileName,
    isFileGiven: isOwnFile || base.isFileGiven,
    isWso2Default: wso2Defaults.has(fileName),
    keyFileName: table?.keyFileName ?? inherited.keyFileName,
    folders: foldersOf(context),
    type: table?.type ?? inherited.type,
    password: table?.password ?? base.password,
    isPasswordGiven: table?.password !== undefined || base.isPasswordGiven,
    alias: table?.alias ?? inherited.alias,
    keyPassword: table?.keyPassword ?? (table?.password === undefined ? base.keyPassword : undefined),
    problems: [...inheritedProblems(table, base), ...problemsOf(path, context.unexpanded)],
  }
}

/** The stores of WSO2's products. Files that are made from a template have an empty password for one that was not given. */
const wso2FileName = /(?:^|\/)(?:wso2carbon|client-truststore)\.(?:jks|p12)$/

function withoutEmptyPasswords(table: KeyStoreTable | undefined): KeyStoreTable | undefined {
  if (table?.fileName === undefined || !wso2FileName.test(table.fileName)) return table
  return { ...table, password: table.password || undefined, keyPassword: table.keyPassword || undefined }
}

const fileNames = {
  file: 'file_name',
  keyFile: 'key_file',
  password: 'password',
  alias: 'alias',
  keyPassword: 'key_password',
} as const
const locationNames = { ...fileNames, file: 'location' } as const

function isBelowSslConfig([root]: KeyPath): boolean {
  return root === 'internal_api_ssl_config'
}

/** Names under which products of WSO2 look for the key store that they come with. */
const wso2Defaults: ReadonlySet<string> = new Set(
  ['wso2carbon.jks', 'wso2carbon.p12'].flatMap((name) => [name, `repository/resources/security/${name}`]),
)

/** The folder of the file, and those that WSO2's products have their own `conf` or `repository/conf` in. */
function foldersOf({ path, home, homeOption }: KeyStoreContext): string[] {
  const start = resolve(home)
  const around = path === undefined ? [start] : [start, dirname(start), dirname(dirname(start))]
  return [...new Set(homeOption === undefined ? around : [resolve(homeOption), ...around])]
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

function problemsOf(path: KeyPath, findings: readonly Finding[]): ConfigProblem[] {
  return findings
    .filter((finding) => isWithin(finding.path, path))
    .map((finding) => ({ key: formatKey(finding.path), rule: finding.rule }))
}
