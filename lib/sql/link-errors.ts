/**
 * Why a shared database cannot be used.
 *
 * @module
 */

import { ConfigError, StoreError } from '../core/errors.js'
import { isSqlError } from './sql-database.js'

/** Missing tables are a mistake of the operator. */
export function reasonFrom(error: unknown): unknown {
  if (!isSqlError(error, 'missing-table')) return error
  const rule = 'names a database without the tables of the shared store; run: npx sallyport users init'
  return new ConfigError([{ key: 'shared_store.data_source', rule }], { cause: error })
}

/** The error of what needs the database meanwhile. */
export function awayError(reason: unknown): StoreError {
  return new StoreError(`the database of the shared store cannot be used: ${messageFrom(reason)}`, { cause: reason })
}

/** With that of the driver. */
export function messageFrom(error: unknown): string {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: unknown }
  return cause instanceof Error ? `${String(message)} (${cause.message})` : String(message ?? error)
}
