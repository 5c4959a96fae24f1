/**
 * What an app can give `createSecurity` besides the configuration.
 *
 * @module
 */

import type { AcceptPassword } from '../admin-api/user-administration.js'
import type { AuditSink } from '../audit/audit-record.js'
import type { Logger } from '../core/logger.js'
import { nearest } from '../core/names.js'
import type { CreateUser } from '../middleware/request-user.js'
import type { DuplicableClient } from '../redis/redis-connection.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { UserStore } from '../users/user-store.js'

/** Options of {@link createSecurity}. */
export interface SecurityOptions {
  /**
   * Where warnings and events are logged: any logger with pino's shape.
   *
   * @defaultValue one escaped line to stderr for each entry: text on a terminal, elsewhere JSON
   */
  readonly logger?: Logger
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
  /** The user store, in place of the one that the configuration names. It stays yours to close. */
  readonly userStore?: UserStore
  /** The token store, in place of the one in memory. It stays yours to close. */
  readonly tokenStore?: TokenStore
  /**
   * A client of `@redis/client` whose settings are used for `[shared_store]`, in place of its `url`. Its connection is not used, and
   * stays yours to close.
   */
  readonly redisClient?: DuplicableClient
  /**
   * Called with each record of the audit trail, one after the other; see `[audit_trail]`. May return a promise, for which the next one
   * waits. A record with which it fails comes again a second later. With `file`, a record is in the file before.
   *
   * @defaultValue records go to the file, or where there is none nowhere
   */
  readonly auditTrail?: AuditSink
  /**
   * Whether a password may be set through `/users`, besides what the user store requires: a place for a list of common or
   * breached passwords.
   *
   * @defaultValue at least 8 characters
   */
  readonly acceptPassword?: AcceptPassword
  /**
   * Makes `request.user` from the caller, in every mount that authenticates: for code that was written for passport. May return a
   * promise; what it rejects with refuses the request.
   *
   * @defaultValue `request.user` is left alone
   * @example ({ subject }) => ({ id: subject, username: subject })
   */
  readonly requestUser?: CreateUser
  /**
   * Values of `$env{}` placeholders.
   *
   * @defaultValue `process.env`
   */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * Values of `$sys{}` placeholders.
   *
   * @defaultValue none
   */
  readonly systemProperties?: Readonly<Record<string, string>>
  /**
   * Folder that relative file names start from when the configuration is not read from a file.
   *
   * @defaultValue the working directory
   */
  readonly home?: string
}

const optionNames: Readonly<Record<keyof SecurityOptions, true>> = {
  logger: true,
  clock: true,
  userStore: true,
  tokenStore: true,
  redisClient: true,
  auditTrail: true,
  acceptPassword: true,
  requestUser: true,
  env: true,
  systemProperties: true,
  home: true,
}

const readMethods = {
  logger: ['info', 'warn', 'error'],
  userStore: ['authenticate', 'find', 'close'],
  tokenStore: ['find', 'add', 'touch', 'remove', 'removeBySubject', 'list', 'close'],
  redisClient: ['duplicate'],
} as const

/**
 * Refuses options that JavaScript would take without a word.
 *
 * @throws TypeError for an option that is not known, and for a store or logger without one of its methods.
 */
export function assertOptions(options: SecurityOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(optionNames, name)) continue
    const suggestion = nearest(name, Object.keys(optionNames))
    throw new TypeError(`createSecurity has no option "${name}"${suggestion ? `; did you mean "${suggestion}"?` : ''}`)
  }
  for (const [name, methods] of Object.entries(readMethods)) {
    const value: unknown = options[name as keyof typeof readMethods]
    const missing = value === undefined ? undefined : methods.find((method) => !hasMethod(value, method))
    if (missing !== undefined) throw new TypeError(`the option "${name}" must have a method ${missing}()`)
  }
  for (const name of ['requestUser', 'auditTrail'] as const) {
    if (!['undefined', 'function'].includes(typeof options[name])) {
      throw new TypeError(`the option "${name}" must be a function`)
    }
  }
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null)?.[name] === 'function'
}
