/**
 * The subjects of service providers that get tokens in their own name.
 *
 * @module
 */

import { isMachineKind } from '../../core/auth.js'
import type { TokenRecord } from '../token-store.js'

const prefix = 'CLIENT/'

export function clientSubject(clientId: string): string {
  return prefix + clientId
}

/** Whether a record is that of a program: no user store knows it. */
export function isOfProgram({ kind, subject }: Pick<TokenRecord, 'kind' | 'subject'>): boolean {
  return isMachineKind(kind) || (kind === 'oauth' && subject.startsWith(prefix))
}
