/**
 * What stands for the name of a user where keys are read by others.
 *
 * @module
 */

import { hash } from 'node:crypto'

/** No name of a user is part of a key: SHA-256, base64url. */
export function digest(subject: string): string {
  return hash('sha256', subject, 'base64url')
}
