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
  /** Whether the audit trail is in a file. */
  readonly hasAuditFile: boolean
  /** Portals that the app has mounted, beside the console where the document is of it. */
  readonly portals: readonly DocumentedPortal[]
  /** The issuer of the authorization server; `undefined`: there is none. */
  readonly issuer: string | undefined
}

/** A portal, or the console. */
export interface DocumentedPortal {
  readonly name: string
  /** Name of the cookie of its sessions over TLS. */
  readonly cookieName: string
}
