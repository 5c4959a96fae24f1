/**
 * What an app can give `createSecurity` besides the configuration.
 *
 * @module
 */

import type { Logger } from './core/logger.js'
import { nearest } from './internal/near-miss.js'
import type { IsPasswordAcceptable } from './resources/user-administration.js'
import type { TokenStore } from './tokens/token-store.js'
import type { UserStore } from './users/user-store.js'

/** Options of {@link createSecurity}. */
export interface SecurityOptions {
  /**
   * Where warnings and events are logged: any logger with pino's shape.
   *
   * @defaultValue one escaped JSON line to stderr for each entry
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
   * Whether a password may be set through `/users`, besides what the user store demands: a place for a list of common or
   * breached passwords.
   *
   * @defaultValue at least 8 characters
   */
  readonly isPasswordAcceptable?: IsPasswordAcceptable
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
  isPasswordAcceptable: true,
  env: true,
  systemProperties: true,
  home: true,
}

const methodsOf = {
  logger: ['info', 'warn', 'error'],
  userStore: ['authenticate', 'find', 'close'],
  tokenStore: ['find', 'add', 'touch', 'remove', 'removeAllOf', 'list', 'close'],
} as const

/**
 * Refuses options that JavaScript would take without a word.
 *
 * @throws TypeError for an option that is not known, and for a store or logger without one of its methods.
 */
export function demandOptions(options: SecurityOptions): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(optionNames, name)) continue
    const suggestion = nearest(name, Object.keys(optionNames))
    throw new TypeError(`createSecurity has no option "${name}"${suggestion ? `; did you mean "${suggestion}"?` : ''}`)
  }
  for (const [name, methods] of Object.entries(methodsOf)) {
    const value: unknown = options[name as keyof typeof methodsOf]
    const missing = value === undefined ? undefined : methods.find((method) => !hasMethod(value, method))
    if (missing !== undefined) throw new TypeError(`the option "${name}" must have a method ${missing}()`)
  }
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null)?.[name] === 'function'
}
