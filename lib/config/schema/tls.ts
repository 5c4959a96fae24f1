/**
 * What a server of this configuration speaks: the keys of `[internal_api_ssl_config.parameter]` and of the HTTPS connector that
 * products of WSO2 with a Tomcat have in `[transport.https]`, narrowed to what is safe.
 *
 * @module
 */

import * as z from 'zod'
import type { Finding } from '../checks/findings.js'
import type { ClientCertificates, TlsConfig } from '../config.js'
import type { KeyPath } from '../values/key-path.js'
import type { TomlEdit } from '../values/toml-edits.js'
import { isTree, type Tree, valueAt } from '../values/tree.js'
import { type Field, table, text } from './fields.js'

/** A text, or one of TOML's own booleans. */
export const word: Field<string> = z
  .union([text, z.boolean().transform(String)], { error: 'must be a text in quotes' })
  .meta({ unit: 'text' })

const protocols = text
  .optional()
  .describe('versions of TLS; only TLSv1.2 and TLSv1.3 are served')
  .meta({ absent: '`"TLSv1.2,TLSv1.3"`' })
const ciphers = text
  .optional()
  .describe('cipher suites; only those that are forward secret and authenticate are offered')
  .meta({ absent: 'all of these' })
const clients = {
  description: 'whether clients show a certificate: `"require"`, `"optional"` or `"false"`',
  absent: '`"false"`',
}

export const sslParameterTable = table({
  httpsProtocols: protocols,
  preferredCiphers: ciphers,
  sslVerifyClient: word.optional().meta(clients),
})

/** Of any type: {@link listClientPaths} finds them, whatever the case of their letters. */
const clientField = z.unknown().optional().meta(clients)
const clientFields = {
  certificateVerification: clientField,
  clientAuth: clientField,
  sslVerifyClient: clientField,
  SSLVerifyClient: clientField,
}

const openTable = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape, { error: 'must be a table' })

/** `[transport]`, as far as it is about TLS; older products have the same in `transport.https.properties`. */
export const transportTable = table({
  https: openTable({
    properties: openTable({ sslEnabledProtocols: protocols, ciphers, ...clientFields }).prefault({}),
    sslHostConfig: openTable({
      properties: openTable({ protocols, ciphers, ...clientFields }).prefault({}),
      ...clientFields,
    }).prefault({}),
    ...clientFields,
  }).prefault({}),
})

const parameter = ['internal_api_ssl_config', 'parameter']
const revocation = ['internal_api_ssl_config', 'certificate_revocation_verifier_enabled']
const https = ['transport', 'https']
const connector = [...https, 'properties']
const hostConfig = [...https, 'sslHostConfig', 'properties']

/** Where versions and suites are written, in the order in which they count. */
const protocolPaths = [
  [...parameter, 'httpsProtocols'],
  [...hostConfig, 'protocols'],
  [...connector, 'sslEnabledProtocols'],
]
const cipherPaths = [
  [...parameter, 'preferredCiphers'],
  [...hostConfig, 'ciphers'],
  [...connector, 'ciphers'],
]

/** The tables that say whether clients show certificates, in the same order. */
const clientTables = [
  parameter,
  hostConfig,
  [...https, 'sslHostConfig'],
  connector,
  https,
  [...https, 'listener', 'parameter'],
  [...https, 'listener', 'parameters'],
]

/** Tomcat's names for it, old and new, and that of WSO2's own listeners, in lower case. */
const clientKeys = new Set(['certificateverification', 'clientauth', 'sslverifyclient'])

function listClientPaths(values: Tree): KeyPath[] {
  return clientTables.flatMap((path) => {
    const found = valueAt(values, path)
    const keys = Object.keys(isTree(found) ? found : {}).filter((key) => clientKeys.has(key.toLowerCase()))
    return keys.map((key) => [...path, key])
  })
}

interface Written {
  readonly path: KeyPath
  readonly value: string
}

/** The first of these that is written. A value of another type is reported as a word that is not known. */
function findWritten(values: Tree, paths: readonly KeyPath[]): Written | undefined {
  for (const path of paths) {
    const value = valueAt(values, path)
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (text !== undefined && text.trim() !== '') return { path, value: text }
  }
  return undefined
}

type TlsVersion = TlsConfig['minVersion']

