/** The contract of user stores on the users of a file, as far as it holds for users that nobody can change. */

import { describe, expect, it } from 'vitest'
import type { FileUserConfig } from '../../../lib/config/config.js'
import { fileUserStore } from '../../../lib/users/file/file-user-store.js'
import { hashPassword } from '../../../lib/users/passwords/password-hash.js'
import { contractUsers, loginContract } from '../../contracts/login-store.js'
import { expectThemselvesOnly, hostileUsers } from '../sql/hostile-names.js'

const users: readonly FileUserConfig[] = Object.entries(contractUsers).map(([name, { password, roles }]) => ({
  name,
  password,
  isAdmin: name === 'alice',
  roles: roles.filter((role) => role !== 'admin'),
}))

/** Made once: hashing is slow by design. */
const hashed = Promise.all(users.map(async (user) => ({ ...user, password: await hashPassword(user.password) })))

loginContract('the users of a file, in plain text,', { ignoreCase: false }, () => fileUserStore({ users }))
loginContract('the users of a file, hashed,', { ignoreCase: false }, async () => fileUserStore({ users: await hashed }))

describe('names in a file that mean something else', () => {
  it('log in as themselves and as nobody else', async () => {
    const hostile = hostileUsers(true)
    const configs = hostile.map((user) => ({ ...user, isAdmin: false, roles: [] }))
    await expectThemselvesOnly(await fileUserStore({ users: configs }), hostile)
    expect(hostile.length).toBeGreaterThan(60)
  })
})
