/**
 * Users from the configuration file: they live in this process and change only when the file is read again.
 *
 * @module
 */

import { createHash, createHmac, hash as digest, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FileUserConfig } from '../../config/config.js'
import { ConfigError, type ConfigProblem } from '../../core/errors.js'
import {
  checkPasswordHash,
  type HashQueue,
  isPasswordHash,
  loadPasswordSchemes,
  maxPasswordBytes,
  sharedHashQueue,
  verifyPassword,
} from '../passwords/password-hash.js'
import { isUserName, type UserAccount, type UserStore } from '../user-store.js'

/** Options of {@link fileUserStore}. */
export interface FileUserStoreOptions {
  /** Each with a password hash or a plain password. */
  readonly users: readonly FileUserConfig[]
  /**
   * Limits password hashing.
   *
   * @defaultValue the queue that the whole process shares
   */
  readonly hashQueue?: HashQueue
  /**
   * Key of the versions of users whose password is in plain text: the same in all processes that share tokens.
   *
   * @defaultValue one for this process, which ends their tokens in every other one
   */
  readonly versionKey?: Uint8Array | undefined
}

/** A {@link UserStore} of users that are known beforehand. */
export interface FileUserStore extends UserStore {
  readonly generation: number
  /** Names of users whose password is given in plain text. Hash it with `npx sallyport hash-password`. */
  readonly plainTextUsers: readonly string[]
  /** All users, in the order of the list. */
  listAccounts(): readonly UserAccount[]
  /** Never a promise: the users are in memory. */
  find(subject: string): UserAccount | undefined
  /**
   * Exchanges all users at once. When it rejects, the ones before stay.
   *
   * @throws `ConfigError` as {@link fileUserStore} does.
   */
  replace(users: readonly FileUserConfig[]): Promise<void>
  /** The first half of `replace`: answers the function that exchanges the users, which never throws. */
  prepare(users: readonly FileUserConfig[]): Promise<() => void>
  close(): void
}

/**
 * Makes a user store of a list of users. Names are matched exactly, in NFC. An administrator also has the role `admin`.
 *
 * @throws `ConfigError` naming each user whose name or password cannot be used, and when a hash needs a package that is not
 * installed.
 */
export async function fileUserStore(options: FileUserStoreOptions): Promise<FileUserStore> {
  const { hashQueue = sharedHashQueue, versionKey = processKey } = options
  let current: FileUsers = await readFileUsers(options.users, versionKey)
  let generation = 1

  async function prepare(users: readonly FileUserConfig[]): Promise<() => void> {
    const next = await readFileUsers(users, versionKey)
    return () => {
      current = next
      generation++
    }
  }

  return {
    get generation() {
      return generation
    },

    get plainTextUsers() {
      return current.plainTextUsers
    },

    async authenticate(name, password, signal) {
      signal?.throwIfAborted()
      const { users, standInHash } = current
      const subject = name.normalize('NFC')
      const user = users.get(subject)
      // One hash for every login, once any user has one. The choice is made for every name, so that it tells nothing either.
      const standIn = standInHash(subject)
      const hash = user?.hash ?? standIn
      const matchesHash = hash !== undefined && (await hashQueue.run(() => verifyPassword(password, hash), signal))
      if (user === undefined) return { failure: 'unknown-user' }
      const isRight = user.isPlainPassword?.(password) ?? matchesHash
      // The users may have been exchanged while the hash was computed.
      const account = current.users.get(user.account.subject)?.account
      if (!isRight || account?.version !== user.account.version) return { failure: 'wrong-password', subject }
      return { account }
    },

    listAccounts: () => [...current.users.values()].map(({ account }) => account),

    find: (subject) => current.users.get(subject)?.account,

    async replace(users) {
      const swap = await prepare(users)
      swap()
    },

    prepare,

    close() {},
  }
}

/** Whether a store is one of {@link fileUserStore}. */
export function isFileUserStore(store: UserStore): store is FileUserStore {
  return 'listAccounts' in store
}

/** A plain password is not kept: only a digest of it under a key that never leaves the process. */
export interface FileUser {
  readonly account: UserAccount
  readonly hash: string | undefined
  readonly isPlainPassword: ((password: string) => boolean) | undefined
}

export interface FileUsers {
  /** By subject: a `Map`, so that `__proto__` and `constructor` are names like any other. */
  readonly users: ReadonlyMap<string, FileUser>
  readonly plainTextUsers: readonly string[]
  readonly standInHash: (name: string) => string | undefined
}

const adminRole = 'admin'

