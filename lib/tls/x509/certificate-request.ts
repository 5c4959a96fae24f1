/**
 * Requests for a certificate from an authority (PKCS #10, RFC 2986).
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { bits, integer, octets, oid, sequence, set, tagged } from './der-writer.js'
import { commonName, subjectAltName } from './names.js'
import { algorithmOf, publicKeyInfo, signDer } from './signature.js'

const extensionRequest = '1.2.840.113549.1.9.14'
const subjectAlternativeNames = '2.5.29.17'

/** Makes a request for these host names, of which the first is the common name, as PEM. */
export function makeCertificateRequest(key: KeyObject, hostNames: readonly string[]): string {
  const extensions = sequence(sequence(oid(subjectAlternativeNames), octets(subjectAltName(hostNames))))
  const content = sequence(
    integer(Buffer.from([0])), // version 1
    commonName(hostNames[0] ?? ''),
    publicKeyInfo(key),
    tagged(0xa0, sequence(oid(extensionRequest), set(extensions))),
  )
  const request = sequence(content, algorithmOf(key), bits(signDer(content, key)))
  const lines = request.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n')
}
