/**
 * Signatures of certificates and of requests for them: RSA and ECDSA with SHA-256, and Ed25519.
 *
 * @module
 */

import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { oid, sequence, tagged } from './der-writer.js'

/** The AlgorithmIdentifier of a key's signatures (RFC 8017 appendix A.2.4, RFC 5758 section 3.2, RFC 8410 section 3). */
export function algorithmOf(key: KeyObject): Buffer {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return sequence(oid('1.2.840.113549.1.1.11'), tagged(0x05))
    case 'ec':
      return sequence(oid('1.2.840.10045.4.3.2'))
    case 'ed25519':
      return sequence(oid('1.3.101.112'))
    default:
      throw new TypeError(`a key of type ${key.asymmetricKeyType} cannot sign certificates`)
  }
}

/** Signs what goes before the signature. */
export function signDer(content: Buffer, key: KeyObject): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', content, key)
}

/** The public half of a key, as a certificate has it. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}
