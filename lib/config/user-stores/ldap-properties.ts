/**
 * Properties of a directory in `[user_store.properties]` that have no key: what WSO2's user stores do with them is done here
 * as well, or it is a mistake.
 *
 * Harmless, and left alone: what caches (`UserDNCacheEnabled`, `UserRolesCacheEnabled`), what chooses Java's library
 * (`LDAPInitialContextFactory`, `java.naming.ldap.attributes.binary`), tenants, claims, SCIM, bulk import and Carbon's own pages.
 * `MembershipAttributeRange` and `MaxSearchQueryTime` need no value: parts of values are asked for as they come, and a search
 * ends at `read_timeout`. `BackLinksEnabled`, `RoleDNPattern`, `EmptyRolesAllowed` and `kdcEnabled` change how WSO2 writes.
 *
 * @module
 */

import type { Finding } from '../findings.js'
import type { KeyPath } from '../key-path.js'
import type { StoreTable } from '../tables/user-store.js'

type Properties = StoreTable['properties']

/** Each with the values that are known, in small letters, and what to write instead of others. */
const refused: Readonly<Record<string, readonly [known: readonly string[], rule: string]>> = {
  IsEmailUserName: [
    ['', 'false'],
    'is not followed: take it out, and name the attribute with the address in user_name_attribute',
  ],
  Referral: [['', 'ignore', 'throw', 'follow'], 'must be "ignore", "throw" or "follow"'],
  LeadingOrTrailingSpaceAllowedInUserName: [['', 'true', 'false'], 'must be true or false'],
}

/** Reports what one directory's properties ask for that is not done. */
export function checkLdapProperties(
  { properties, values }: StoreTable,
  path: KeyPath,
  mistake: (finding: Finding) => void,
): void {
  for (const [name, [known, rule]] of Object.entries(refused)) {
    if (!known.includes(wordOf(properties, name))) mistake({ path: [...path, 'properties', name], rule })
  }
  if (wordOf(properties, 'URLOfDNS') !== '' && !values.connection_url) {
    const rule = 'is not followed: name the servers in connection_url, with a blank between two'
    mistake({ path: [...path, 'properties', 'URLOfDNS'], rule })
  }
}

/** The options that properties without a key set. */
export function ldapOptionsOf(properties: Properties): {
  readonly refusesReferrals: boolean
  readonly allowsOuterBlanks: boolean
} {
  return {
    refusesReferrals: wordOf(properties, 'Referral') === 'throw',
    allowsOuterBlanks: wordOf(properties, 'LeadingOrTrailingSpaceAllowedInUserName') !== 'false',
  }
}

function wordOf(properties: Properties, name: string): string {
  return String(properties[name] ?? '')
    .trim()
    .toLowerCase()
}
