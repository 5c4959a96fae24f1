/** The contract of user stores, on a real directory. */

import { afterAll, beforeAll, describe } from 'vitest'
import { type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import { contractRoles, contractSuperAdmin, contractUsers, userStoreContract } from '../../contracts/user-store.js'
import {
  folderEntry,
  groupEntry,
  type LdifEntry,
  type Slapd,
  service,
  startSlapd,
  suffix,
  userEntry,
} from '../../helpers/slapd.js'

/** Each test has a branch of its own, made before the server starts: passwords of long ago cannot be made later. */
const branches = 400
const branchOf = (number: number): string => `ou=t${number},${suffix}`

function branchEntries(number: number): readonly LdifEntry[] {
  const base = branchOf(number)
  const [usersBase, groupsBase] = [`ou=Users,${base}`, `ou=Groups,${base}`]
  const users = Object.entries(contractUsers)
  const dnOf = (name: string): string => userEntry(name, '', usersBase)[0]
  const membersOf = (role: string): string[] =>
    users.filter(([, { roles }]) => (roles as readonly string[]).includes(role)).map(([name]) => dnOf(name))
  return [
    ...[base, usersBase, groupsBase].map(folderEntry),
    ...contractRoles.map((role) => groupEntry(role, membersOf(role), groupsBase)),
    ...users.map(([name, { password, roles }]) => {
      const memberOf = roles.map((role) => groupEntry(role, [], groupsBase)[0])
      return userEntry(name, password, usersBase, {
        pwdChangedTime: '20200101000000Z',
        ...(memberOf.length > 0 ? { memberOf } : {}),
      })
    }),
  ]
}

describe('a directory', () => {
  let server: Slapd
  let next = 0

  beforeAll(async () => {
    server = await startSlapd({
      entries: Array.from({ length: branches }, (_, number) => branchEntries(number)).flat(),
    })
  })

  afterAll(() => server.stop())

  function makeStore(options: Partial<LdapUserStoreOptions>) {
    return async () => {
      const base = branchOf(next++)
      return ldapUserStore({
        connectionUrl: server.url,
        connectionName: service.dn,
        connectionPassword: service.password,
        userSearchBase: `ou=Users,${base}`,
        groupSearchBase: `ou=Groups,${base}`,
        superAdmin: contractSuperAdmin,
        ...options,
        ...(options.userDnPattern === undefined ? {} : { userDnPattern: `uid={0},ou=Users,${base}` }),
      })
    }
  }

  const capabilities = { isWritable: true, ignoreCase: true, allowsEmptyRoles: true, hasInternalRoles: false }
  userStoreContract('LDAP, groups with members', capabilities, makeStore({ readOnly: false }))
  userStoreContract(
    'LDAP, users with groups, of another domain',
    capabilities,
    makeStore({ readOnly: false, memberOfAttribute: 'memberOf', domain: 'corp', nestedGroupDepth: 3 }),
  )
  userStoreContract(
    'LDAP, names made by a pattern',
    { ...capabilities, isWritable: false },
    makeStore({ userDnPattern: 'set', memberOfAttribute: 'memberOf' }),
  )
  userStoreContract(
    'LDAP, strict about case',
    { ...capabilities, isWritable: false, ignoreCase: false },
    makeStore({ ignoreCase: false }),
  )
})
