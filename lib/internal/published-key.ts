/**
 * The key that everybody has: the one of WSO2's own key store, `wso2carbon.jks`.
 *
 * @module
 */

import { hash, type KeyObject } from 'node:crypto'

/** SHA-256 of the public key (SPKI, DER) of `wso2carbon.jks`, whose private key everybody can download. */
const publishedKeyDigest = 'ad874c42382e2a464a3dba787fb3a0b5e2de30100545742758a6fbf0cb6aca5e'

/** Whether this is the public half of a key pair that everybody can download. */
export function isPublishedKey(publicKey: KeyObject): boolean {
  const bytes = publicKey.export({ type: 'spki', format: 'der' })
  return hash('sha256', bytes) === publishedKeyDigest
}
