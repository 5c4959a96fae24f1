/**
 * What the configuration says of TLS and key stores.
 *
 * @module
 */

import type { ConfigProblem } from '../core/errors.js'

/** Whether clients have to show a certificate. */
export type ClientCertificates = 'none' | 'optional' | 'required'

/** Versions and cipher suites after narrowing to what is safe, and what clients have to show. */
export interface TlsConfig {
  /** `httpsProtocols` and its kin. @defaultValue `'TLSv1.2'` */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** As above. @defaultValue `'TLSv1.3'` */
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  /** `preferredCiphers` and its kin, by OpenSSL's names. @defaultValue every suite that is safe */
  readonly cipherSuites: readonly string[]
  /** `sslVerifyClient` and its kin. @defaultValue `'none'` */
  readonly clientCertificates: ClientCertificates
  /** `[server] hostname`, for the try-out certificate. @defaultValue `'localhost'` */
  readonly hostName: string
}

/** The key stores of a configuration. What one of them does not say it takes from another, as WSO2 has it. */
export interface KeyStoresConfig {
  /** `[keystore.primary]`; WSO2's own store when it is not written. */
  readonly primary: KeyStoreConfig
  /** `[keystore.internal]`; the primary one when it is not written. */
  readonly internal: KeyStoreConfig
  /** `[keystore.tls]`; `undefined` when it is not written. */
  readonly tls: KeyStoreConfig | undefined
  /** `[internal_api_ssl_config] key_store`, the primary one without it; `undefined` when the table is not written. */
  readonly internalApi: KeyStoreConfig | undefined
  /** `[truststore]`; WSO2's own when it is not written. */
  readonly trust: KeyStoreConfig
  /** `[internal_api_ssl_config] trust_store`; `[truststore]` when it is not written. */
  readonly internalApiTrust: KeyStoreConfig
  /** `[custom_keystore.<name>]`, by name. */
  readonly custom: Readonly<Record<string, KeyStoreConfig>>
}

/** One key store. */
export interface KeyStoreConfig {
  /** The table it comes from, for messages: `keystore.primary`. */
  readonly key: string
  /** Names of the keys in its table, for messages. */
  readonly keyNames: Readonly<Record<'file' | 'keyFile' | 'password' | 'alias' | 'keyPassword', string>>
  /** `file_name`, or `location`. */
  readonly fileName: string
  /** Whether the configuration names a file for it; else `fileName` is WSO2's own. */
  readonly isFileGiven: boolean
  /** Whether `fileName` is where WSO2's products have the store they come with. */
  readonly isWso2Default: boolean
  /** `key_file`: the private key, where a PEM file of `fileName` has only certificates. */
  readonly keyFileName: string | undefined
  /** Where relative names are looked for, in this order, and then in `repository/resources/security` below each. */
  readonly folders: readonly string[]
  /** `type`, as declared: the content tells the real one. */
  readonly type: string | undefined
  /** `password`. @defaultValue `'wso2carbon'`, as in WSO2 */
  readonly password: string
  /** Whether the configuration gives the password; else `password` is WSO2's. */
  readonly isPasswordGiven: boolean
  /** `alias`; `undefined`: the only key of the store, or the one named `wso2carbon`. */
  readonly alias: string | undefined
  /** `key_password`; `undefined`: the password of the store. */
  readonly keyPassword: string | undefined
  /** Values that could not be expanded; a mistake for whatever opens this store, and for nothing else. */
  readonly problems: readonly ConfigProblem[]
}
