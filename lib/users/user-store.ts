/**
 * What a user store answers. A user store never sees a request.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import { hasControlCharacter } from '../core/names.js'
import { maxPasswordBytes } from './passwords/password-hash.js'

/** A user as a store knows it. */
export interface UserAccount {
  /** The store's own spelling of the name (NFC), with `DOMAIN/` before it unless the store is the primary one. */
  readonly subject: string
  /** Names as authorization rules have to spell them, with `DOMAIN/` where the store has it. */
  readonly roles: readonly string[]
  /** Administrators pass every authorization rule. */
  readonly isAdmin: boolean
  /** Changes whenever the password does. It tells nothing of the password. */
  readonly version: string
  /** Milliseconds that a token of this account may live at the most. @defaultValue as long as any other */
  readonly maxTokenAgeMs?: number | undefined
}

/** Why a store does not accept a name and a password. */
export type AuthenticationFailure = 'unknown-user' | 'wrong-password' | 'disabled'

/** The outcome of {@link UserStore.authenticate}. */
export type AuthenticationResult =
  | {
      /** The user, whose password was right. */
      readonly account: UserAccount
      /** Absent: the login is good. */
      readonly failure?: never
    }
  | {
      /** Absent: nobody is logged in. */
      readonly account?: never
      /** For the audit trail; the client gets the same answer to each. */
      readonly failure: AuthenticationFailure
      /** The user whom the name means: guesses at one user count together, by whatever name they are made. */
      readonly subject?: string | undefined
    }

/** What a store knows of the person behind a user. */
export interface UserProfile {
  /** The name for display. */
  readonly name?: string | undefined
  /** Nothing is said of whether it was verified. */
  readonly email?: string | undefined
}

/** Keeps users. A store that fails rejects with `StoreError`: a login then gets 503, never 401. */
export interface UserStore {
  /**
   * For stores whose users live in this process: a number that changes whenever any user does. Tokens are then compared
   * at every request; without it, after `[user_store] recheck_interval`.
   */
  readonly generation?: number
  /** Checks a name and a password. An unknown user must take as long as a user might: time must not tell who is known. */
  authenticate(name: string, password: string, signal?: AbortSignal): Promise<AuthenticationResult>
  /** The user with this subject; `undefined` when there is none or it is disabled. */
  find(subject: string, signal?: AbortSignal): UserAccount | undefined | Promise<UserAccount | undefined>
  /** What OAuth clients may learn of a user; `undefined` when there is none. Absent: the store knows names and roles only. */
  findProfile?(subject: string, signal?: AbortSignal): Promise<UserProfile | undefined>
  /** Asks for nothing: rejects when no user can be looked up. For health. Absent: the store counts as there. */
  ping?(signal?: AbortSignal): Promise<void>
  /** Ends connections. */
  close(): void | Promise<void>
}

/**
 * A store with some methods exchanged. A proxy, because the others may use private fields of the store itself; not of the store, which may be
 * frozen. What is written to it is written to the store, also a method that the exchanged one calls.
 */
export function withMethods<Store extends UserStore>(store: Store, exchanged: Partial<Store>): Store {
  const bound = new WeakMap<object, unknown>()
  return new Proxy(Object.create(store) as Store, {
    get(_, name) {
      if (Object.hasOwn(exchanged, name)) return Reflect.get(exchanged, name)
      const value: unknown = Reflect.get(store, name)
      if (typeof value !== 'function') return value
      if (!bound.has(value)) bound.set(value, value.bind(store))
      return bound.get(value)
    },
    set: (_, name, value) => Reflect.set(store, name, value),
    defineProperty: (_, name, descriptor) => Reflect.defineProperty(store, name, descriptor),
    deleteProperty: (_, name) => Reflect.deleteProperty(store, name),
  })
}

/** The present state of an account. */
export interface AccountState {
  /** See `UserAccount.version`. */
  readonly version: string
  /** Roles at the last check. */
  roles: readonly string[]
  /** Whether the user was an administrator at the last check. */
  isAdmin: boolean
  /** The user was removed or disabled, or the password was changed: every token that was issued before is dead. */
  hasEnded: boolean
  /** When the account was last read: a generation of the file users, or milliseconds since the epoch. */
  checkedAt: number
}

export const maxNameLength = 255

/** Whether a text can be a user's name: 1 to 255 characters, none of them a control character. */
export function isUserName(name: string): boolean {
  return name.length > 0 && name.length <= maxNameLength && !hasControlCharacter(name)
}

/** Whether a text can be a password: not empty and at most 1024 bytes in UTF-8. */
export function isPassword(password: string): boolean {
  return password !== '' && Buffer.byteLength(password) <= maxPasswordBytes
}

/** @throws `StoreError` when `find` of a store answered anything but an account and `undefined`. */
export function accountFrom(answer: unknown): UserAccount | undefined {
  if (answer === undefined || isAccount(answer)) return answer
  throw new StoreError('the user store answered find with neither an account nor undefined')
}

const failures: ReadonlySet<unknown> = new Set<AuthenticationFailure>(['unknown-user', 'wrong-password', 'disabled'])

/** @throws `StoreError` when `authenticate` of a store answered neither an account nor a failure, or both. */
export function resultFrom(answer: unknown): AuthenticationResult {
  const { account, failure, subject } = Object(answer) as Record<string, unknown>
  const isGood = isAccount(account) && failure === undefined
  const isFailure = account === undefined && failures.has(failure) && (subject === undefined || isName(subject))
  if (isGood || isFailure) return answer as AuthenticationResult
  throw new StoreError('the user store answered authenticate with neither an account nor a failure')
}

function isAccount(value: unknown): value is UserAccount {
  if (typeof value !== 'object' || value === null) return false
  const { subject, roles, isAdmin, version, maxTokenAgeMs } = value as Record<string, unknown>
  return (
    isName(subject) &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === 'string') &&
    typeof isAdmin === 'boolean' &&
    typeof version === 'string' &&
    (maxTokenAgeMs === undefined || Number.isFinite(maxTokenAgeMs))
  )
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
