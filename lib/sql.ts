/**
 * `sallyport/sql`: users from PostgreSQL, MariaDB, MySQL or SQLite; and tokens, sessions and login counters that processes share through a
 * database, for an app that is wired by hand. `[shared_store]` in the file needs none of this.
 *
 * @module
 */

export type { Moment } from './core/moment.js'
export type { ObserveQuery } from './core/query-observer.js'
export type { OpenedSqlLink, SqlLinkListener } from './sql/link-listener.js'
export type { LockedRow, LockedWork } from './sql/lock-rows.js'
export type { Found, LookUp } from './sql/look-up.js'
export { openSqlDatabase, type SqlDatabaseOptions } from './sql/open-sql-database.js'
export type { SqlPoolOptions } from './sql/pooled-database.js'
export { initSharedTables } from './sql/shared-tables.js'
export type {
  SqlDatabase,
  SqlDialect,
  SqlQuery,
  SqlQueryOptions,
  SqlRow,
  SqlValue,
} from './sql/sql-database.js'
export { SqlLink, type SqlLinkOptions } from './sql/sql-link.js'
export type { SharedTokenStoreOptions } from './tokens/external/pools.js'
export { SqlTokenStore, type SqlTokenStoreOptions } from './tokens/sql/sql-token-store.js'
export { type InitSchemaOptions, initSchema } from './users/sql/own-schema.js'
export { type SqlUserStore, type SqlUserStoreOptions, sqlUserStore } from './users/sql/sql-user-store.js'
export type { StorePatterns } from './users/store-rules.js'
export { createSqlThrottle, type SqlThrottleOptions } from './users/throttle/sql-throttle.js'
