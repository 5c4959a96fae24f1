/**
 * What a server of this configuration speaks: WSO2's keys, narrowed to what is safe.
 *
 * @module
 */

import { type CipherSuite, safeCipherSuite, safeCipherSuites, type TlsVersion } from './cipher-suites.js'
import type { ClientCertificates, TlsConfig } from './config.js'
import type { Finding } from './findings.js'
import type { TlsTable, WrittenValue } from './tables/tls.js'

/** Where {@link tlsOf} reports. */
export interface TlsReports {
  readonly mistake: (finding: Finding) => void
  readonly warning: (finding: Finding) => void
}

/**
 * Reads what is said of TLS. What is not safe is left out with a warning; when nothing is left, that is a mistake.
 *
 * @param tables In the order in which their values count.
 */
export function tlsOf(tables: readonly (TlsTable | undefined)[], hostName: string, reports: TlsReports): TlsConfig {
  const first = (name: keyof TlsTable): WrittenValue | undefined =>
    tables.map((table) => table?.[name]).find((value) => value !== undefined)
  const versions = versionsOf(first('protocols'), reports)
  const suites = suitesOf(first('ciphers'), versions, reports)
  const spoken = versions.filter((version) => suites.some((suite) => suite.version === version))
  const clientCertificates = clientCertificatesOf(first('clientCertificates'), reports)
  const revocation = first('checksRevocation')
  if (clientCertificates !== 'none' && revocation?.value.toLowerCase() === 'true') {
    const rule = 'has no effect: a client certificate that was revoked is accepted until it expires'
    reports.warning({ path: revocation.path, rule })
  }
  return {
    minVersion: spoken.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: spoken.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    cipherSuites: suites.map(({ opensslName }) => opensslName),
    clientCertificates,
    hostName,
  }
}

const allVersions: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** A list of versions, or Tomcat's form with a sign before each. */
const signedName = /([+-]?)\s*([^\s,+-]+)/g

function versionsOf(written: WrittenValue | undefined, { mistake, warning }: TlsReports): readonly TlsVersion[] {
  if (written === undefined) return allVersions
  const versions = new Set<TlsVersion>()
  const dropped: string[] = []
  for (const [, sign, name] of written.value.matchAll(signedName)) {
    const named = allVersions.filter((version) => /^(?:all|tls)$/i.test(name!) || isVersion(name!, version))
    for (const version of named) {
      if (sign === '-') versions.delete(version)
      else versions.add(version)
    }
    if (named.length === 0 && sign !== '-') dropped.push(name!)
  }
  if (versions.size === 0) {
    mistake({ path: written.path, rule: 'must name TLSv1.2 or TLSv1.3, the only versions that are served' })
    return allVersions
  }
  if (dropped.length > 0) {
    const rule = `names versions of TLS that are withdrawn (RFC 8996) or not known, and are not served: ${dropped.join(', ')}`
    warning({ path: written.path, rule: `${rule}; leave only TLSv1.2 and TLSv1.3` })
  }
  return allVersions.filter((version) => versions.has(version))
}

function isVersion(name: string, version: TlsVersion): boolean {
  return name.toLowerCase() === version.toLowerCase()
}

function suitesOf(
  written: WrittenValue | undefined,
  versions: readonly TlsVersion[],
  { mistake, warning }: TlsReports,
): readonly CipherSuite[] {
  const possible = safeCipherSuites.filter(({ version }) => versions.includes(version))
  if (written === undefined) return possible
  const names = written.value.split(/[\s,:]+/).filter((name) => name !== '')
  const suites = names.map(safeCipherSuite).filter((suite) => suite !== undefined)
  const usable = suites.filter(({ version }) => versions.includes(version))
  if (usable.length === 0) {
    const rule = 'must name at least one suite that is forward secret and authenticates what it encrypts'
    mistake({ path: written.path, rule: `${rule}, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` })
    return possible
  }
  const dropped = names.filter((name) => safeCipherSuite(name) === undefined)
  if (dropped.length > 0) {
    const rule = 'names suites that are not forward secret, do not authenticate what they encrypt, or are not known'
    warning({ path: written.path, rule: `${rule}, and are not offered: ${dropped.join(', ')}` })
  }
  return usable
}

/** Words of WSO2's own listener, of Tomcat, and of older Tomcats. */
const clientCertificateWords: Readonly<Record<string, ClientCertificates>> = {
  false: 'none',
  none: 'none',
  optional: 'optional',
  want: 'optional',
  require: 'required',
  required: 'required',
  true: 'required',
}

function clientCertificatesOf(written: WrittenValue | undefined, { mistake }: TlsReports): ClientCertificates {
  if (written === undefined) return 'none'
  const word = written.value.trim().toLowerCase()
  const meaning = Object.hasOwn(clientCertificateWords, word) ? clientCertificateWords[word] : undefined
  if (meaning !== undefined) return meaning
  mistake({ path: written.path, rule: 'must be "require", "optional" or "false"' })
  return 'required'
}
