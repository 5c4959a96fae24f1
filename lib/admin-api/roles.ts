/**
 * `/roles` and `/roles/{name}`, as WSO2's clients expect them.
 *
 * @module
 */

import type { Gate } from '../http/gate.js'
import { type ManagedUserStore, UserChangeError } from '../users/managed-user-store.js'
import { isSameDomain, listDomains, ownSpelling, qualifiedName, sharedDomains, withoutDomain } from '../users/names.js'
import { isUserName } from '../users/user-store.js'
import { invalidRequest } from './json-body.js'
import { type Call, memberNotFound, replaceRefusals, resourceGate } from './resource.js'
import { newRole, readBody, roleChange, rolesMissing } from './schemas/bodies.js'
import type { Role, RoleList, RoleStatus, UserStatus } from './schemas/users.js'
import type { UserAdministration } from './user-administration.js'

/**
 * Answers every request for roles. In a path, the slash of `Internal/everyone` may stand as it is.
 *
 * | verb, path | answer |
 * |---|---|
 * | `GET /roles?searchKey=` | `{"count","list":[{"role"}]}` |
 * | `POST /roles` | `{"role","status"}` |
 * | `PUT /roles` gives and takes roles of a user | `{"userId","status"}` |
 * | `GET /roles/{name}?domain=` | `{"role","users":[]}` |
 * | `DELETE /roles/{name}?domain=` | `{"role","status"}` |
 */
export function rolesGate(store: ManagedUserStore, administration: UserAdministration): Gate {
  function readRole({ name, query }: Call): string {
    return named(name, query('domain'))
  }

  function named(name: string, domain: string): string {
    return ownSpelling(qualifiedName(name, domain), [...listDomains(store), ...sharedDomains])
  }

  async function list({ query }: Call): Promise<RoleList> {
    const searchKey = query('searchKey').trim().toLowerCase()
    const found = (await store.listRoles()).filter((role) => role.toLowerCase().includes(searchKey))
    return { count: found.length, list: found.map((role) => ({ role })) }
  }

  async function add(call: Call): Promise<RoleStatus> {
    const { role, domain = '' } = readBody(newRole, await call.body())
    if (!isUserName(role)) throw new UserChangeError('invalid-name', 'Invalid role name')
    const name = named(roleInStore(store, role.normalize('NFC'), domain), '')
    const exists = new UserChangeError('role-exists', `Role: ${name} already exists.`)
    await replaceRefusals(administration.addRole(call, name), { 'role-exists': exists })
    return { role: name, status: 'Added' }
  }

  async function change(call: Call): Promise<UserStatus> {
    const { userId, domain = '', addedRoles: added, removedRoles: removed } = readBody(roleChange, await call.body())
    if (added === undefined && removed === undefined) throw invalidRequest(rolesMissing)
    const name = named(userId, domain)
    await administration.changeRoles(call, name, { added: added ?? [], removed: removed ?? [] })
    return { userId: name, status: 'Added/removed the roles' }
  }

  async function show(call: Call): Promise<Role> {
    const role = readRole(call)
    const users = await store.listMembers(role)
    if (users === undefined) throw memberNotFound('Role', role)
    return { role, users: [...users] }
  }

  async function remove(call: Call): Promise<RoleStatus> {
    const role = readRole(call)
    await replaceRefusals(administration.removeRole(call, role), { 'role-not-found': memberNotFound('Role', role) })
    return { role, status: 'Deleted' }
  }

  return resourceGate('roles', { GET: list, POST: add, PUT: change }, { GET: show, DELETE: remove })
}

/** The name of a new role; a domain that there is not would otherwise become part of a name in the primary store. */
function roleInStore(store: ManagedUserStore, role: string, domain: string): string {
  if (domain === '' || isSameDomain(domain, store.domain)) return withoutDomain(role, store.domain)
  const known = [...listDomains(store), ...sharedDomains].find((one) => isSameDomain(one, domain))
  if (known === undefined) throw new UserChangeError('invalid-name', 'There is no user store with this domain.')
  return qualifiedName(role, known)
}
