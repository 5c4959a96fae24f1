/**
 * Opens the users of the configuration itself.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config, FileUserConfig, FileUsersConfig } from '../../config/config.js'
import { ConfigError } from '../../core/errors.js'
import { readFlags } from '../../files/read-file.js'
import { replaceFile } from '../../files/replace-file.js'
import { primaryDomain } from '../names.js'
import type { OpenUserStore, OpenUserStoreOptions } from '../open-user-store.js'
import { checkPasswordHash, hashPassword, isPasswordHash, verifyPassword } from '../passwords/password-hash.js'
import { fileUserStore } from './file-user-store.js'

/** @throws `ConfigError` when a hash is broken, or when a well-known name and password would reach production. */
export async function openFileUsers(config: Config, options: OpenUserStoreOptions): Promise<OpenUserStore> {
  let firstAdmin: InitialAdmin | undefined

  /** The users, and what there is to warn of. */
  async function readUsers({ fileUsers, managementApi, path }: Config): Promise<ReadUsers> {
    if (!managementApi.isJwtEnabled && !managementApi.isBasicEnabled) return { users: [], warnings: [] }
    const warnings = await checkDefaultCredentials(fileUsers, options)
    if (fileUsers.users.length > 0) return { users: fileUsers.users, warnings }
    if (firstAdmin !== undefined) return { users: [firstAdmin], warnings }
    const admin = await prepareInitialAdmin({ directory: path === undefined ? (options.home ?? '.') : dirname(path) })
    const { passwordFile } = admin
    const notice =
      passwordFile &&
      `no user is configured: log in as "admin" with the password in ${passwordFile}, which later starts take again; ` +
        'for users of your own write [[internal_apis.users]]'
    const save = (): void => {
      admin.save()
      firstAdmin = admin
    }
    return { users: [admin], warnings: notice === undefined ? warnings : [...warnings, notice], save }
  }

  function logWarnings(warnings: readonly string[]): void {
    for (const text of [...warnings, ...plainTextWarnings(users.plainTextUsers)]) {
      options.logger.warn({ key: 'internal_apis.users' }, text)
    }
  }

  const initial = await readUsers(config)
  const users = await fileUserStore({ users: initial.users, versionKey: options.versionKey })
  initial.save?.()
  logWarnings(initial.warnings)

  return {
    users,
    stores: [{ name: primaryDomain, store: users }],
    async prepare(next) {
      const read = await readUsers(next)
      const swap = await users.prepare(read.users)
      return { save: read.save, swap, log: () => logWarnings(read.warnings) }
    },
  }
}

interface ReadUsers {
  readonly users: readonly FileUserConfig[]
  readonly warnings: readonly string[]
  readonly save?: () => void
}

async function checkDefaultCredentials(
  { users, allowDefaultCredentials }: FileUsersConfig,
  { env }: OpenUserStoreOptions,
): Promise<readonly string[]> {
  const names = await defaultCredentialProblems(users)
  if (names.length === 0) return []
  const ruleFor = (name: string) => `a well-known password lets anybody in as ${name}: change it`
  if (env['NODE_ENV'] === 'production' && !allowDefaultCredentials) {
    const remedy = 'or set internal_apis.allow_default_credentials = true'
    throw new ConfigError(
      names.map((name) => ({ key: passwordKeyFrom(name, users), rule: `${ruleFor(name)}, ${remedy}` })),
    )
  }
  return [`SECURITY: ${ruleFor(names.join(', '))}`]
}

function passwordKeyFrom(name: string, users: readonly FileUserConfig[]): string {
  return `internal_apis.users[${users.findIndex((user) => user.name === name)}].user.password`
}

function plainTextWarnings(names: readonly string[]): readonly string[] {
  if (names.length === 0) return []
  return [
    `the passwords of ${names.join(', ')} are in plain text: write the hash that "npx sallyport hash-password" prints as user.password, or ` +
      'into the variable or the secret that it is read from',
  ]
}

