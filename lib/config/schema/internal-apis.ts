/**
 * `[internal_apis]`: the users of the file.
 *
 * @module
 */

import type { FileUserConfig, FileUsersConfig } from '../config.js'
import { type Field, field, flag, refuseRepeated, table, tables, textList } from './fields.js'
import { totpSecret } from './second-factor.js'

const maxNameCharacters = 255

const userName = field((value, refuse) => {
  const name = typeof value === 'string' ? value.normalize('NFC') : ''
  if (name.trim() === '' || [...name].length > maxNameCharacters || /[:\p{Cc}]/u.test(name)) {
    return refuse(`must be a text of 1 to ${maxNameCharacters} characters, without colons and control characters`)
  }
  return name
}).meta({ unit: 'text', type: 'string' })

const password = field((value, refuse) =>
  typeof value === 'string' && value.trim() !== ''
    ? value
    : refuse('must be a hash in quotes, printed by "npx sallyport hash-password", or a password that is not blank'),
).meta({ unit: 'hash or text', type: 'string' })

const user: Field<FileUserConfig> = table({
  user: table({
    name: userName.describe('1 to 255 characters, without colons and control characters').meta({ absent: 'required' }),
    password: password
      .describe(
        'an argon2id hash from `npx sallyport hash-password`, or one of scrypt or bcrypt; plain text works, with a warning',
      )
      .meta({ absent: 'required' }),
    is_admin: flag.prefault(false).describe('whether the user is an administrator'),
    roles: textList.prefault([]).describe('for the rules of `authorization_handler` and of portals'),
    totp: totpSecret
      .optional()
      .describe("seed of the user's authenticator app, from `npx sallyport users totp`; keep it in a secret"),
  }).prefault({ name: undefined, password: undefined }),
}).transform(({ user: { name, password, is_admin, roles, totp } }) => ({
  name,
  password,
  isAdmin: is_admin,
  roles,
  totp,
}))

/** The file's users. There are none when the file names none: WSO2's `admin` with the password `admin` is not taken over. */
export const internalApisTable: Field<FileUsersConfig> = table({
  file_user_store: table({
    enable: flag
      .prefault(true)
      .describe('whether users come from `[[internal_apis.users]]`; `false`: from `[user_store]`'),
    primary: flag.optional().describe('no effect'),
  }).prefault({}),
  allow_default_credentials: flag
    .prefault(false)
    .describe('whether a well-known pair such as `admin`/`admin` may start under `NODE_ENV=production`'),
  users: tables(user).prefault([]),
}).transform(({ file_user_store, allow_default_credentials, users }, context): FileUsersConfig => {
  // In WSO2 the last of two users with one name wins, without a message.
  const names = users.map((user) => user?.name)
  const pathTo = (index: number) => ['users', index, 'user', 'name']
  refuseRepeated(context, names, pathTo, 'must not be the name of two users', ['internal_apis'])
  return {
    isEnabled: file_user_store.enable,
    allowDefaultCredentials: allow_default_credentials,
    users: users.filter((user) => user !== undefined),
  }
})
