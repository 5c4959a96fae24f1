/**
 * What `sallyport check` opens of what a file names: key stores, keys, a snapshot, and with `--connect` the user store. Nothing
 * is changed, and nothing is made.
 *
 * @module
 */

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { within } from '../async/deadline.js'
import type { InspectedFinding } from '../config/check-file.js'
import type { Config, KeyStoreConfig } from '../config/config.js'
import { parsePrintedKey } from '../config/values/key-path.js'
import { hasPlaceholder } from '../config/values/placeholders.js'
import { type Tree, valueAt } from '../config/values/tree.js'
import { ConfigError, type ConfigProblem, StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { loadKeyStore, loadTrustStore } from '../tls/key-stores/key-store.js'
import { certificateWarnings, loadServerMaterial, mayServeHttps, serverKeyStore } from '../tls/server-material.js'
import { readTokenKeys } from '../tokens/keys/token-keys.js'
import { defaultCredentialProblems } from '../users/file/open-file-users.js'
import { openUserStore } from '../users/open-user-store.js'
import { hashPassword, isPasswordHash } from '../users/passwords/password-hash.js'
import { auditFileProblems } from './open-audit-trail.js'
import { missingPackages } from './optional-packages.js'

/** Something that the file names, by its key. */
export interface Opening {
  readonly key: string
  /** What was found, or why it was not opened. */
  readonly text: string
}

export interface InspectionOptions {
  /** Whether the user store is asked for a user. */
  readonly connect: boolean
  readonly clock: () => number
  readonly env: Readonly<Record<string, string | undefined>>
  /** What is to be written in the place of a plain password. @defaultValue its hash */
  readonly hash?: (password: string) => Promise<string>
}

export class Inspection {
  readonly opened: Opening[] = []
  readonly notOpened: Opening[] = []
  readonly #options: InspectionOptions
  /** Hashes by password: a hash differs each time, and takes time. */
  readonly #hashes = new Map<string, string>()

  constructor(options: InspectionOptions) {
    this.#options = options
  }

  /** Looks at all that a configuration names. */
  async inspect(config: Config, source: Tree): Promise<readonly InspectedFinding[]> {
    this.opened.length = 0
    this.notOpened.length = 0
    const parts = [
      () => this.#inspectUsers(config, source),
      () => this.#inspectTokenKeys(config),
      () => this.#inspectServer(config),
      () => this.#inspectKeyStores(config),
      () => this.#inspectSnapshot(config),
      () => this.#inspectUserStore(config),
    ]
    const found: InspectedFinding[] = []
    for (const part of parts) found.push(...(await part()))
    const problems = [...(await auditFileProblems(config)), ...(await missingPackages(config))]
    for (const problem of problems) found.push({ ...findingFrom(problem), isMistake: true })
    this.#leaveOthers(config)
    return found
  }

  /** Other servers, which a check does not call. */
  #leaveOthers({ sharedStore, identityProviders, managementApi }: Config): void {
    if (sharedStore !== undefined) this.#leave('shared_store', 'a start connects to it')
    for (const { origin, issuer } of identityProviders) {
      this.#leave(origin.key, `${issuer} is asked when somebody signs in there`)
    }
    const { trustedIssuer } = managementApi
    if (trustedIssuer !== undefined) {
      this.#leave(
        'management_api.trusted_issuer',
        `${trustedIssuer.issuer} is asked for its keys when a token of it comes`,
      )
    }
  }

  #leave(key: string, text: string): readonly InspectedFinding[] {
    this.notOpened.push({ key, text })
    return []
  }

  /** The passwords of the file. One that is known to everybody stays as it is: a hash would only hide it. */
  async #inspectUsers({ fileUsers, managementApi }: Config, source: Tree): Promise<readonly InspectedFinding[]> {
    if (!fileUsers.isEnabled || !(managementApi.isJwtEnabled || managementApi.isBasicEnabled)) return []
    if (fileUsers.users.length === 0) {
      return this.#leave('internal_apis.users', 'there are none: the start makes an administrator with a new password')
    }
    const wellKnown = await defaultCredentialProblems(fileUsers.users)
    const found: InspectedFinding[] = []
    for (const [index, { name, password }] of fileUsers.users.entries()) {
      const path = ['internal_apis', 'users', index, 'user', 'password']
      const written = valueAt(source, path)
      if (wellKnown.includes(name)) {
        found.push({ path, rule: `a well-known password lets anybody in as ${name}: change it` })
      } else if (!isPasswordHash(password)) {
        const rule = 'is in plain text: write the hash that "npx sallyport hash-password" prints'
        const isFixable = typeof written === 'string' && !hasPlaceholder(written)
        found.push({ path, rule, ...(isFixable && { fix: { kind: 'set', path, value: await this.#hash(password) } }) })
      }
    }
    return found
  }

  async #hash(password: string): Promise<string> {
    const hash = this.#hashes.get(password) ?? (await (this.#options.hash ?? hashPassword)(password))
    this.#hashes.set(password, hash)
    return hash
  }

  async #inspectTokenKeys(config: Config): Promise<readonly InspectedFinding[]> {
    const { keyFile, keyStore } = config.managementApi.token
    if (keyFile === undefined && keyStore === undefined) return []
    const key = `management_api.jwt_token_security_handler.token_config.${keyFile === undefined ? 'keystore' : 'key_file'}`
    return mistakesOf(async () => {
      const { signing, warnings = [] } = await readTokenKeys(config)
      this.opened.push({ key, text: `the key ${signing.kid} signs tokens` })
      return warnings.map(findingFrom)
    })
  }

  async #inspectServer(config: Config): Promise<readonly InspectedFinding[]> {
    if (!mayServeHttps(config)) return []
    const { key } = serverKeyStore(config)
    const load = async (): Promise<readonly InspectedFinding[]> => {
      const material = await loadServerMaterial(config, this.#options.clock())
      if (!('key' in material)) {
        return this.#leave(key, "WSO2's own is not there: a server of createServer makes a certificate for development")
      }
      this.opened.push({ key, text: `${describeCertificate(material.certificates[0]!)}; for HTTPS` })
      return material.warnings.map(findingFrom)
    }
    // Without a table for TLS, a server speaks plain HTTP.
    return config.tlsTables.length > 0 ? mistakesOf(load) : this.#unlessBroken(key, load)
  }

  /** Those that the file names and nothing opened so far. */
  async #inspectKeyStores(config: Config): Promise<readonly InspectedFinding[]> {
    const { primary, internal, tls, internalApi, custom, trust, internalApiTrust } = config.keyStores
    const seen = new Set(mayServeHttps(config) ? [serverKeyStore(config).key] : [])
    const isNew = (store: KeyStoreConfig | undefined): store is KeyStoreConfig => {
      if (store === undefined || seen.has(store.key) || !store.isFileGiven) return false
      seen.add(store.key)
      return true
    }
    const found: InspectedFinding[] = []
    for (const store of [primary, internal, tls, internalApi, ...Object.values(custom)].filter(isNew)) {
      const load = async (): Promise<readonly InspectedFinding[]> => {
        const [certificate] = (await loadKeyStore(store)).certificates
        this.opened.push({ key: store.key, text: describeCertificate(certificate!) })
        const key = `${store.key}.${store.keyNames.file}`
        return certificateWarnings(certificate!, this.#options.clock()).map((rule) => findingFrom({ key, rule }))
      }
      found.push(...(await this.#unlessBroken(store.key, load)))
    }
    for (const store of [trust, internalApiTrust].filter(isNew)) {
      const load = async (): Promise<readonly InspectedFinding[]> => {
        const { length } = await loadTrustStore(store)
        this.opened.push({ key: store.key, text: `${length} certificate${length === 1 ? '' : 's'}` })
        return []
      }
      found.push(...(await this.#unlessBroken(store.key, load)))
    }
    return found
  }

  /** What nothing uses may be broken, or be on another machine. */
  async #unlessBroken(
    key: string,
    load: () => Promise<readonly InspectedFinding[]>,
  ): Promise<readonly InspectedFinding[]> {
    try {
      return await load()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return this.#leave(key, error.problems.map((problem) => `${problem.key} ${problem.rule}`).join('; '))
    }
  }

  async #inspectSnapshot({ managementApi }: Config): Promise<readonly InspectedFinding[]> {
    const { file } = managementApi.tokenStore.snapshot ?? {}
    if (file === undefined) return []
    const key = 'management_api.jwt_token_security_handler.token_store_config.snapshot_file'
    const refuse = (rule: string): readonly InspectedFinding[] => [
      { path: parsePrintedKey(key)!, rule, isMistake: true },
    ]
    if (!(await isAccessible(dirname(file), constants.W_OK))) {
      return refuse('names a file in a folder that this user cannot write to')
    }
    const status = await stat(file).catch(() => undefined)
    if (status === undefined) return this.#leave(key, 'there is no snapshot yet')
    if (!(await isAccessible(file, constants.R_OK))) return refuse('names a file that this user cannot read')
    this.opened.push({ key, text: `${status.size} bytes, of ${status.mtime.toISOString()}` })
    return []
  }

  /** A database is not opened without `--connect`: that makes a connection, or a file. */
  async #inspectUserStore(config: Config): Promise<readonly InspectedFinding[]> {
    const { userStore, path } = config
    const { connect, env, clock } = this.#options
    if (userStore === undefined) return []
    const { key } = userStore
    if (userStore.type === 'unavailable') return this.#leave(key, userStore.reason)
    if (userStore.type === 'database' && !connect) return this.#leave(key, 'a database; --connect asks it for a user')
    if (userStore.type === 'database' && (await isMissingFile(userStore.sql.datasource))) {
      return this.#leave(key, 'the file of the database is not there; "npx sallyport users init" makes it')
    }
    const found: InspectedFinding[] = []
    const opening = async (): Promise<readonly InspectedFinding[]> => {
      const { users } = await openUserStore(config, { logger: findingLogger(found), env, clock, home: path })
      try {
        if (!connect) return this.#leave(key, 'a directory; --connect asks it for a user')
        await within(Promise.resolve(users.find('sallyport-check')), connectTimeoutMs, tooLate)
        this.opened.push({ key, text: 'answers' })
        return []
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        const { message, cause } = error
        const reason = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : ''
        return [{ path: parsePrintedKey(key)!, rule: `cannot be reached: ${message}${reason}`, isMistake: true }]
      } finally {
        await users.close()
      }
    }
    return [...(await mistakesOf(opening)), ...found]
  }
}

const connectTimeoutMs = 15_000

function tooLate(): StoreError {
  return new StoreError(`no answer within ${connectTimeoutMs / 1000} seconds`)
}

async function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

/** To open a database of SQLite that is not there makes it. */
async function isMissingFile({ url, home }: { readonly url: string; readonly home: string }): Promise<boolean> {
  const [, name] = /^\s*jdbc:sqlite:(?:file:)?([^?]+)/i.exec(url) ?? []
  if (name === undefined || name === ':memory:') return false
  const { resolve } = await import('node:path')
  return !(await isAccessible(resolve(home, name), constants.F_OK))
}

/** What would stop the start, or a server. */
async function mistakesOf(work: () => Promise<readonly InspectedFinding[]>): Promise<readonly InspectedFinding[]> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => ({ ...findingFrom(problem), isMistake: true }))
  }
}

function findingFrom({ key, rule, suggestion }: ConfigProblem): InspectedFinding {
  return { path: parsePrintedKey(key) ?? [key], rule: rule.replace(/^must /, 'has to '), suggestion }
}

/** What a store warns of as it is opened. */
function findingLogger(found: InspectedFinding[]): Logger {
  const note = (fields: object, message: string): void => {
    const { key } = fields as { readonly key?: string }
    if (key === undefined) return
    const path = parsePrintedKey(key) ?? [key]
    const rule = message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message
    found.push({ path, rule, ...(isCheckOff(path) && { fix: { kind: 'set', path, value: true } }) })
  }
  return { info() {}, warn: note, error: note }
}

/** The one switch of a user store that a warning is about whatever else is written. */
function isCheckOff(path: readonly (string | number)[]): boolean {
  return /^(?:ssl_certificate_validation_enabled|SSLCertificateValidationEnabled)$/.test(String(path.at(-1)))
}

function describeCertificate({ subject, validTo }: { readonly subject: string; readonly validTo: string }): string {
  const name = subject.split('\n').find((part) => part.startsWith('CN=')) ?? subject.replaceAll('\n', ', ')
  return `${name}, until ${new Date(validTo).toISOString().slice(0, 10)}`
}
