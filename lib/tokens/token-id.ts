/**
 * The id of a token: what stores keep in place of the token itself.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { RecordKind } from './token-store.js'

/**
 * Returns the SHA-256 of kind and credential, base64url, 43 characters.
 *
 * The kind is part of it, so that a credential of one kind is never found as another. It opens nothing: who reads
 * a store cannot use what is there.
 */
export function tokenId(kind: RecordKind, credential: string): string {
  return hash('sha256', `${kind}:${credential}`, 'base64url')
}
