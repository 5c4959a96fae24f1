/**
 * Names with the domain of a user store before them.
 *
 * @module
 */

import type { ManagedUserStore } from './managed-user-store.js'

/** Domain of the store that names without a domain mean. */
export const primaryDomain = 'PRIMARY'

/** Whether two domains are the same: letter case does not count. */
export function isSameDomain(one: string, other: string): boolean {
  return one.toUpperCase() === other.toUpperCase()
}

/** The part before the first slash, and what follows it; no domain when there is no slash. */
export function splitDomain(name: string): { readonly domain: string | undefined; readonly rest: string } {
  const at = name.indexOf('/')
  return at === -1 ? { domain: undefined, rest: name } : { domain: name.slice(0, at), rest: name.slice(at + 1) }
}

/** A name with this domain before it, unless it is empty or there already. */
export function qualifiedName(name: string, domain: string): string {
  const before = splitDomain(name).domain
  const isThere = before !== undefined && isSameDomain(before, domain)
  return domain === '' || isThere ? name : `${domain}/${name}`
}

/** A name without this domain. */
export function withoutDomain(name: string, domain: string): string {
  const { domain: before, rest } = splitDomain(name)
  return before !== undefined && isSameDomain(before, domain) ? rest : name
}

/** A name with a domain as the store itself writes it: in its spelling, and without `PRIMARY/`, which means the first store. */
export function ownSpelling(name: string, domains: readonly string[]): string {
  const { domain, rest } = splitDomain(name)
  if (domain === undefined) return name
  if (isSameDomain(domain, primaryDomain)) return rest
  const known = domains.find((one) => isSameDomain(one, domain))
  return known === undefined ? name : `${known}/${rest}`
}

/** A user store that consists of several. */
export interface HasDomains {
  /** Domains of all its stores, the first one's first. */
  readonly domains: readonly string[]
}

/** The domains that users of a store can have. */
export function domainsOf(store: ManagedUserStore & Partial<HasDomains>): readonly string[] {
  return store.domains ?? [store.domain]
}
