/**
 * Cipher suites that are forward secret and authenticate what they encrypt, by Java's and OpenSSL's names.
 *
 * @module
 */

/** Versions of TLS that are served. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** A suite that may be offered. */
export interface CipherSuite {
  /** Name in the registry of IANA, which Java uses. */
  readonly ianaName: string
  /** Name in OpenSSL, which Node uses. For TLS 1.3 both have the same. */
  readonly opensslName: string
  readonly version: TlsVersion
}

/** Best first: the order is the server's to choose (RFC 9325 section 4.2). */
export const safeCipherSuites: readonly CipherSuite[] = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'].map(
    (name): CipherSuite => ({ ianaName: name, opensslName: name, version: 'TLSv1.3' }),
  ),
  suite12('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'),
  suite12('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'),
  suite12('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'),
  suite12('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'),
  suite12('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'),
  suite12('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'),
]

function suite12(ianaName: string, opensslName: string): CipherSuite {
  return { ianaName, opensslName, version: 'TLSv1.2' }
}

/** The suite of a name, by whichever of the two registries. */
export function safeCipherSuite(name: string): CipherSuite | undefined {
  const folded = name.toUpperCase()
  return safeCipherSuites.find(({ ianaName, opensslName }) => folded === ianaName || folded === opensslName)
}
