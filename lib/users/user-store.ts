/**
 * What a user store answers. A user store never sees a request.
 *
 * @module
 */

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
  /** Seconds that a token of this account may live at the most. @defaultValue as long as any other */
  readonly maxTokenAgeSeconds?: number | undefined
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
      /**
       * The user whom the name means, as {@link UserAccount.subject} has it: guesses at one user count together, by whatever name
       * they are made. Absent: there is no such user, or the store has one name for each.
       */
      readonly subject?: string | undefined
    }

/** What a store knows of the person behind a user. */
export interface UserProfile {
  /** The name for display. */
  readonly name?: string | undefined
  /** An e-mail address. Nothing is said of whether it was verified. */
  readonly email?: string | undefined
}

/** Keeps users. A store that fails rejects with {@link StoreError}: a login then gets 503, never 401. */
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
  /** Ends connections. */
  close(): void | Promise<void>
}
