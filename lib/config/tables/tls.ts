/**
 * What the tables say of TLS besides key stores: `[internal_api_ssl_config.parameter]`, and the HTTPS connector that products
 * of WSO2 with a Tomcat in them have in `[transport.https]`.
 *
 * @module
 */

import * as z from 'zod'
import { type Field, table, text } from '../fields.js'

/** Versions, cipher suites and client certificates, as written. */
export interface TlsTable {
  readonly protocols: WrittenValue | undefined
  readonly ciphers: WrittenValue | undefined
  readonly clientCertificates: WrittenValue | undefined
  readonly checksRevocation: WrittenValue | undefined
}

/** A value and the key it was written for. */
export interface WrittenValue {
  readonly path: readonly string[]
  readonly value: string
}

/** A text, or one of TOML's own booleans. */
export const word: Field<string> = z.union([text, z.boolean().transform(String)], { error: 'must be a text in quotes' })

/** `[internal_api_ssl_config.parameter]`, as written. */
export interface SslParameters {
  readonly httpsProtocols?: string | undefined
  readonly preferredCiphers?: string | undefined
  readonly sslVerifyClient?: string | undefined
}

/** `[internal_api_ssl_config.parameter]` */
export const sslParameterTable: Field<SslParameters> = table({
  httpsProtocols: text.optional(),
  preferredCiphers: text.optional(),
  sslVerifyClient: word.optional(),
})

const parameter = ['internal_api_ssl_config', 'parameter']
const revocation = ['internal_api_ssl_config', 'certificate_revocation_verifier_enabled']

/** What `[internal_api_ssl_config]` says of TLS. */
export function sslParametersOf(parameters: SslParameters, checksRevocation: string | undefined): TlsTable {
  return {
    protocols: written([...parameter, 'httpsProtocols'], parameters.httpsProtocols),
    ciphers: written([...parameter, 'preferredCiphers'], parameters.preferredCiphers),
    clientCertificates: written([...parameter, 'sslVerifyClient'], parameters.sslVerifyClient),
    checksRevocation: written(revocation, checksRevocation),
  }
}

const connector = ['transport', 'https', 'properties']
const hostConfig = ['transport', 'https', 'sslHostConfig', 'properties']

/** `[transport]`, as far as it is about TLS; older products have the same in `transport.https.properties`. */
export const transportTable: Field<TlsTable> = table({
  https: table({
    properties: table({
      sslEnabledProtocols: text.optional(),
      ciphers: text.optional(),
      clientAuth: word.optional(),
    }).prefault({}),
    sslHostConfig: table({
      properties: table({
        protocols: text.optional(),
        ciphers: text.optional(),
        certificateVerification: word.optional(),
      }).prefault({}),
    }).prefault({}),
  }).prefault({}),
}).transform(({ https: { properties, sslHostConfig } }): TlsTable => {
  const { protocols, ciphers, certificateVerification } = sslHostConfig.properties
  return {
    protocols:
      written([...hostConfig, 'protocols'], protocols) ??
      written([...connector, 'sslEnabledProtocols'], properties.sslEnabledProtocols),
    ciphers: written([...hostConfig, 'ciphers'], ciphers) ?? written([...connector, 'ciphers'], properties.ciphers),
    clientCertificates:
      written([...hostConfig, 'certificateVerification'], certificateVerification) ??
      written([...connector, 'clientAuth'], properties.clientAuth),
    checksRevocation: undefined,
  }
})

function written(path: readonly string[], value: string | undefined): WrittenValue | undefined {
  return value === undefined || value.trim() === '' ? undefined : { path, value }
}
