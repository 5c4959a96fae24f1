/**
 * `[user_store]` and `[[user_store.secondary]]`.
 *
 * @module
 */

import { duration, type Field, refuseAt, refuseRepeated, type TableContext, table, tables } from '../fields.js'
import { readStoreValues, storeFields, type UserStoreValues } from './user-store-keys.js'

type Values = Readonly<Record<string, unknown>>

/** An Active Directory is a directory with other defaults. */
export type StoreKind = 'read_only_ldap' | 'read_write_ldap' | 'active_directory' | 'database'

/** Kinds by the end of the name of WSO2's Java class. */
const classKinds: readonly (readonly [RegExp, StoreKind])[] = [
  [/ReadOnlyLDAPUserStoreManager$/, 'read_only_ldap'],
  [/ReadWriteLDAPUserStoreManager$/, 'read_write_ldap'],
  [/ActiveDirectoryUserStoreManager$/, 'active_directory'],
  [/JDBCUserStoreManager$/, 'database'],
]

export interface StoreTable {
  readonly kind: StoreKind | undefined
  readonly values: UserStoreValues
  /** `[user_store.properties]` as it is written. */
  readonly properties: Values
  /** Where it stands among the secondary stores; `undefined` for `[user_store]` itself. */
  readonly index: number | undefined
}

/** Domains that mean something else: the first store, roles that all stores share, the account for emergencies, and other programs. */
export const takenDomains: readonly string[] = [
  'PRIMARY',
  'INTERNAL',
  'APPLICATION',
  'WORKFLOW',
  'SYSTEM',
  'BREAK-GLASS',
  'API',
  'ICP',
  'CLIENT',
]

const secondaryTable: Field<Omit<StoreTable, 'index'>> = table(storeFields).transform((table: Values, context) => {
  const store = readStore(table, context)
  if (store.kind === undefined)
    refuseAt(context, ['type'], 'must be read_only_ldap, read_write_ldap, active_directory or database')
  checkDomain(store.values.domain_name ?? '', takenDomains, context)
  return store
})

/** The directory or database that users come from, when they do not come from the file. */
export const userStoreTable = table({
  ...storeFields,
  secondary: tables(secondaryTable).prefault([]),
  recheck_interval: duration()
    .prefault('60s')
    .describe('how old the rights of a token may get before the account is read again'),
  recheck_grace: duration().prefault('5m').describe('how long the last answer holds while the user store is down'),
}).transform((table, context) => {
  const store = readStore(table as Values, context)
  const domain = store.values.domain_name || 'PRIMARY'
  checkDomain(domain, takenDomains.slice(1), context)
  const stores = table.secondary.map((store, index) =>
    store?.values.disable === true ? undefined : store && { ...store, index },
  )
  const domains = [domain, ...stores.map((store) => store && (store.values.domain_name ?? ''))]
  const pathTo = (index: number) => ['secondary', index - 1, 'domain_name']
  refuseRepeated(context, domains, pathTo, 'must not be the domain of two user stores')
  return {
    primary: { ...store, values: { ...store.values, domain_name: domain }, index: undefined },
    secondaries: stores.filter((store) => store !== undefined),
    recheckIntervalMs: table.recheck_interval,
    recheckGraceMs: table.recheck_grace,
  }
})

function readStore(table: Values, context: TableContext): Omit<StoreTable, 'index'> {
  const values = readStoreValues(table, context)
  return {
    kind: readKind(values, context),
    values: { ...values, domain_name: values.domain_name?.toUpperCase() },
    properties: (table['properties'] ?? {}) as Values,
  }
}

function readKind({ type, class: javaClass = '' }: UserStoreValues, context: TableContext): StoreKind | undefined {
  // Stores with unique ids differ in the columns that are written, not in how users are read.
  const name = type?.replace(/_unique_id$/, '')
  const kind = classKinds.find(([, kind]) => kind === name)?.[1]
  if (type !== undefined && kind === undefined) {
    refuseAt(context, ['type'], 'must be read_only_ldap, read_write_ldap, active_directory or database')
  }
  const classKind = classKinds.find(([name]) => name.test(javaClass))?.[1]
  if (kind === undefined || classKind === undefined || kind === classKind) return kind ?? classKind
  // WSO2 has no type for it: the class is written beside the type of another directory.
  if (classKind === 'active_directory' && kind !== 'database') return classKind
  refuseAt(context, ['class'], 'must not be the class of another type; leave it out')
  return kind
}

/** Whether a class is one of WSO2's own, and not a foreign one, whose code is not known. */
export function isKnownClass(javaClass: string): boolean {
  const name = javaClass.slice(javaClass.lastIndexOf('.') + 1).replace(/^UniqueID/, '')
  return javaClass === '' || classKinds.some(([known]) => name.match(known)?.index === 0)
}

function checkDomain(name: string, taken: readonly string[], context: TableContext): void {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    refuseAt(context, ['domain_name'], 'must be a name of letters, digits, ".", "_" and "-"')
  } else if (taken.includes(name.toUpperCase())) {
    refuseAt(context, ['domain_name'], `must not be one of ${taken.join(', ')}`)
  }
}
