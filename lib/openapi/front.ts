/**
 * What a front answers: the operations of the document depend on it.
 *
 * @module
 */

/** What the configuration switches on, as far as the document shows it. */
export interface DocumentedFront {
  /** What the document is of. */
  readonly mount: 'managementApi' | 'console'
  /** What a caller of the management API sends: a token of its login, or a name and a password with each request. */
  readonly authentication: 'token' | 'basic'
  /** Whose users they are: those of a store that can be managed, those of the file, or of a store of the app's own. */
  readonly users: 'managed' | 'read-only' | 'left to the app'
  /** Name of the session's cookie over TLS, of the console. */
  readonly cookieName?: string
}
