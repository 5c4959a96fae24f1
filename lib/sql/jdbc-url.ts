/**
 * Reads the JDBC URL of a `[[datasource]]`.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { ConfigError } from '../core/errors.js'

export interface ServerLocation {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** `currentSchema`, for PostgreSQL. */
  readonly schema: string | undefined
  /** `undefined`: the connection is not encrypted. */
  readonly tls: TlsSettings | undefined
}

export type DatabaseLocation =
  | { readonly dialect: 'postgresql' | 'mysql'; readonly server: ServerLocation; readonly warnings: readonly string[] }
  | { readonly dialect: 'sqlite'; readonly file: string; readonly warnings: readonly string[] }

export interface DatabaseLocationOptions {
  /** `[[datasource]] username`; else the URL's `user`. */
  readonly username?: string | undefined
  /** `[[datasource]] password`; else the URL's `password`. */
  readonly password?: string | undefined
  /** Folder that relative file names start from. */
  readonly home: string
}

const serverDialects: Readonly<Record<string, { readonly dialect: 'postgresql' | 'mysql'; readonly port: number }>> = {
  postgresql: { dialect: 'postgresql', port: 5432 },
  mysql: { dialect: 'mysql', port: 3306 },
  mariadb: { dialect: 'mysql', port: 3306 },
}

/** Databases that WSO2 can use and this package cannot. */
const otherDatabases: Readonly<Record<string, string>> = {
  sqlserver: 'Microsoft SQL Server',
  jtds: 'Microsoft SQL Server',
  oracle: 'Oracle',
  db2: 'IBM DB2',
  h2: 'H2',
  derby: 'Derby',
}