/** Forward secret and authenticated: the names of IANA, which Java uses, and of OpenSSL. Best first (RFC 9325 section 4.2). */
const safeSuites: readonly (readonly [ianaName: string, opensslName: string, version: TlsVersion])[] = [
  ['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384', 'TLSv1.3'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLSv1.3'],
  ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256', 'TLSv1.3'],
  ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
  ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305', 'TLSv1.2'],
  ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2'],
  ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2'],
]

type Suite = (typeof safeSuites)[number]

interface TlsReports {
  readonly mistake: (finding: Finding) => void
  readonly warning: (finding: Finding) => void
}

/** Reads what is said of TLS. What is not safe is left out with a warning; when nothing is left, that is a mistake. */
export function createTls(values: Tree, hostName: string, reports: TlsReports): TlsConfig {
  const versions = readVersions(findWritten(values, protocolPaths), reports)
  const suites = readSuites(findWritten(values, cipherPaths), versions, reports)
  const spoken = new Set(suites.map(([, , version]) => version))
  const clientCertificates = readClientCertificates(findWritten(values, listClientPaths(values)), reports)
  const isRevocationChecked = findWritten(values, [revocation])?.value.toLowerCase() === 'true'
  if (clientCertificates !== 'none' && isRevocationChecked) {
    const rule = 'has no effect: a client certificate that was revoked is accepted until it expires'
    reports.warning({ path: revocation, rule, isIdle: true })
  }
  return {
    minVersion: spoken.has('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: spoken.has('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    cipherSuites: suites.map(([, opensslName]) => opensslName),
    clientCertificates,
    hostName,
  }
}

const allVersions: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** A list of versions, or Tomcat's form with a sign before each. */
const signedName = /([+-]?)\s*([^\s,+-]+)/g

function readVersions(written: Written | undefined, { mistake, warning }: TlsReports): readonly TlsVersion[] {
  if (written === undefined) return allVersions
  const { path, value } = written
  const versions = new Set<TlsVersion>()
  const dropped: string[] = []
  for (const [, sign, name = ''] of value.matchAll(signedName)) {
    const isAll = /^(?:all|tls)$/i.test(name)
    const named = allVersions.filter((version) => isAll || name.toLowerCase() === version.toLowerCase())
    for (const version of named) {
      if (sign === '-') versions.delete(version)
      else versions.add(version)
    }
    if (named.length === 0 && sign !== '-') dropped.push(name)
  }
  if (versions.size === 0) {
    mistake({ path, rule: 'must name TLSv1.2 or TLSv1.3, the only versions that are served' })
    return allVersions
  }
  if (dropped.length > 0) {
    const rule = `names versions of TLS that are withdrawn (RFC 8996) or not known, and are not served: ${dropped.join(', ')}`
    const fix: TomlEdit = { kind: 'set', path, value: allVersions.filter((version) => versions.has(version)).join(',') }
    warning({ path, rule: `${rule}; leave only TLSv1.2 and TLSv1.3`, fix })
  }
  return allVersions.filter((version) => versions.has(version))
}

function readSuites(
  written: Written | undefined,
  versions: readonly TlsVersion[],
  { mistake, warning }: TlsReports,
): readonly Suite[] {
  const possible = safeSuites.filter(([, , version]) => versions.includes(version))
  if (written === undefined) return possible
  const { path, value } = written
  const names = value.split(/[\s,:]+/).filter((name) => name !== '')
  const suites = names.map((name) => safeSuites.find((suite) => suite.slice(0, 2).includes(name.toUpperCase())))
  const usable = suites.filter((suite) => suite !== undefined && versions.includes(suite[2])) as Suite[]
  if (usable.length === 0) {
    const rule = 'must name at least one suite that is forward secret and authenticates what it encrypts'
    mistake({ path, rule: `${rule}, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` })
    return possible
  }
  const dropped = names.filter((_, index) => suites[index] === undefined)
  if (dropped.length > 0) {
    const rule = 'names suites that are not forward secret, do not authenticate what they encrypt, or are not known'
    const kept = names.filter((_, index) => suites[index] !== undefined)
    const fix: TomlEdit = { kind: 'set', path, value: kept.join(/[\s,]/.exec(value)?.[0] ?? ':') }
    warning({ path, rule: `${rule}, and are not offered: ${dropped.join(', ')}`, fix })
  }
  return usable
}

/** Words of WSO2's own listener, of Tomcat, and of older Tomcats. */
const clientWords = new Map<string, ClientCertificates>([
  ['false', 'none'],
  ['none', 'none'],
  ['optional', 'optional'],
  ['want', 'optional'],
  ['require', 'required'],
  ['required', 'required'],
  ['true', 'required'],
])

function readClientCertificates(written: Written | undefined, { mistake }: TlsReports): ClientCertificates {
  if (written === undefined) return 'none'
  const meaning = clientWords.get(written.value.trim().toLowerCase())
  if (meaning === undefined) mistake({ path: written.path, rule: 'must be "require", "optional" or "false"' })
  return meaning ?? 'required'
}
