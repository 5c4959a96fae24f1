/**
 * The configuration of tokens: the keys that sign them, and the store that keeps them.
 *
 * @module
 */

/** JWS algorithms that tokens can be signed with. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

/** `[management_api.jwt_token_security_handler] token_store_config.*` */
export interface TokenStoreConfig {
  /** `max_size`: tokens that are kept at the same time. @defaultValue 200 */
  readonly maxSize: number
  /** `clean_up_interval`: how often expired tokens are removed. @defaultValue 600 (10 minutes) */
  readonly cleanUpIntervalSeconds: number
  /**
   * `remove_oldest_token_on_overflow`: a new token puts another one out of a full store; `false`: it is refused with 503.
   *
   * @defaultValue `true`
   */
  readonly removeOldestOnOverflow: boolean
  /** `undefined`: no cap for one user. */
  readonly maxPerUser: number | undefined
}

/** `[management_api.jwt_token_security_handler] token_config.*` */
export interface TokenConfig {
  /** `expiry`: life of a token. @defaultValue 3600 (1 hour) */
  readonly expirySeconds: number
  /** Bits of the RSA key; not used by the other algorithms. */
  readonly rsaBits: number
  /**
   * `algorithm` (RFC 7518 section 3.1; EdDSA: RFC 8037). `undefined` where `keyStore` is there and it is not written: then
   * the key decides.
   *
   * @defaultValue `'RS256'`
   */
  readonly algorithm: SigningAlgorithm | undefined
  /** `issuer`: `iss` of the tokens (RFC 7519 section 4.1.1). @defaultValue `'urn:sallyport:management'` */
  readonly issuer: string
  /** `audience`: `aud` of the tokens (RFC 7519 section 4.1.3). @defaultValue `'management-api'` */
  readonly audience: string
  /** Absolute path of a private key (PKCS#8 PEM or JWK) that restarts and several processes share. */
  readonly keyFile: string | undefined
  /** `keystore`: name of the key store whose key signs: `primary`, `internal`, `tls`, or that of a `[custom_keystore.*]`. */
  readonly keyStore: string | undefined
  /** The key before it, which verifies until its time is up. */
  readonly previousKeyStore: PreviousKeyStore | undefined
}

/** `token_config.previous_keystore` and `previous_until` */
export interface PreviousKeyStore {
  /** Name of a key store, as in {@link TokenConfig.keyStore}. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly verifyUntil: number
}
