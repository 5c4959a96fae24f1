/**
 * Lists of users and roles.
 *
 * @module
 */

import type { UserQuery } from '../managed-user-store.js'
import type { SqlQuery } from './database/sql-database.js'
import { everyoneRole, readRoleName } from './role-name.js'
import type { UserSchema } from './schema/user-schema.js'
import type { UserDirectory } from './user-directory.js'
import { foldName, likePattern, matchesPattern, spellingsOf } from './user-name.js'

/** Options of {@link userListing}. */
export interface UserListingOptions {
  readonly directory: UserDirectory
  readonly ignoresCase: boolean
  readonly maxUsers: number
  readonly maxRoles: number
}

/** The lists of a store. */
export interface UserListing {
  users(query: SqlQuery, schema: UserSchema, wanted: UserQuery): Promise<readonly string[]>
  roles(query: SqlQuery, schema: UserSchema): Promise<readonly string[]>
  members(query: SqlQuery, schema: UserSchema, role: string): Promise<readonly string[] | undefined>
}

/**
 * A database finds more than a pattern means, where its collation is blind to case or accents. So many rows are read for
 * each that is given out.
 */
const surplus = 10

/** A longer pattern finds nothing: no name is longer. */
const maxPatternLength = 255

/** Makes the lists of one store. */
export function userListing({ directory, ignoresCase, maxUsers, maxRoles }: UserListingOptions): UserListing {
  const spelled = (text: string): string => (ignoresCase ? foldName(text) : text.normalize('NFC'))

  function sortedSubjects(names: readonly string[], pattern: string): readonly string[] {
    const wanted = spelled(pattern)
    const found = names.filter((name) => matchesPattern(spelled(name), wanted)).map(directory.subjectOf)
    return [...new Set(found)].sort().slice(0, maxUsers)
  }

  async function matching(query: SqlQuery, schema: UserSchema, pattern: string): Promise<readonly string[]> {
    return schema.listUsers(query, spellingsOf(likePattern(pattern)), maxUsers * surplus)
  }

  async function namesWithRole(query: SqlQuery, schema: UserSchema, role: string, pattern: string) {
    const wanted = directory.readRole(role)
    if (wanted.full === everyoneRole) return matching(query, schema, pattern)
    const found = await directory.findRole(query, schema, wanted)
    return found === undefined ? undefined : schema.membersOf(query, found, maxUsers * surplus)
  }

  return {
    async users(query, schema, { pattern = '*', role }) {
      const local = directory.localName(pattern)
      if (local.length > maxPatternLength) return []
      const names =
        role === undefined
          ? await matching(query, schema, local)
          : ((await namesWithRole(query, schema, role, local)) ?? [])
      return sortedSubjects(names, local)
    },

    async roles(query, schema) {
      const roles = [readRoleName(everyoneRole), ...(await schema.listRoles(query, maxRoles))]
      return [...new Set(roles.map(directory.roleText))].sort().slice(0, maxRoles)
    },

    async members(query, schema, role) {
      const names = await namesWithRole(query, schema, role, '*')
      return names === undefined ? undefined : sortedSubjects(names, '*')
    },
  }
}
