/**
 * `[keystore.*]`, `[custom_keystore.*]`, `[truststore]` and `[internal_api_ssl_config]`.
 *
 * @module
 */

import * as z from 'zod'
import { table, text, textOrNone } from './fields.js'
import { sslParameterTable, word } from './tls.js'

/** A key store as its table has it, without what it takes from another. */
export type KeyStoreTable = z.output<typeof keyStoreTable>

export const keyStoreTable = table({
  file_name: textOrNone
    .optional()
    .describe('JKS, PKCS #12 or PEM file, from the folder of the TOML file')
    .meta({ absent: 'that of `[keystore.primary]` (trust stores: `[truststore]`), there the file of WSO2' }),
  location: textOrNone
    .optional()
    .describe('the same as `file_name`, in `[internal_api_ssl_config]`')
    .meta({ absent: '`file_name`' }),
  key_file: textOrNone
    .optional()
    .describe('the private key, where the PEM file has only certificates')
    .meta({ absent: '`file_name`' }),
  type: text.optional().describe('no effect: the content tells the real type'),
  password: text.optional().describe('password of the store').meta({ absent: 'as `file_name`, there `"wso2carbon"`' }),
  alias: textOrNone
    .optional()
    .describe('entry of the store')
    .meta({ absent: 'the only one, or the one named `wso2carbon`' }),
  key_alias: textOrNone.optional().describe('the same as `alias`').meta({ absent: '`alias`' }),
  key_password: text.optional().describe('password of the private key').meta({ absent: '`password`' }),
}).transform(({ file_name, location, key_file, type, password, alias, key_alias, key_password }) => ({
  fileName: file_name ?? location,
  keyFileName: key_file,
  type,
  password,
  alias: alias ?? key_alias,
  keyPassword: key_password,
}))

export const keyStoresTable = table({
  primary: keyStoreTable.optional(),
  internal: keyStoreTable.optional(),
  tls: keyStoreTable.optional(),
})

/** By name. */
export const customKeyStoresTable = z.record(z.string(), keyStoreTable)

/** The management API's own listener. */
export const internalApiSslTable = table({
  key_store: keyStoreTable.optional(),
  trust_store: keyStoreTable.optional(),
  parameter: sslParameterTable.prefault({}),
  certificate_revocation_verifier_enabled: word
    .optional()
    .describe('no effect, with a warning where client certificates are asked for'),
})
