/**
 * `[internal_apis]`: the users of the file.
 *
 * @module
 */

import type { FileUserConfig, FileUsersConfig } from '../config.js'
import { type Field, field, flag, refuseAt, type TableContext, table, tables, textList } from '../fields.js'

const maxNameCharacters = 255

const userName = field((value, refuse) => {
  const name = typeof value === 'string' ? value.normalize('NFC') : ''
  if (name.trim() === '' || [...name].length > maxNameCharacters || /[:\p{Cc}]/u.test(name)) {
    return refuse(`must be a text of 1 to ${maxNameCharacters} characters, without colons and control characters`)
  }
  return name
})

const password = field((value, refuse) =>
  typeof value === 'string' && value.trim() !== '' ? value : refuse('must be a text in quotes that is not blank'),
)

const user: Field<FileUserConfig> = table({
  user: table({
    name: userName,
    password,
    is_admin: flag.prefault(false),
    roles: textList.prefault([]),
  }).prefault({ name: undefined, password: undefined }),
}).transform(
  ({ user }): FileUserConfig => ({
    name: user.name,
    password: user.password,
    isAdmin: user.is_admin,
    roles: user.roles,
  }),
)

/** The file's users. There are none when the file names none: WSO2's `admin` with the password `admin` is not taken over. */
export const internalApisTable: Field<FileUsersConfig> = table({
  file_user_store: table({ enable: flag.prefault(true), primary: flag.optional() }).prefault({}),
  allow_default_credentials: flag.prefault(false),
  users: tables(user).prefault([]),
}).transform((table, context): FileUsersConfig => {
  refuseDuplicates(table.users, context)
  return {
    isEnabled: table.file_user_store.enable,
    allowDefaultCredentials: table.allow_default_credentials,
    users: table.users.filter((user) => user !== undefined),
  }
})

/** In WSO2 the last of two users with one name wins, and nobody is told. */
function refuseDuplicates(users: readonly (FileUserConfig | undefined)[], context: TableContext): void {
  const seen = new Map<string, number>()
  for (const [index, user] of users.entries()) {
    if (user === undefined) continue
    const first = seen.get(user.name)
    if (first === undefined) seen.set(user.name, index)
    else {
      const related = ['internal_apis', 'users', first, 'user', 'name']
      refuseAt(context, ['users', index, 'user', 'name'], 'must not be the name of two users', related)
    }
  }
}