/** Host (an IPv6 address in brackets), port and database; PostgreSQL allows the database alone. */
const serverPart = /^(?:\/\/(?:(\[[0-9a-fA-F:.]+\]|[^/:,[\]?#@()]*)(?::(\d{1,5}))?)(?:\/|$))?([^/?#]*)$/

/**
 * Reads a JDBC URL. `&amp;` separates parameters as well as `&`, because the URL is written for an XML file.
 *
 * @throws `ConfigError`, never with the URL, which may hold a password.
 */
export function readJdbcUrl(url: string, options: DatabaseLocationOptions): DatabaseLocation {
  const [, kind, rest] = /^jdbc:([a-z0-9]+):(.*)$/is.exec(url.trim()) ?? []
  if (kind === undefined || rest === undefined)
    throw mistake('must begin with jdbc:postgresql:, jdbc:mysql:, jdbc:mariadb: or jdbc:sqlite:')
  const name = kind.toLowerCase()
  if (name === 'sqlite') return readSqliteUrl(rest, options.home)
  const known = Object.hasOwn(serverDialects, name) ? serverDialects[name] : undefined
  if (known === undefined) throw unknownDatabase(name)

  const [address = '', query = ''] = splitOnce(rest.replaceAll('&amp;', '&'), '?')
  const match = serverPart.exec(address)
  if (match === null) throw mistake(`must be jdbc:${name}://host:port/database with one host`)
  const [, host = '', port, database = ''] = match
  const parameters = readParameters(query)
  const readFile = (path: string): string => readCa(resolve(options.home, path))
  const { tls, warnings } = tlsSettings(known.dialect, parameters, readFile)
  const server: ServerLocation = {
    host: host.replace(/^\[|\]$/g, '') || 'localhost',
    port: port === undefined ? known.port : portNumber(port),
    database: decode(database),
    user: options.username ?? parameters.get('user'),
    password: options.password ?? parameters.get('password'),
    schema: known.dialect === 'postgresql' ? parameters.get('currentschema') : undefined,
    tls,
  }
  // mysql2 would compare the certificate with "localhost" in place of the address.
  if (known.dialect === 'mysql' && isIP(server.host) !== 0 && tls?.verifiesHost === true) {
    throw mistake('must name the host and not its address, or the certificate cannot be verified; or say VERIFY_CA')
  }
  return { dialect: known.dialect, server, warnings: [...warnings, ...plainWarning(server)] }
}

function readSqliteUrl(rest: string, home: string): DatabaseLocation {
  const [path = ''] = splitOnce(rest.replaceAll('&amp;', '&'), '?')
  if (path === ':memory:') return { dialect: 'sqlite', file: path, warnings: [] }
  const file = path.replace(/^file:(?:\/\/)?/, '')
  if (file === '') throw mistake('must name a file: jdbc:sqlite:./users.db')
  return { dialect: 'sqlite', file: resolve(home, file), warnings: [] }
}

function plainWarning({ host, tls }: ServerLocation): readonly string[] {
  if (tls !== undefined || /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)) return []
  return ['passwords and hashes go over the network unencrypted: add sslmode=verify-full (PostgreSQL) or useSSL=true']
}

/** Names are not case-sensitive here; of a name that comes twice, the first counts. */
function readParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = splitOnce(pair, '=')
    const key = decode(name).toLowerCase()
    if (key !== '' && !parameters.has(key)) parameters.set(key, decode(value))
  }
  return parameters
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function portNumber(text: string): number {
  const port = Number(text)
  if (port < 1 || port > 65_535) throw mistake('must have a port from 1 to 65535')
  return port
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw mistake(`names ${file} as certificates of the server, but it cannot be read`, cause)
  }
}

function unknownDatabase(kind: string): ConfigError {
  const name = Object.hasOwn(otherDatabases, kind) ? `${otherDatabases[kind]} is not supported` : 'is no known database'
  return mistake(`${name}: use PostgreSQL, MariaDB, MySQL or SQLite`)
}

function mistake(rule: string, cause?: unknown): ConfigError {
  return new ConfigError([{ key: 'datasource.url', rule }], cause === undefined ? undefined : { cause })
}

/** How a server is verified. */
export interface TlsSettings {
  readonly rejectUnauthorized: boolean
  readonly verifiesHost: boolean
  /** Certificates of authorities in PEM; absent: those that Node knows. */
  readonly ca?: string
}

export interface TlsReading {
  readonly tls: TlsSettings | undefined
  readonly warnings: readonly string[]
}

type Mode = 'off' | 'verified' | 'chain-only' | 'unverified'

/** `sslmode` of PostgreSQL, and `sslMode` of MySQL and MariaDB; letter case does not count. */
const modes: Readonly<Record<string, Mode>> = {
  disable: 'off',
  disabled: 'off',
  allow: 'off',
  prefer: 'off',
  preferred: 'off',
  require: 'verified',
  required: 'verified',
  'verify-ca': 'chain-only',
  verify_ca: 'chain-only',
  'verify-full': 'verified',
  verify_identity: 'verified',
  trust: 'unverified',
}

const modeWarnings: Readonly<Partial<Record<Mode, string>>> = {
  'chain-only': 'the database may be any host with a certificate of a known authority: use verify-full',
  unverified: 'the database is not verified, so anybody in between can read and change what it says: use verify-full',
}

/** Reads the parameters; names are in lower case. `readFile` reads a file of certificates. */
export function tlsSettings(
  dialect: 'postgresql' | 'mysql',
  parameters: ReadonlyMap<string, string>,
  readFile: (path: string) => string,
): TlsReading {
  const mode = dialect === 'postgresql' ? postgresqlMode(parameters) : mysqlMode(parameters)
  if (mode === 'off') return { tls: undefined, warnings: [] }
  const caFile = parameters.get(dialect === 'postgresql' ? 'sslrootcert' : 'serversslcert')
  const tls: TlsSettings = {
    rejectUnauthorized: mode !== 'unverified',
    verifiesHost: mode === 'verified',
    ...(caFile === undefined ? {} : { ca: readFile(caFile) }),
  }
  return { tls, warnings: [modeWarnings[mode] ?? []].flat() }
}

function postgresqlMode(parameters: ReadonlyMap<string, string>): Mode {
  const mode = readMode(parameters.get('sslmode'), isTrue(parameters.get('ssl')) || parameters.get('ssl') === '')
  const isUnchecked = /NonValidatingFactory$/.test(parameters.get('sslfactory') ?? '')
  return mode !== 'off' && isUnchecked ? 'unverified' : mode
}

function mysqlMode(parameters: ReadonlyMap<string, string>): Mode {
  const isAskedFor = isTrue(parameters.get('usessl')) || isTrue(parameters.get('requiressl'))
  const mode = readMode(parameters.get('sslmode'), isAskedFor)
  const isUnchecked =
    isTrue(parameters.get('trustservercertificate')) ||
    parameters.get('verifyservercertificate')?.toLowerCase() === 'false'
  return mode !== 'off' && isUnchecked ? 'unverified' : mode
}

/** A mode that is not known is read as the strictest. */
function readMode(mode: string | undefined, isAskedFor: boolean): Mode {
  if (mode === undefined) return isAskedFor ? 'verified' : 'off'
  const name = mode.toLowerCase()
  return Object.hasOwn(modes, name) ? modes[name]! : 'verified'
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}
