/**
 * Password hashes: made with argon2id, verified for argon2id, scrypt and bcrypt.
 *
 * Passwords are taken as they come, but for Unicode: NFC before hashing and before verifying (RFC 8265 section 4.2.1), so
 * that the same password typed on another system is the same.
 *
 * @module
 */

import { availableParallelism } from 'node:os'
import { createLimiter, type Limiter, type WatchedLimiter } from '../../async/limiter.js'
import { StoreError, UnavailableError } from '../../core/errors.js'
import { argon2id, bcrypt, hashArgon2id, isOutdatedArgon2id, type PasswordScheme, scrypt } from './password-schemes.js'

/** Longer passwords (in UTF-8) are refused before any work is done for them. */
export const maxPasswordBytes = 1024

const schemes: ReadonlyMap<string, PasswordScheme> = new Map([
  ['argon2id', argon2id],
  ['scrypt', scrypt],
  ['2a', bcrypt],
  ['2b', bcrypt],
  ['2y', bcrypt],
])

/**
 * Makes an argon2id hash (19 MiB, 2 passes, 1 lane) in the PHC string format.
 *
 * @throws RangeError when the password has more than 1024 bytes in UTF-8.
 */
export async function hashPassword(password: string): Promise<string> {
  if (!isHashable(password)) throw new RangeError(`a password has at most ${maxPasswordBytes} bytes`)
  return hashArgon2id(password.normalize('NFC'))
}

/** Whether a text holds a password hash and is no plain password. It may be one that cannot be used as it is written. */
export function isPasswordHash(text: string): boolean {
  return hashInside(text) !== undefined
}

/** What is wrong with a password hash, in words that can follow a name; `undefined` when it can be verified. */
export function checkPasswordHash(text: string): string | undefined {
  const scheme = schemeFrom(text)
  const problem = scheme?.findProblem(text)
  if (scheme !== undefined && problem === undefined) return undefined
  if (hasMoreThanHash(text)) {
    return (
      'does not stand alone: a blank, a line break, quotes, a name or a mark like {bcrypt} is before, in or after it; ' +
      'write only what begins with the first $, or make one with: npx sallyport hash-password'
    )
  }
  return problem ?? 'is a kind of hash that is not known; make one with: npx sallyport hash-password'
}

/**
 * Whether this is the password that was hashed, in constant time.
 *
 * @throws `StoreError` when the hash cannot be verified.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const problem = checkPasswordHash(hash)
  if (problem !== undefined) throw new StoreError(`a stored password ${problem}`)
  if (!isHashable(password)) return false
  return schemeFrom(hash)!.verify(password.normalize('NFC'), hash)
}

/** Whether the hash is weaker than one made today. */
export function needsRehash(hash: string): boolean {
  return isOutdatedArgon2id(hash)
}

/**
 * Loads what verifying these hashes needs; `key` has them.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`)
 */
export async function loadPasswordSchemes(hashes: readonly string[], key: string): Promise<void> {
  for (const scheme of new Set(hashes.map(schemeFrom))) await scheme?.load?.(key)
}

function hasMoreThanHash(text: string): boolean {
  return hashInside(text) === 'verifiable' && !/^\$(?:argon2\w*|scrypt|2[a-z]?)\$[!-~]+$/.test(text)
}

function schemeFrom(hash: string): PasswordScheme | undefined {
  return schemes.get(/^\$([a-z0-9-]+)\$/.exec(hash)?.[1] ?? '')
}

function isHashable(password: string): boolean {
  return Buffer.byteLength(password) <= maxPasswordBytes
}

/** What a copy, a quotation, a line break or an escape in a shell, YAML or URL leaves in a hash. */
const debris = /[\s\p{Cf}\p{Cc}"'`\u2018-\u201f\\]+/gu

/** Hashes that {@link PasswordScheme}s verify, by what no password that anybody chose has. */
const verifiable = new RegExp(
  [
    // The parameters too, because a shell takes what begins with a dollar sign out.
    String.raw`argon2(?:id|i|d)\$v=\d+\$|=\d+,t=\d+,p=\d+`,
    String.raw`scrypt\$ln=\d+|ln=\d+,r=\d+,p=\d+`,
    String.raw`\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{10}|2[abxy]\$\d\d\$[./A-Za-z0-9]{53}`,
  ].join('|'),
  'i',
)

/** Hashes that nothing here verifies. */
const foreign = new RegExp(
  [
    // crypt(3): MD5, SHA-256, SHA-512, yescrypt and their relatives.
    String.raw`\$(?:1|apr1|5|6|7|y|gy|sha1|md5)\$(?:[^$]{1,40}\$){1,2}[./A-Za-z0-9]{20}`,
    String.raw`\$[PHS]\$[./A-Za-z0-9]{31}`,
    // RFC 2307, and what directories, mail servers and Java frameworks made of it.
    String.raw`\{[\w.+-]*(?:sha|md[45]|crypt|argon|pbkdf|scram|hmac|pkcs5s2)[\w.+-]*\}[./A-Za-z0-9+=$]{13}`,
    // Passlib, Django and Werkzeug.
    String.raw`(?:^|:)(?:pbkdf2|bcrypt|argon2|scrypt|sha1|sha256|sha512|md5)[\w:-]*\$[^$]*\$[./A-Za-z0-9+=$]{16}`,
    // PostgreSQL and MySQL.
    String.raw`SCRAM-SHA-\d+\$\d+:|^md5[0-9a-f]{32}$|^\*[0-9A-F]{40}$`,
  ].join('|'),
  'i',
)

/** Begins like a hash of crypt(3), of the PHC format or of a directory. */
const start =
  /^(?:\$(?:argon2\w*|scrypt|2[a-z]?|[1567y]|gy|md5|sha1|apr1|pbkdf2[\w-]*|bcrypt[\w-]*)\$|\{(?:S?SHA\d*|S?MD5|CRYPT|BCRYPT|SCRYPT|ARGON2\w*|PBKDF2[\w-]*)\})/i

/** What kind of hash a text holds, however it is written; `undefined` for a plain password. */
export function hashInside(text: string): 'verifiable' | 'foreign' | undefined {
  // `$$` is a dollar sign in a Compose file, `%24` in a URL.
  const bare = text
    .replace(/%24/g, '$')
    .replace(debris, '')
    .replace(/\${2,}/g, '$')
  if (verifiable.test(bare)) return 'verifiable'
  return start.test(bare) || foreign.test(bare) ? 'foreign' : undefined
}

export interface HashQueueOptions {
  /**
   * Hashes at the same time. Token signing shares libuv's threads, so one is left free.
   *
   * @defaultValue the cores or `UV_THREADPOOL_SIZE` (4), whichever are fewer, less one; at least 1
   */
  readonly parallel?: number
  /** Hashes that may wait for their turn. @defaultValue 64 */
  readonly maxWaiting?: number
}

/** Runs hash work, a few at a time. One too many gets 503. */
export type HashQueue = Limiter

const defaultThreads = 4

export function createHashQueue({
  parallel = defaultParallel(),
  maxWaiting = 64,
}: HashQueueOptions = {}): WatchedLimiter {
  return createLimiter({
    maxRunning: parallel,
    maxWaiting,
    createOverloadError: () =>
      new UnavailableError('ERR_LOGIN_OVERLOADED', 'Too many logins at the same time. Try again later.'),
  })
}

/** The queue of this process: all stores share it, because they share the threads. */
export const sharedHashQueue: WatchedLimiter = createHashQueue()

function defaultParallel(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? defaultThreads)
  return Math.max(1, Math.min(availableParallelism(), threads || defaultThreads) - 1)
}
