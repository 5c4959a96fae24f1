/**
 * `sallyport/sql`: users from PostgreSQL, MariaDB, MySQL or SQLite.
 *
 * @module
 */

export { openSqlDatabase, type SqlDatabaseOptions } from './users/sql/database/open-sql-database.js'
export type { SqlPoolOptions } from './users/sql/database/pooled-database.js'
export type {
  SqlDatabase,
  SqlDialect,
  SqlQuery,
  SqlQueryOptions,
  SqlRow,
  SqlValue,
} from './users/sql/database/sql-database.js'
export { type InitSchemaOptions, initSchema } from './users/sql/schema/init-schema.js'
export { type SqlUserStore, type SqlUserStoreOptions, sqlUserStore } from './users/sql/sql-user-store.js'
export type { StorePatterns } from './users/sql/store-rules.js'
