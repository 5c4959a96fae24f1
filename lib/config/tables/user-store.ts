/**
 * `[user_store]`.
 *
 * @module
 */

import { duration, type Field, refuseAt, type TableContext, table, tables } from '../fields.js'
import type { UserStoreValues } from '../known-keys/user-store-keys.js'
import { storeFields, storeValues } from './user-store-fields.js'

type Values = Readonly<Record<string, unknown>>

/** A kind of user store. An Active Directory is one of LDAP with other defaults. */
export type StoreKind = 'read_only_ldap' | 'read_write_ldap' | 'active_directory' | 'database'

/** Types that WSO2 knows. Those with unique ids differ in the columns that are written, not in how users are read. */
const storeTypes: Readonly<Record<string, StoreKind>> = {
  read_only_ldap: 'read_only_ldap',
  read_write_ldap: 'read_write_ldap',
  active_directory: 'active_directory',
  database: 'database',
  read_only_ldap_unique_id: 'read_only_ldap',
  read_write_ldap_unique_id: 'read_write_ldap',
  active_directory_unique_id: 'active_directory',
  database_unique_id: 'database',
}

/** Ends of the names of WSO2's Java classes. */
const classTypes: readonly (readonly [RegExp, StoreKind])[] = [
  [/ReadOnlyLDAPUserStoreManager$/, 'read_only_ldap'],
  [/ReadWriteLDAPUserStoreManager$/, 'read_write_ldap'],
  [/ActiveDirectoryUserStoreManager$/, 'active_directory'],
  [/JDBCUserStoreManager$/, 'database'],
]

/** What one store's table says. */
export interface StoreTable {
  /** `undefined` when neither `type` nor `class` says it. */
  readonly kind: StoreKind | undefined
  readonly values: UserStoreValues
  /** `[user_store.properties]` as it is written. */
  readonly properties: Values
  /** Where it stands among the secondary stores; `undefined` for `[user_store]` itself. */
  readonly index: number | undefined
}

/** What `[user_store]` says. */
export interface UserStoreTable {
  readonly primary: StoreTable
  /** Without those that are disabled. */
  readonly secondaries: readonly StoreTable[]
  readonly recheckIntervalSeconds: number
  readonly recheckGraceSeconds: number
}

/** Domains that mean something else: the first store, roles that all stores share, and the account for emergencies. */
const takenDomains = ['PRIMARY', 'INTERNAL', 'APPLICATION', 'WORKFLOW', 'SYSTEM', 'BREAK-GLASS']

/** One `[[user_store.secondary]]`. */
const secondaryTable: Field<Omit<StoreTable, 'index'>> = table(storeFields).transform((table: Values, context) => {
  const values = storeValues(table, context)
  const kind = kindOf(values, context)
  if (kind === undefined) refuseAt(context, ['type'], 'must be read_only_ldap, read_write_ldap or database')
  checkDomain(values.domain_name ?? '', takenDomains, context)
  return {
    kind,
    values: { ...values, domain_name: values.domain_name?.toUpperCase() },
    properties: propertiesOf(table),
  }
})

/** The directory or database that users come from, when they do not come from the file. */
export const userStoreTable: Field<UserStoreTable> = table({
  ...storeFields,
  secondary: tables(secondaryTable).prefault([]),
  recheck_interval: duration().prefault('60s'),
  recheck_grace: duration().prefault('5m'),
}).transform((table, context): UserStoreTable => {
  const values = storeValues(table as Values, context)
  const domain = values.domain_name?.toUpperCase() || 'PRIMARY'
  checkDomain(domain, takenDomains.slice(1), context)
  const secondaries = table.secondary
    .map((store, index): StoreTable | undefined => store && { ...store, index })
    .filter((store) => store !== undefined)
    .filter(({ values }) => values.disable !== true)
  refuseSameDomains(secondaries, domain, context)
  return {
    primary: {
      kind: kindOf(values, context),
      values: { ...values, domain_name: domain },
      properties: propertiesOf(table as Values),
      index: undefined,
    },
    secondaries,
    recheckIntervalSeconds: table.recheck_interval,
    recheckGraceSeconds: table.recheck_grace,
  }
})

function propertiesOf(table: Values): Values {
  return (table['properties'] ?? {}) as Values
}

function kindOf({ type, class: javaClass }: UserStoreValues, context: TableContext): StoreKind | undefined {
  if (type !== undefined && !Object.hasOwn(storeTypes, type)) {
    refuseAt(context, ['type'], 'must be read_only_ldap, read_write_ldap or database')
  }
  const kind = type === undefined ? undefined : storeTypes[type]
  const kindOfClass = classTypes.find(([name]) => name.test(javaClass ?? ''))?.[1]
  if (kind === undefined || kindOfClass === undefined || kind === kindOfClass) return kind ?? kindOfClass
  // WSO2 has no type for it: the class is written beside the type of another directory.
  if (kindOfClass === 'active_directory' && kind !== 'database') return kindOfClass
  refuseAt(context, ['class'], 'must not be the class of another type; leave it out')
  return kind
}

function checkDomain(name: string, taken: readonly string[], context: TableContext): void {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    refuseAt(context, ['domain_name'], 'must be a name of letters, digits, ".", "_" and "-"')
  } else if (taken.includes(name.toUpperCase())) {
    refuseAt(context, ['domain_name'], `must not be one of ${taken.join(', ')}`)
  }
}

function refuseSameDomains(stores: readonly StoreTable[], primaryDomain: string, context: TableContext): void {
  const seen = new Set<string | undefined>([primaryDomain])
  for (const { values, index } of stores) {
    if (seen.has(values.domain_name)) {
      refuseAt(context, ['secondary', index!, 'domain_name'], 'must not be the domain of two user stores')
    }
    seen.add(values.domain_name)
  }
}
