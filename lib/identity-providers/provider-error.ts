/**
 * How a sign-in at an identity provider fails.
 *
 * @module
 */

/**
 * Why there is no sign-in:
 *
 * - `refused`: the provider, or the user, said no; `message` says what a person can do.
 * - `unmapped`: the provider knows the user, and nothing here is for such a user.
 * - `unavailable`: the provider cannot be reached, or not now.
 * - `untrusted`: an answer that cannot be believed.
 */
export type ProviderFailure = 'refused' | 'unmapped' | 'unavailable' | 'untrusted'

interface ProviderErrorOptions extends ErrorOptions {
  readonly providerCode?: string
  readonly subject?: string
}

/** A sign-in that came to nothing. `message` is for the log. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly failure: ProviderFailure
  /** `error` of an answer of the provider (RFC 6749 section 4.1.2.1). */
  readonly providerCode: string | undefined
  /** Whom nothing here is for, of `unmapped`. */
  readonly subject: string | undefined

  constructor(failure: ProviderFailure, message: string, options: ProviderErrorOptions = {}) {
    super(message, options)
    this.failure = failure
    this.providerCode = options.providerCode
    this.subject = options.subject
  }
}
