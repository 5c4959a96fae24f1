/**
 * Where credentials come from that no login here has issued.
 *
 * @module
 */

import type { MachineKind } from '../../core/auth.js'
import type { Origin } from '../../core/errors.js'

/** A credential that was verified. Times are milliseconds since the epoch. */
export interface Credential {
  readonly subject: string
  readonly roles: readonly string[]
  readonly isAdmin: boolean
  /** `undefined`: it does not say. */
  readonly issuedAt: number | undefined
  /** From this moment on it is refused. */
  readonly expiresAt: number
  /** The same for every text of the credential, as a signature may have several: what its tombstone is found by. */
  readonly name: string
  /** Where the configuration has it, for the log; `undefined`: it does not name it. */
  readonly origin?: Origin | undefined
}

/** What is remembered of credentials that are revoked before their end. */
export interface Ending {
  /** {@link Credential.name}; `undefined`: all of the user that were issued until now. */
  readonly name: string | undefined
  /** Milliseconds since the epoch: the end of the last credential that it refuses. */
  readonly until: number
}

/** One kind of credentials. */
export interface CredentialSource {
  readonly kind: MachineKind
  /** Of the settings: what was accepted by others is looked at again. It has no blank. */
  readonly version: string
  /** Whether a text is one of these, by its form alone: nothing of it is believed. */
  accepts(token: string): boolean
  /** What stands for the text in the id of its record. @defaultValue the text itself */
  keyOf?(token: string): string
  /** @throws `UnauthorizedError`, whose `cause` is for the log; or rejects with it, or with `StoreError`. */
  verify(token: string): Credential | Promise<Credential>
  /** How all credentials of a user end; none for a user of other credentials. */
  endingsOf(subject: string, now: number): readonly Ending[]
  /** The credentials that are known without their text, by {@link CredentialSource.keyOf}. @defaultValue none */
  readonly known?: ReadonlyMap<string, Credential> | undefined
}
