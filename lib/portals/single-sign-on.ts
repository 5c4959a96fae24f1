/**
 * What a portal needs of a sign-on that several portals share. The authorization server implements it; a portal that is given
 * none asks for a password of its own.
 *
 * How a portal uses it:
 *
 * - `GET <portal>/any/page` by a navigation, without any cookie of this portal: `find`. If it answers, the portal begins a
 *   session of its own with `parent` = {@link SignOn.id}, and the request goes on. A request that carries a cookie of this
 *   portal, live or dead, never asks: whose session here has been idle for too long has to show the password again.
 * - `POST <portal>/login` with a good password: `begin`, and the new session gets its answer as `parent`.
 * - `POST <portal>/logout`: `end`. The sessions of all portals with that `parent` are dead from then on.
 *
 * A session with a parent is good only while the parent's record is in the token store and has not ended (`getExpiry`). Requests
 * of a portal never touch the parent: give its record an absolute end only (`idleTimeoutMs: undefined`), or touch it yourself.
 * The `management_console` never uses any of this.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { Factor } from '../core/auth.js'
import type { Client } from '../core/events.js'
import type { UserAccount, UserProfile } from '../users/user-store.js'

/** A sign-on that is live right now. */
export interface SignOn {
  /** Id of its record in the token store, of the kind `sso`. */
  readonly id: string
  /** Whose it is, with the rights of this moment. */
  readonly account: UserAccount
  /** What the user has shown at its start. @defaultValue not known */
  readonly factors?: readonly Factor[] | undefined
}

/** A login that has just succeeded. */
export interface SignOnContext extends Client {
  /** When the login began, in milliseconds since the epoch: a revocation of the user since then must refuse it. */
  readonly startedAt: number
  /** Name of the sign-on, where an identity provider has a session that it ends with. @defaultValue a new one */
  readonly name?: string | undefined
  /** What is kept with the sign-on until its end: see {@link SingleSignOn.end}. @defaultValue nothing */
  readonly memo?: string | undefined
  /** What clients may learn of the user, where no user store knows it. @defaultValue what the user store says */
  readonly profile?: UserProfile | undefined
  /** What the user has shown. */
  readonly factors: readonly Factor[]
}

/** A sign-on that several portals share. Each method may reject with an `HttpError` or a `StoreError`. */
export interface SingleSignOn {
  /** The live sign-on of a request's browser; `undefined` when there is none. It throws no 401. */
  find(request: Request): SignOn | undefined | Promise<SignOn | undefined>
  /** Begins a sign-on, in place of the one that the browser may have, and sets its cookie. Resolves with the record's id. */
  start(request: Request, response: Response, account: UserAccount, context: SignOnContext): Promise<string>
  /**
   * Ends the sign-on of a request's browser, if there is one, and clears its cookie, also when a store fails. Answers with the memo
   * that it was started with.
   */
  end(request: Request, response: Response): string | undefined | Promise<string | undefined>
}
