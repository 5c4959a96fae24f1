/**
 * Who has to show a second factor.
 *
 * @module
 */

import type { Factor } from './auth.js'

/** `optional`: users who have one. The others: administrators, or everybody, whether they have one yet or not. */
export type SecondFactorPolicy = 'optional' | 'administrators' | 'all'

/** Whether a user without a second factor is refused. */
export function demandsSecondFactor(policy: SecondFactorPolicy, { isAdmin }: { readonly isAdmin: boolean }): boolean {
  return policy === 'all' || (policy === 'administrators' && isAdmin)
}

/**
 * Whether a login was proven with two factors: a code beside the password, or an identity provider, which asks for its own. What the app has
 * checked counts where it says so.
 */
export function hasSecondFactor(factors: readonly Factor[] = []): boolean {
  return factors.some((factor) => factor === 'otp' || factor === 'recovery' || factor === 'provider')
}

/** What is looked at of a session or token. */
interface Proven {
  readonly subject: string
  readonly isAdmin: boolean
  readonly factors?: readonly Factor[] | undefined
}

/** Domain of the account for emergencies, which is bound to addresses in place of a second factor. */
const breakGlassStart = 'BREAK-GLASS/'

/** Whether a login falls short of what is demanded now, whatever was demanded when it took place. */
export function lacksSecondFactor(policy: SecondFactorPolicy, proven: Proven): boolean {
  const isExempt = proven.subject.startsWith(breakGlassStart)
  return !isExempt && demandsSecondFactor(policy, proven) && !hasSecondFactor(proven.factors)
}

/** The strictest of several. */
export function strictestPolicy(policies: readonly SecondFactorPolicy[]): SecondFactorPolicy {
  if (policies.includes('all')) return 'all'
  return policies.includes('administrators') ? 'administrators' : 'optional'
}
