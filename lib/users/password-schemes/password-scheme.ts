/**
 * What each kind of password hash can do. One file implements each kind.
 *
 * @module
 */

/** One kind of password hash. */
export interface PasswordScheme {
  /** What the hash asks for that is not taken, in words for an operator; `undefined` when it can be verified. */
  problemOf(hash: string): string | undefined
  /**
   * Loads what verifying needs.
   *
   * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) that names `key`.
   */
  load(key: string): Promise<void>
  /** Whether `password` (NFC, of allowed length) is the one that was hashed. `hash` has no problem. */
  verify(password: string, hash: string): Promise<boolean>
}
