/**
 * The refusal of a login whose password was right, where more is asked for.
 *
 * @module
 */

import { UnauthorizedError } from '../../core/errors.js'
import type { UserAccount } from '../user-store.js'

/** `enrolled`: the user has a second factor. The others have to set one up first. */
export type SecondFactorStatus = 'enrolled' | 'invited' | 'none'

/** A 401 to whoever does not know of second factors: nothing was opened. */
export class SecondFactorRequiredError extends UnauthorizedError {
  readonly #account: UserAccount
  readonly #status: SecondFactorStatus

  constructor(account: UserAccount, status: SecondFactorStatus) {
    const message =
      status === 'enrolled'
        ? 'This account needs a second factor: send the code of the authenticator app as X-OTP.'
        : 'This account needs a second factor, which it does not have yet: set one up in a portal, or ask an administrator.'
    super('ERR_SECOND_FACTOR_REQUIRED', message)
    this.#account = account
    this.#status = status
  }

  /** Whose password was right. Neither is part of the answer or of a log line. */
  get pending(): { readonly account: UserAccount; readonly status: SecondFactorStatus } {
    return { account: this.#account, status: this.#status }
  }
}

export function secondFactorRequired(account: UserAccount, status: SecondFactorStatus): SecondFactorRequiredError {
  return new SecondFactorRequiredError(account, status)
}
