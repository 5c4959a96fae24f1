/**
 * Turns the users of the configuration file into what a login compares with.
 *
 * @module
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FileUserConfig } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { isUserName } from './credential-limits.js'
import { checkPasswordHash, isPasswordHash, loadPasswordSchemes, maxPasswordBytes } from './password-hash.js'
import { standInChoice } from './stand-in-hash.js'
import type { UserAccount } from './user-store.js'

/** A user with what a password is compared with: either a hash, or a function for one that was given in plain text. */
export interface FileUser {
  readonly account: UserAccount
  readonly hash: string | undefined
  readonly isPlainPassword: ((password: string) => boolean) | undefined
}

/** All users of a file. */
export interface FileUsers {
  /** By subject: a `Map`, so that `__proto__` and `constructor` are names like any other. */
  readonly users: ReadonlyMap<string, FileUser>
  readonly plainTextUsers: readonly string[]
  /** What is verified for a name without a hash. */
  readonly standInHash: (name: string) => string | undefined
}

/** The role of administrators, so that a path rule can name it. */
const adminRole = 'admin'

/** Keeps plain passwords comparable without keeping them. It never leaves the process. */
const processKey = randomBytes(32)

/**
 * @throws {@link ConfigError} that names every user whose name or password cannot be used, or that a hash needs a package
 * that is not installed.
 */
export async function readFileUsers(configs: readonly FileUserConfig[]): Promise<FileUsers> {
  const users = new Map<string, FileUser>()
  const problems: ConfigProblem[] = []
  for (const [index, config] of configs.entries()) {
    const subject = config.name.normalize('NFC')
    const rules = {
      name: users.has(subject) ? 'is given twice' : nameProblem(subject),
      password: passwordProblem(config.password),
    }
    for (const [field, rule] of Object.entries(rules)) {
      const key = `internal_apis.users[${index}].user.${field}`
      if (rule !== undefined) problems.push({ key, rule: `user ${JSON.stringify(subject)} ${rule}` })
    }
    users.set(subject, readUser(subject, config))
  }
  if (problems.length > 0) throw new ConfigError(problems)

  const all = [...users.values()]
  const hashes = all.flatMap(({ hash }) => hash ?? [])
  await loadPasswordSchemes(hashes, 'internal_apis.users')
  return {
    users,
    plainTextUsers: all.flatMap(({ hash, account }) => (hash === undefined ? account.subject : [])),
    standInHash: standInChoice(hashes),
  }
}

function nameProblem(name: string): string | undefined {
  return isUserName(name) ? undefined : 'must have a name of 1 to 255 characters without control characters'
}

function passwordProblem(password: string): string | undefined {
  if (password === '') return 'must have a password'
  if (isPasswordHash(password)) {
    const problem = checkPasswordHash(password)
    return problem === undefined ? undefined : `has a password hash that ${problem}`
  }
  const isTooLong = Buffer.byteLength(password) > maxPasswordBytes
  return isTooLong ? `must have a password of at most ${maxPasswordBytes} bytes` : undefined
}

function readUser(subject: string, { password, isAdmin, roles }: FileUserConfig): FileUser {
  const allRoles = isAdmin ? new Set([...roles, adminRole]) : new Set(roles)
  const account = { subject, isAdmin, roles: Object.freeze([...allRoles]) }
  if (isPasswordHash(password)) {
    // The same in every process, so that tokens of a hashed user outlive a restart. A salted hash gives nothing away.
    const version = createHash('sha256').update(password).digest('base64url')
    return { account: Object.freeze({ ...account, version }), hash: password, isPlainPassword: undefined }
  }
  const expected = digestOf('password', password)
  const version = digestOf('version', password).toString('base64url')
  const isPlainPassword = (candidate: string): boolean => timingSafeEqual(digestOf('password', candidate), expected)
  return { account: Object.freeze({ ...account, version }), hash: undefined, isPlainPassword }
}

/** `purpose` keeps the version, which is stored with tokens, apart from what passwords are compared with. */
function digestOf(purpose: 'password' | 'version', password: string): Buffer {
  return createHmac('sha256', processKey)
    .update(`${purpose}\0${password.normalize('NFC')}`)
    .digest()
}