/** Passwords that come with products or are the first of every list; matched without regard to case. */
const wellKnown: ReadonlySet<string> = new Set(
  `
  abc123 admin admin1 admin123 admin1234 admin@123 administrator changeit changeme default guest
  iloveyou letmein p@ssw0rd p@ssword passw0rd password password1 password123 qwerty qwerty123 root
  secret test test123 toor user welcome welcome1 wso2 wso2carbon 111111 12345 123456 12345678
  123456789 1234567890
`
    .trim()
    .split(/\s+/),
)

/**
 * Names of the users with a well-known password, or one that is their own name. A hash is tried for the user `admin` only, and only
 * with the password `admin`: each try costs a login's work.
 */
export async function defaultCredentialProblems(users: readonly FileUserConfig[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, password } of users) {
    if (await isDefault(name.toLowerCase(), password)) names.push(name)
  }
  return names
}

async function isDefault(name: string, password: string): Promise<boolean> {
  if (!isPasswordHash(password)) {
    const folded = password.toLowerCase()
    return folded === name || wellKnown.has(folded)
  }
  return name === 'admin' && checkPasswordHash(password) === undefined && verifyPassword('admin', password)
}

export interface InitialAdminOptions {
  /** Folder for `initial-admin-password`. Not used when `stderr` is a terminal. */
  readonly directory: string
  /** @defaultValue `process.stderr` */
  readonly stderr?: { readonly isTTY?: boolean; write(text: string): unknown }
}

export interface InitialAdmin extends FileUserConfig {
  /** Where the password was written; `undefined` when it was shown on the terminal. */
  readonly passwordFile: string | undefined
  /** Shows or writes the password. @throws `ConfigError` when the file cannot be written. */
  save(): void
}

const fileName = 'initial-admin-password'
const passwordBytes = 24

/**
 * Makes an administrator named `admin` with a random password of 192 bits, in place of a default that everybody knows.
 *
 * On a terminal the password is shown, and ends with the process. Elsewhere it is written to a file that only its owner can read,
 * and the next start takes it from there. It never passes the logger. A link of that name, or a file that others can read or that
 * another user owns, is replaced.
 */
export async function prepareInitialAdmin(options: InitialAdminOptions): Promise<InitialAdmin> {
  const { directory, stderr = process.stderr } = options
  const file = join(directory, fileName)
  const known = stderr.isTTY === true ? undefined : await readPassword(file)
  const password = known ?? randomBytes(passwordBytes).toString('base64url')
  const admin: FileUserConfig = { name: 'admin', password: await hashPassword(password), isAdmin: true, roles: [] }

  function show(): void {
    stderr.write(
      `\nNo user is configured. Until the next start, log in as "admin" with the password\n\n  ${password}\n\n` +
        'For users of your own write [[internal_apis.users]].\n\n',
    )
  }

  function write(): void {
    try {
      if (known === undefined) replaceFile(file, `${password}\n`)
    } catch (cause) {
      const rule = `no user is configured, and the password of a first administrator cannot be written to ${file}: make the folder writable, or write [[internal_apis.users]]`
      throw new ConfigError([{ key: 'internal_apis.users', rule }], { cause })
    }
  }

  return stderr.isTTY === true
    ? { ...admin, passwordFile: undefined, save: show }
    : { ...admin, passwordFile: file, save: write }
}

const passwordLine = /^([A-Za-z0-9_-]{32})\n$/

/** The password of an earlier start; `undefined` when there is no file that only this user could have written and read. */
async function readPassword(file: string): Promise<string | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, readFlags | (constants.O_NOFOLLOW ?? 0))
    const status = await handle.stat()
    const isOurs = status.isFile() && status.uid === process.getuid?.() && (status.mode & 0o077) === 0
    return isOurs && status.size < 100 ? passwordLine.exec(await handle.readFile('utf8'))?.[1] : undefined
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
