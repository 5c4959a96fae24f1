/**
 * What the parts that keep state in a shared database are told by the link.
 *
 * @module
 */

import type { SqlLink } from './sql-link.js'

/** What the parts that keep state in the database are told. */
export interface SqlLinkListener {
  /**
   * The database is there, or there again: nothing else is asked before this resolves. What was committed before may be lost. A rejection
   * leaves it away.
   */
  onOpen?(opened: OpenedSqlLink): Promise<void>
  /** The rights of a user have changed, or those of all where `subject` is absent. `number`: that of the entry in the log. */
  onChange?(number: number, subject: string | undefined): void
}

/** The database that is there, or there again. */
export type OpenedSqlLink = Pick<SqlLink, 'prefix' | 'query' | 'locked' | 'publish'>
