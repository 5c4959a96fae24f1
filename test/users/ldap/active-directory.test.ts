/** How users are added to an Active Directory, which no distribution has. */

import { expect, it } from 'vitest'
import type { DirectoryWriter } from '../../../lib/users/ldap/directory-writer.js'
import type { GroupFinder } from '../../../lib/users/ldap/group-finder.js'
import { LdapError } from '../../../lib/users/ldap/ldap-error.js'
import { readSettings } from '../../../lib/users/ldap/ldap-store-settings.js'
import { createUserChanges } from '../../../lib/users/ldap/user-changes.js'
import type { UserFinder } from '../../../lib/users/ldap/user-finder.js'

/** Changes of a directory that keeps what is asked of it; `failing` is the step that it does not do. */
function changesOf(failing?: string) {
  const steps: unknown[][] = []
  const keep =
    (name: string) =>
    async (...values: readonly unknown[]): Promise<void> => {
      steps.push([name, ...values.filter((value) => value !== undefined)])
      if (name === failing) throw new LdapError('connection', 'gone')
    }
  const writer = Object.fromEntries(
    ['addEntry', 'removeEntry', 'addValue', 'removeValue', 'replaceValue', 'setPassword'].map((name) => [
      name,
      keep(name),
    ]),
  ) as unknown as DirectoryWriter
  const settings = readSettings({
    connectionUrl: 'ldaps://x',
    connectionName: 'cn=service',
    connectionPassword: 'service-secret',
    userSearchBase: 'ou=People,dc=x',
    userNameAttribute: 'sAMAccountName',
    readGroups: false,
    activeDirectory: true,
    readOnly: false,
  })
  let isThere = false
  const users = {
    localName: (name: string) => name,
    findSubject: async (name: string) => {
      const found = isThere ? { name, entry: { dn: '', values: () => [], nextValue: () => undefined } } : undefined
      isThere = true
      return found
    },
  } as unknown as UserFinder
  const groups = { holding: async () => [] } as unknown as GroupFinder
  return { changes: createUserChanges(writer, settings, users, groups), steps }
}

const dave = { name: 'dave', password: 'dave-secret', isAdmin: false }
const dn = 'cn=dave,ou=People,dc=x'

it('adds a user who is switched on after the password is set', async () => {
  const { changes, steps } = changesOf()
  await changes.add(dave)
  expect(steps).toEqual([
    ['addEntry', dn, { objectClass: ['user'], cn: ['dave'], sAMAccountName: ['dave'] }],
    ['setPassword', dn, 'dave-secret'],
    ['replaceValue', dn, 'userAccountControl', '512'],
  ])
})

it.each(['setPassword', 'replaceValue'])('takes the entry away again when %s fails', async (step) => {
  const { changes, steps } = changesOf(step)
  await expect(changes.add(dave)).rejects.toBeInstanceOf(LdapError)
  expect(steps.at(-1)).toEqual(['removeEntry', dn])
})

it('takes no entry away when it is not known whose it is', async () => {
  const { changes, steps } = changesOf('addEntry')
  await expect(changes.add(dave)).rejects.toBeInstanceOf(LdapError)
  expect(steps.map(([name]) => name)).toEqual(['addEntry'])
})
