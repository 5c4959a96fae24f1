/**
 * Names in certificates: of subjects, and of the hosts they are good for.
 *
 * @module
 */

import { isIP } from 'node:net'
import { parseAddressAsSpelled } from '../../internal/ip-address.js'
import { oid, sequence, set, tagged, utf8 } from './der-writer.js'

const commonNameId = '2.5.4.3'

/** A distinguished name of a common name alone. */
export function commonName(name: string): Buffer {
  // At most 64 characters (RFC 5280 appendix A.1, ub-common-name).
  return sequence(set(sequence(oid(commonNameId), utf8(name.slice(0, 64)))))
}

/** The value of the extension that names hosts and addresses (RFC 5280 section 4.2.1.6). */
export function subjectAltName(hostNames: readonly string[]): Buffer {
  return sequence(
    ...hostNames.map((name) =>
      isIP(name) === 0 ? tagged(0x82, Buffer.from(name, 'ascii')) : tagged(0x87, addressBytes(name)),
    ),
  )
}

/** The four or sixteen bytes of an address. */
function addressBytes(text: string): Buffer {
  const words = parseAddressAsSpelled(text) ?? []
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4)
  return bytes
}

/** Letters, digits and hyphens between dots (RFC 1123 section 2.1), with the underscores that some names have. */
const hostName = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i

/** Whether a text can be the name of a host in a certificate: an address, or labels of at most 63 characters. */
export function isHostName(name: string): boolean {
  return isIP(name) !== 0 || (name.length <= 253 && hostName.test(name))
}
