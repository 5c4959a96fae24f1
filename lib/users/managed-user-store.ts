/**
 * User stores whose users and roles can be listed and changed: directories and databases.
 *
 * @module
 */

import type { ChangeContext } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { UserAccount, UserStore } from './user-store.js'

/** Which users {@link ManagedUserStore.list} returns. */
export interface UserQuery {
  /** Name pattern with `*` (any text) and `?` (one character). @defaultValue `'*'` */
  readonly pattern?: string | undefined
  /** Only users with this role. */
  readonly role?: string | undefined
}

/** A user to be added. */
export interface NewUser {
  /** Name without a domain. */
  readonly name: string
  /** In plain text: the store hashes it. */
  readonly password: string
  /** Gives the role {@link ManagedUserStore.adminRole}. */
  readonly isAdmin: boolean
}

/** Roles to give and to take away. */
export interface RoleChange {
  /** One that the user has already stays. */
  readonly added: readonly string[]
  /** One that the user does not have is ignored. */
  readonly removed: readonly string[]
}

/**
 * A user store that can be managed. Names and roles are the store's own, with `DOMAIN/` before them unless the store is the
 * primary one; roles that this store does not share with others begin with `Internal/` or `Application/`.
 *
 * Every method takes a signal, has a time-out of its own, rejects with `StoreError` when the store fails (the outcome of a
 * write is then not known), and with {@link UserChangeError} when it refuses.
 *
 * Those of `security.users` that change something take a `context` as well, which a store of your own need not read. Each does what the
 * management API does: its event says who made the change and why, and the tokens of a user who loses rights by it end at once.
 */
export interface ManagedUserStore extends UserStore {
  /** Domain of the store; `PRIMARY` for the first. */
  readonly domain: string
  /** Name of the role that makes an administrator. */
  readonly adminRole: string
  /** Whether every write is refused. */
  readonly isReadOnly: boolean
  /** Names, sorted, at most the store's own limit (100 unless configured). */
  list(query: UserQuery, signal?: AbortSignal): Promise<readonly string[]>
  /** Names of all roles, sorted, with the same limit. */
  listRoles(signal?: AbortSignal): Promise<readonly string[]>
  /** Names of the users that have a role, sorted; `undefined` when there is no such role. */
  listMembers(role: string, signal?: AbortSignal): Promise<readonly string[] | undefined>
  /** Adds a user. */
  add(user: NewUser, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** Removes a user with all its roles. */
  remove(subject: string, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** Sets a user's password. */
  setPassword(subject: string, password: string, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** The account of a user who is disabled; `undefined` when nobody of this name is. Absent where that cannot be known. */
  findDisabled?(subject: string, signal?: AbortSignal): Promise<UserAccount | undefined>
  /** Disables a user, who cannot log in then, or enables it again. Absent where the store has no place for it. */
  setDisabled?(subject: string, isDisabled: boolean, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** Gives and takes roles, all or none. */
  changeRoles(subject: string, change: RoleChange, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** Adds a role without members. */
  addRole(role: string, signal?: AbortSignal, context?: ChangeContext): Promise<void>
  /** Removes a role from all its members. */
  removeRole(role: string, signal?: AbortSignal, context?: ChangeContext): Promise<void>
}

/** Why a store refuses a change. */
export type UserChangeErrorCode =
  | 'user-exists'
  | 'user-not-found'
  | 'role-exists'
  | 'role-not-found'
  | 'invalid-name'
  | 'invalid-password'
  | 'read-only'
  | 'protected'

/** A change that a store refuses. The message is public and holds no secret. */
export class UserChangeError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'UserChangeError'
  /** Decides the answer of the management API. */
  readonly code: UserChangeErrorCode

  constructor(code: UserChangeErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Disables a user or enables it again.
 *
 * @throws {@link UserChangeError} where the store has no place for it.
 */
export async function setDisabled(
  store: ManagedUserStore,
  subject: string,
  isDisabled: boolean,
  signal?: AbortSignal,
  context?: ChangeContext,
): Promise<void> {
  if (store.setDisabled !== undefined) return store.setDisabled(subject, isDisabled, signal, context)
  const remedy = 'do it where the users are kept, or take the roles away'
  throw new UserChangeError('read-only', `Users of this user store cannot be disabled or enabled here: ${remedy}.`)
}

/** Whether a user store can be managed. */
export function isManagedUserStore(store: UserStore): store is ManagedUserStore {
  return 'listRoles' in store
}

/** The check gives up after so long: it is an operator's hint, no part of the start. */
const timeoutMs = 10_000

/**
 * Warns when no user has the role of administrators. A store that cannot be reached says nothing of it, and is no failure of the
 * start: the logins will tell. Never rejects.
 */
export async function warnWithoutAdministrator(store: ManagedUserStore, logger: Logger): Promise<void> {
  try {
    if (await hasAdministrator(store, AbortSignal.timeout(timeoutMs))) return
    const remedy = store.isReadOnly
      ? 'give the role to somebody where the users are kept'
      : 'run "npx sallyport users add NAME --admin", or "npx sallyport users grant NAME ROLE"'
    const message = `no user who can log in has the role ${JSON.stringify(store.adminRole)}, so that there is no administrator: ${remedy}`
    logger.warn({ key: 'user_store' }, message)
  } catch {}
}

async function hasAdministrator(store: ManagedUserStore, signal: AbortSignal): Promise<boolean> {
  // Which role it is may turn out with the first answer.
  await store.listRoles(signal)
  for (const member of (await store.listMembers(store.adminRole, signal)) ?? []) {
    if ((await store.find(member, signal))?.isAdmin) return true
  }
  return false
}
