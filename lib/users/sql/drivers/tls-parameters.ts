/**
 * Which parameters of a JDBC URL ask for TLS, and how much of it.
 *
 * Whatever asks for encryption also verifies the server, chain and host name: encryption to whoever answers keeps nobody
 * out. Only a parameter that switches verification off by name does so, and warns. Modes that try TLS and go on without
 * are plain connections: anybody in between could choose that.
 *
 * @module
 */

/** How a server is verified. */
export interface TlsSettings {
  /** Whether the certificate must come from a known authority. */
  readonly rejectUnauthorized: boolean
  /** Whether the certificate must be for the host. */
  readonly verifiesHost: boolean
  /** Certificates of authorities in PEM; absent: those that Node knows. */
  readonly ca?: string
}

/** The settings, and what an operator should know about them. */
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

const warningOf: Readonly<Partial<Record<Mode, string>>> = {
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
  return { tls, warnings: [warningOf[mode] ?? []].flat() }
}

function postgresqlMode(parameters: ReadonlyMap<string, string>): Mode {
  const mode = modeOf(parameters.get('sslmode'), isTrue(parameters.get('ssl')) || parameters.get('ssl') === '')
  const isUnchecked = /NonValidatingFactory$/.test(parameters.get('sslfactory') ?? '')
  return mode !== 'off' && isUnchecked ? 'unverified' : mode
}

function mysqlMode(parameters: ReadonlyMap<string, string>): Mode {
  const isAskedFor = isTrue(parameters.get('usessl')) || isTrue(parameters.get('requiressl'))
  const mode = modeOf(parameters.get('sslmode'), isAskedFor)
  const isUnchecked =
    isTrue(parameters.get('trustservercertificate')) ||
    parameters.get('verifyservercertificate')?.toLowerCase() === 'false'
  return mode !== 'off' && isUnchecked ? 'unverified' : mode
}

/** A mode that is not known is read as the strictest. */
function modeOf(mode: string | undefined, isAskedFor: boolean): Mode {
  if (mode === undefined) return isAskedFor ? 'verified' : 'off'
  const name = mode.toLowerCase()
  return Object.hasOwn(modes, name) ? modes[name]! : 'verified'
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}
