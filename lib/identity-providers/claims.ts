/**
 * What the claims of an identity provider make of a user here.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { IdentityProviderConfig } from '../config/config.js'
import { hasControlCharacter } from '../core/names.js'
import type { UserAccount } from '../users/user-store.js'
import { maxNameLength } from '../users/user-store.js'
import { ProviderError } from './provider-error.js'

/** Claims of an ID token, with those of the user information beside them. */
export type Claims = Readonly<Record<string, unknown>>

/** What decides who a user is here. */
export type ClaimRules = Pick<
  IdentityProviderConfig,
  | 'subjectClaim'
  | 'rolesClaim'
  | 'roleMapping'
  | 'adminRoles'
  | 'requiredClaims'
  | 'allowUnmapped'
  | 'domainName'
  | 'issuer'
  | 'sessionCeilingMs'
>

/** A claim by its name, which may be a URL; else by a path with dots. Only own properties count. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Claims)[step]
  }
  return value
}

/** The claims that the rules read: where the ID token has not all of them, the user information may. */
export function namesOfClaims({ subjectClaim, rolesClaim, requiredClaims }: ClaimRules): readonly string[] {
  return [subjectClaim, ...(rolesClaim === undefined ? [] : [rolesClaim]), ...Object.keys(requiredClaims)]
}

/**
 * The account of a user whom the provider has authenticated. Groups that no rule names give nothing.
 *
 * @throws ProviderError: `unmapped` for a user whom nothing here is for, with the subject; and like {@link subjectFrom}.
 */
export function accountFromClaims(rules: ClaimRules, claims: Claims, now: number): UserAccount {
  const subject = subjectFrom(rules, claims)
  const unmapped = (message: string): ProviderError => new ProviderError('unmapped', message, { subject })
  for (const [name, allowed] of Object.entries(rules.requiredClaims)) {
    const values = textsIn(claimAt(claims, name))
    if (!values.some((value) => allowed.includes(value)))
      throw unmapped(`the claim ${name} has none of the values required`)
  }
  const groups = rules.rolesClaim === undefined ? [] : textsIn(claimAt(claims, rules.rolesClaim))
  const roles = [...new Set(groups.flatMap((group) => ownValue(rules.roleMapping, group) ?? []))].sort()
  const isAdmin = groups.some((group) => rules.adminRoles.includes(group))
  if (roles.length === 0 && !isAdmin && !rules.allowUnmapped) throw unmapped(whyUnmapped(rules, claims))
  const maxTokenAgeMs = readCeiling(rules, claims, now)
  return {
    subject,
    roles,
    isAdmin,
    version: `${versionPrefix(rules)}${digest(JSON.stringify([roles, isAdmin]))}`,
    maxTokenAgeMs,
  }
}

/**
 * Names a user: `DOMAIN/` and the claim.
 *
 * @throws ProviderError: `untrusted` without a claim that can be a name.
 */
export function subjectFrom({ subjectClaim, domainName }: ClaimRules, claims: Claims): string {
  const name = claimAt(claims, subjectClaim)
  const subject = `${domainName}/${name}`
  if (typeof name !== 'string' || !isName(name) || subject.length > maxNameLength) {
    throw new ProviderError('untrusted', `the claim ${subjectClaim} is no name for a user`)
  }
  return subject
}

/** In one spelling: names are kept in NFC and as UTF-8, where another one would be that of another user. */
function isName(text: string): boolean {
  return text.trim() !== '' && !hasControlCharacter(text) && !/\p{Cs}/u.test(text) && text === text.normalize('NFC')
}

/**
 * What the versions of all accounts of a provider begin with. Where another rule says who is who, an account from before is none any
 * more: the claims that the rule would read are gone.
 */
export function versionPrefix(rules: ClaimRules): string {
  const { issuer, domainName, subjectClaim, rolesClaim, roleMapping, adminRoles, requiredClaims, allowUnmapped } = rules
  const who = [issuer, subjectClaim, rolesClaim, roleMapping, adminRoles, requiredClaims, allowUnmapped]
  return `${domainName}:${digest(JSON.stringify(who))}:`
}

/** One text, or those of a list; what is neither is no value. */
function textsIn(value: unknown): readonly string[] {
  return [value].flat().filter((one) => typeof one === 'string')
}

function ownValue<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Entra leaves out the groups of a user who has many, and says so. */
function whyUnmapped({ rolesClaim }: ClaimRules, claims: Claims): string {
  if (rolesClaim === undefined) return 'no rule gives a role to this user'
  const elsewhere = Object(claims['_claim_names']) as Claims
  if (Object.hasOwn(elsewhere, rolesClaim)) {
    return `the provider left ${rolesClaim} out, because the user has too many groups: use app roles, or send only the groups of the app`
  }
  return claimAt(claims, rolesClaim) === undefined
    ? `the provider sent no claim ${rolesClaim}`
    : `no group in ${rolesClaim} is a role here`
}

/** `session_ceiling`, and the end that the provider gives its own session (`session_expiry`, seconds since the epoch). */
function readCeiling({ sessionCeilingMs }: ClaimRules, claims: Claims, now: number): number | undefined {
  const end = claims['session_expiry']
  const left = typeof end === 'number' && Number.isFinite(end) ? end * 1000 - now : undefined
  if (left !== undefined && left <= 0) throw new ProviderError('refused', 'the session at the provider has ended')
  const limits = [sessionCeilingMs, left].filter((limit) => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
