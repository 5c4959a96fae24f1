/**
 * What this process knows of an account right now. All tokens of one account share one object, so that a change is
 * seen by all of them at once.
 *
 * @module
 */

/** The present state of an account. */
export interface AccountState {
  /** The account's version when this state began: see `UserAccount.version`. Another version is another state. */
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
