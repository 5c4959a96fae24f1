/**
 * The users of a test, in memory. Nothing is hashed.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { AuthenticationResult, UserAccount, UserStore } from '../users/user-store.js'

/** A user of a test. */
export interface TestUser {
  /** Names as the rules have them. @defaultValue none */
  readonly roles?: readonly string[] | undefined
  /** Administrators pass every rule. @defaultValue false */
  readonly isAdmin?: boolean | undefined
  /** For logins. Another one ends the user's tokens. @defaultValue a random one, which stays with the user */
  readonly password?: string | undefined
}

interface Entry {
  readonly account: UserAccount
  readonly password: string
}

/** The user store of a test. Each change counts at the next request. */
export class TestUsers implements UserStore {
  readonly #entries = new Map<string, Entry>()
  #generation = 0

  /** How often users were changed. */
  get generation(): number {
    return this.#generation
  }

  /** Adds a user, or replaces all that is known of one. */
  set(name: string, { roles = [], isAdmin = false, password }: TestUser = {}): UserAccount {
    const before = this.#entries.get(name)
    this.#generation++
    const isSame = before !== undefined && (password === undefined || password === before.password)
    const version = isSame ? before.account.version : `${this.#generation}`
    const account = { subject: name, roles: [...roles], isAdmin, version }
    const own = password ?? before?.password ?? randomBytes(12).toString('base64url')
    this.#entries.set(name, { account, password: own })
    return account
  }

  /** Removes a user, and with it all the user's tokens and sessions. */
  remove(name: string): void {
    this.#generation++
    this.#entries.delete(name)
  }

  /** The password of a user, for a login. @throws TypeError for an unknown user. */
  passwordOf(name: string): string {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new TypeError(`there is no test user "${name}"`)
    return entry.password
  }

  async authenticate(name: string, password: string): Promise<AuthenticationResult> {
    const entry = this.#entries.get(name)
    if (entry === undefined) return { failure: 'unknown-user' }
    return entry.password === password ? { account: entry.account } : { failure: 'wrong-password', subject: name }
  }

  find(subject: string): UserAccount | undefined {
    return this.#entries.get(subject)?.account
  }

  close(): void {}
}
