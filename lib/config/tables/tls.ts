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

/** Where a connector says whether clients show certificates, in the order in which it counts. */
const clientPlaces: readonly (readonly string[])[] = [
  hostConfig,
  hostConfig.slice(0, -1),
  connector,
  connector.slice(0, -1),
  ['transport', 'https', 'listener', 'parameter'],
  ['transport', 'https', 'listener', 'parameters'],
]

/** Tomcat's names for it, old and new, and that of WSO2's own listeners, in small letters. */
const clientKeys = new Set(['certificateverification', 'clientauth', 'sslverifyclient'])

/** Of any type: {@link clientWords} reads them, whatever the case of their letters. */
const clientFields = {
  certificateVerification: z.unknown().optional(),
  clientAuth: z.unknown().optional(),
  sslVerifyClient: z.unknown().optional(),
  SSLVerifyClient: z.unknown().optional(),
}

const openTable = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape, { error: 'must be a table' })

/** `[transport]`, as far as it is about TLS; older products have the same in `transport.https.properties`. */
export const transportTable: Field<TlsTable> = table({
  https: openTable({
    properties: openTable({ sslEnabledProtocols: text.optional(), ciphers: text.optional(), ...clientFields }).prefault(
      {},
    ),
    sslHostConfig: openTable({
      properties: openTable({ protocols: text.optional(), ciphers: text.optional(), ...clientFields }).prefault({}),
      ...clientFields,
    }).prefault({}),
    ...clientFields,
  }).prefault({}),
}).transform((transport): TlsTable => {
  const { properties, sslHostConfig } = transport.https
  const { protocols, ciphers } = sslHostConfig.properties
  return {
    protocols:
      written([...hostConfig, 'protocols'], protocols) ??
      written([...connector, 'sslEnabledProtocols'], properties.sslEnabledProtocols),
    ciphers: written([...hostConfig, 'ciphers'], ciphers) ?? written([...connector, 'ciphers'], properties.ciphers),
    clientCertificates: clientPlaces.flatMap((place) => clientWords({ transport }, place))[0],
    checksRevocation: undefined,
  }
})

function clientWords(root: unknown, place: readonly string[]): readonly WrittenValue[] {
  const found = place.reduce((value, name) => (isTable(value) ? value[name] : undefined), root)
  const entries = isTable(found) ? Object.entries(found) : []
  // A value of another type is told as a word that is not known.
  const words = entries.map(([key, value]) =>
    clientKeys.has(key.toLowerCase())
      ? written([...place, key], typeof value === 'string' ? value : JSON.stringify(value))
      : undefined,
  )
  return words.filter((word) => word !== undefined)
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function written(path: readonly string[], value: string | undefined): WrittenValue | undefined {
  return value === undefined || value.trim() === '' ? undefined : { path, value }
}
