/**
 * `/users` and `/roles` of a user store that cannot be managed, for the operators' page: what is known of them, and no change.
 *
 * @module
 */

import { ForbiddenError } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { matchesPattern } from '../users/names.js'
import { accountFrom, maxNameLength, type UserAccount, type UserStore } from '../users/user-store.js'
import { type Call, type Handler, memberNotFound, resourceGate } from './resource.js'

/**
 * Answers every request for users and roles: GET as `usersGate` and `rolesGate` do, every change with 403. `listAccounts`: `undefined` for a
 * store that knows users without being able to list them; then only a whole name is found.
 */
export function readOnlyUsersGates(
  store: Pick<UserStore, 'find'>,
  listAccounts: (() => readonly UserAccount[]) | undefined,
): readonly Gate[] {
  async function findAccounts(name: string): Promise<readonly UserAccount[]> {
    if (listAccounts !== undefined) return listAccounts()
    const account = name === '' ? undefined : accountFrom(await store.find(name))
    return account === undefined ? [] : [account]
  }

  const listUsers: Handler = async ({ query }) => {
    const pattern = query('pattern').slice(0, maxNameLength) || '*'
    const role = query('role')
    const searchKey = query('searchKey').trim()
    const all = await findAccounts(pattern === '*' ? searchKey : pattern)
    const list = all
      .filter(({ subject, roles }) => matchesPattern(subject, pattern) && (role === '' || roles.includes(role)))
      .filter(({ subject }) => subject.toLowerCase().includes(searchKey.toLowerCase()))
      .map(({ subject }) => ({ userId: subject }))
    return { count: list.length, list }
  }

  const showUser: Handler = async ({ name }) => {
    const account = accountFrom(await store.find(name))
    if (account === undefined) throw memberNotFound('User', name)
    const { subject, isAdmin, roles } = account
    return { userId: subject, isAdmin, roles }
  }

  const listRoles: Handler = async ({ query }) => {
    const searchKey = query('searchKey').trim().toLowerCase()
    const roles = [...new Set((await findAccounts('')).flatMap((account) => account.roles))].sort()
    const list = roles.filter((role) => role.toLowerCase().includes(searchKey)).map((role) => ({ role }))
    return { count: list.length, list }
  }

  const showRole: Handler = async ({ name }: Call) => {
    const members = (await findAccounts('')).filter(({ roles }) => roles.includes(name))
    if (members.length === 0) throw memberNotFound('Role', name)
    return { role: name, users: members.map(({ subject }) => subject) }
  }

  return [
    resourceGate('users', { GET: listUsers, POST: refuse }, { GET: showUser, PATCH: refuse, DELETE: refuse }),
    resourceGate('roles', { GET: listRoles, POST: refuse, PUT: refuse }, { GET: showRole, DELETE: refuse }),
  ]
}

const refuse: Handler = async () => {
  const text = 'The users of this user store cannot be changed here. Change them where they are kept.'
  throw new ForbiddenError('ERR_USERS_NOT_MANAGEABLE', text, { bare: 'never' })
}