/** Keeps plain passwords comparable without keeping them. It never leaves the process. */
const processKey = randomBytes(32)

/** @throws `ConfigError` */
export async function readFileUsers(configs: readonly FileUserConfig[], versionKey: Uint8Array): Promise<FileUsers> {
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
    users.set(subject, readUser(subject, config, versionKey))
  }
  if (problems.length > 0) throw new ConfigError(problems)

  const all = [...users.values()]
  const hashes = all.flatMap(({ hash }) => hash ?? [])
  const firstBcrypt = configs.findIndex(({ password }) => password.startsWith('$2'))
  await loadPasswordSchemes(hashes, `internal_apis.users[${Math.max(firstBcrypt, 0)}].user.password`)
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
  if (password === '') return 'must have a password: the hash that "npx sallyport hash-password" prints'
  if (isPasswordHash(password)) {
    const problem = checkPasswordHash(password)
    return problem === undefined ? undefined : `has a password hash that ${problem}`
  }
  const isTooLong = Buffer.byteLength(password) > maxPasswordBytes
  return isTooLong ? `must have a password of at most ${maxPasswordBytes} bytes` : undefined
}

function readUser(subject: string, { password, isAdmin, roles }: FileUserConfig, versionKey: Uint8Array): FileUser {
  const allRoles = isAdmin ? new Set([...roles, adminRole]) : new Set(roles)
  const account = { subject, isAdmin, roles: Object.freeze([...allRoles]) }
  if (isPasswordHash(password)) {
    // The same in every process, so that tokens of a hashed user outlive a restart. A salted hash gives nothing away.
    const version = createHash('sha256').update(password).digest('base64url')
    return { account: Object.freeze({ ...account, version }), hash: password, isPlainPassword: undefined }
  }
  const expected = createDigest(processKey, 'password', password)
  const version = createDigest(versionKey, 'version', password).toString('base64url')
  const isPlainPassword = (candidate: string): boolean =>
    timingSafeEqual(createDigest(processKey, 'password', candidate), expected)
  return { account: Object.freeze({ ...account, version }), hash: undefined, isPlainPassword }
}

/** `purpose` keeps the version, which is stored with tokens, apart from what passwords are compared with. */
function createDigest(key: Uint8Array, purpose: 'password' | 'version', password: string): Buffer {
  return createHmac('sha256', key)
    .update(`${purpose}\0${password.normalize('NFC')}`)
    .digest()
}

/** Hashes of one cost that are chosen from. More would make no difference that a clock could tell. */
const maxCandidates = 16

interface Candidate {
  readonly hash: string
  readonly weight: number
}

/**
 * Makes the choice among the hashes of a store's users: `undefined` for every name when there are none.
 *
 * Hashes may differ much in cost: argon2id in 10 ms, an old bcrypt hash in a second. With one cost for unknown names, users of
 * another cost would be known by it. So each name gets a user's hash, always the same one, and each cost as often as users have
 * it. Weighted rendezvous hashing: a user who comes, goes or changes the password moves hardly any other name; names whose time
 * stays the same would be given away otherwise.
 */
export function standInChoice(hashes: readonly string[]): (name: string) => string | undefined {
  const hashesByCost = new Map<string, string[]>()
  for (const hash of hashes) {
    const cost = readCost(hash)
    const others = hashesByCost.get(cost)
    if (others === undefined) hashesByCost.set(cost, [hash])
    else others.push(hash)
  }
  const candidates = [...hashesByCost.values()].flatMap(candidatesAmong)

  return function standInHash(name) {
    let chosen: string | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (const { hash, weight } of candidates) {
      const score = -Math.log(hashFraction(`${hash}\0${name}`)) / weight
      if (score >= lowest) continue
      lowest = score
      chosen = hash
    }
    return chosen
  }
}

function readCost(hash: string): string {
  return /^\$2[a-z]?\$\d\d|^.*(?=\$[^$]*\$[^$]*$)/.exec(hash)?.[0] ?? hash
}

function candidatesAmong(hashes: readonly string[]): readonly Candidate[] {
  const chosen = hashes
    .map((hash) => ({ hash, order: digest('sha256', hash) }))
    .sort((one, other) => (one.order < other.order ? -1 : 1))
    .slice(0, maxCandidates)
  return chosen.map(({ hash }) => ({ hash, weight: hashes.length / chosen.length }))
}

/** A number above 0 and up to 1, evenly spread. */
function hashFraction(text: string): number {
  return (Number.parseInt(digest('sha256', text).slice(0, 12), 16) + 1) / 2 ** 48
}
