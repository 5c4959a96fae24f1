/**
 * `[keystore.*]`, `[custom_keystore.*]`, `[truststore]` and the stores of `[internal_api_ssl_config]`.
 *
 * @module
 */

import * as z from 'zod'
import { type Field, table, text, textOrNone } from '../fields.js'
import { sslParametersOf, sslParameterTable, type TlsTable, word } from './tls.js'

/** A key store as its table has it, without what it takes from another. */
export interface KeyStoreTable {
  /** `file_name`, or `location` in `[internal_api_ssl_config]`. */
  readonly fileName: string | undefined
  readonly keyFileName: string | undefined
  readonly type: string | undefined
  readonly password: string | undefined
  readonly alias: string | undefined
  readonly keyPassword: string | undefined
}

/** One key store. Its type is taken for what it is: files often say the wrong one. */
const keyStoreTable: Field<KeyStoreTable> = table({
  file_name: textOrNone.optional(),
  location: textOrNone.optional(),
  key_file: textOrNone.optional(),
  type: text.optional(),
  password: text.optional(),
  alias: textOrNone.optional(),
  key_alias: textOrNone.optional(),
  key_password: text.optional(),
}).transform(
  ({ file_name, location, key_file, type, password, alias, key_alias, key_password }): KeyStoreTable => ({
    fileName: file_name ?? location,
    keyFileName: key_file,
    type,
    password,
    alias: alias ?? key_alias,
    keyPassword: key_password,
  }),
)

/** `[keystore.*]` */
export interface KeyStoresTable {
  readonly primary: KeyStoreTable | undefined
  readonly internal: KeyStoreTable | undefined
  readonly tls: KeyStoreTable | undefined
}

/** `[keystore.primary]`, `[keystore.internal]` and `[keystore.tls]`. */
export const keyStoresTable: Field<KeyStoresTable> = table({
  primary: keyStoreTable.optional(),
  internal: keyStoreTable.optional(),
  tls: keyStoreTable.optional(),
}).transform(({ primary, internal, tls }): KeyStoresTable => ({ primary, internal, tls }))

/** `[custom_keystore.<name>]`, by name. */
export const customKeyStoresTable: Field<Readonly<Record<string, KeyStoreTable>>> = z.record(z.string(), keyStoreTable)

/** `[truststore]` */
export const trustStoreTable: Field<KeyStoreTable> = keyStoreTable

/** `[internal_api_ssl_config]` */
export interface InternalApiSslTable {
  readonly keyStore: KeyStoreTable | undefined
  readonly trustStore: KeyStoreTable | undefined
  readonly tls: TlsTable
}

/** The management API's own listener. */
export const internalApiSslTable: Field<InternalApiSslTable> = table({
  key_store: keyStoreTable.optional(),
  trust_store: keyStoreTable.optional(),
  parameter: sslParameterTable.prefault({}),
  certificate_revocation_verifier_enabled: word.optional(),
}).transform(
  ({ key_store, trust_store, parameter, certificate_revocation_verifier_enabled }): InternalApiSslTable => ({
    keyStore: key_store,
    trustStore: trust_store,
    tls: sslParametersOf(parameter, certificate_revocation_verifier_enabled),
  }),
)
