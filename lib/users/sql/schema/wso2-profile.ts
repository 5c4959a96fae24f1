/**
 * What WSO2's tables have of a person: the attributes that its claims for a name and an e-mail address are mapped to.
 *
 * @module
 */

import type { UserProfile } from '../../user-store.js'
import type { SqlQuery } from '../database/sql-database.js'
import type { StoredUser } from './user-schema.js'

/** Reads the default profile of a user. */
export async function wso2Profile(query: SqlQuery, user: StoredUser): Promise<UserProfile> {
  const rows = await query(
    `SELECT UM_ATTR_NAME AS name, UM_ATTR_VALUE AS content FROM UM_USER_ATTRIBUTE
      WHERE UM_USER_ID = ? AND UM_PROFILE_ID = 'default'`,
    [user.key],
  )
  const attributes = new Map(rows.map(({ name, content }) => [String(name), content ? String(content) : undefined]))
  const [givenName, familyName] = [attributes.get('givenName'), attributes.get('sn')]
  const fullName = [givenName, familyName].filter((part) => part !== undefined).join(' ') || undefined
  return {
    name: attributes.get('displayName') ?? attributes.get('cn') ?? fullName,
    email: attributes.get('mail'),
  }
}
