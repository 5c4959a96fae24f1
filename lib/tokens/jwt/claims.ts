/**
 * Checks of claims (RFC 7519 section 4.1) that all verifiers share.
 *
 * @module
 */

import { hasControlCharacter } from '../../core/names.js'

const maxTextLength = 1024

/** How far another clock may be off. */
export const maxClockToleranceSeconds = 60

/** @throws an Error that names the claim, for the log. */
export function assertClaim(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Error(`${claim} is missing or wrong`)
}

/** `aud` is the audience, or has it (RFC 7519 section 4.1.3). Compared character by character. */
export function isForAudience(claim: unknown, audience: string): boolean {
  if (!Array.isArray(claim)) return claim === audience
  return claim.every((entry) => typeof entry === 'string') && claim.includes(audience)
}

export function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

/** Text of a length that can be kept and logged. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxTextLength && !hasControlCharacter(value)
}

/** Whether `typ` is this type. Media types have no case, and `application/` may be left out (RFC 7515 section 4.1.9). */
export function isMediaType(value: unknown, type: string): boolean {
  return typeof value === 'string' && value.toLowerCase().replace(/^application\//, '') === type
}
