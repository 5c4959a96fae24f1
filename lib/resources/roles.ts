/**
 * `/roles` and `/roles/{name}`, as WSO2's clients expect them.
 *
 * @module
 */

import type { Gate } from '../internal/gate.js'
import { isUserName } from '../users/credential-limits.js'
import { domainsOf, isSameDomain, ownSpelling, qualifiedName, withoutDomain } from '../users/domains.js'
import { type ManagedUserStore, UserStoreRefusal } from '../users/managed-user-store.js'
import { invalidRequest, textOf, textsOf } from './members.js'
import { type Call, resourceGate } from './resource.js'
import { memberNotFound } from './store-refusal.js'
import type { UserAdministration } from './user-administration.js'

/** Domains of roles that belong to no user store. */
const sharedDomains = ['Internal', 'Application', 'Workflow']

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
  function roleOf({ name, query }: Call): string {
    return named(name, query.text('domain'))
  }

  function named(name: string, domain: string): string {
    return ownSpelling(qualifiedName(name, domain), [...domainsOf(store), ...sharedDomains])
  }

  async function list({ query }: Call): Promise<object> {
    const searchKey = query.text('searchKey').trim().toLowerCase()
    const found = (await store.listRoles()).filter((role) => role.toLowerCase().includes(searchKey))
    return { count: found.length, list: found.map((role) => ({ role })) }
  }

  async function add(call: Call): Promise<object> {
    const body = await call.body()
    const role = textOf(body, 'role')
    if (role === '') throw invalidRequest('Missing role name in the payload.')
    if (!isUserName(role)) throw new UserStoreRefusal('invalid-name', 'Invalid role name')
    const name = named(roleInStore(store, role.normalize('NFC'), textOf(body, 'domain')), '')
    try {
      await administration.addRole(call, name)
    } catch (error) {
      if (!(error instanceof UserStoreRefusal) || error.code !== 'role-exists') throw error
      throw new UserStoreRefusal('role-exists', `Role: ${name} already exists.`)
    }
    return { role: name, status: 'Added' }
  }

  async function change(call: Call): Promise<object> {
    const body = await call.body()
    const userId = textOf(body, 'userId')
    const [added, removed] = [textsOf(body, 'addedRoles'), textsOf(body, 'removedRoles')]
    if (userId === '' || (added === undefined && removed === undefined)) {
      throw invalidRequest("Missing one or more of the fields, 'userId', 'addedRoles', 'removedRoles' in the payload.")
    }
    const name = named(userId, textOf(body, 'domain'))
    await administration.changeRoles(call, name, { added: added ?? [], removed: removed ?? [] })
    return { userId: name, status: 'Added/removed the roles' }
  }

  async function show(call: Call): Promise<object> {
    const role = roleOf(call)
    const users = await store.membersOf(role)
    if (users === undefined) throw memberNotFound('Role', role)
    return { role, users }
  }

  async function remove(call: Call): Promise<object> {
    const role = roleOf(call)
    try {
      await administration.removeRole(call, role)
    } catch (error) {
      if (!(error instanceof UserStoreRefusal) || error.code !== 'role-not-found') throw error
      throw memberNotFound('Role', role)
    }
    return { role, status: 'Deleted' }
  }

  return resourceGate('roles', { GET: list, POST: add, PUT: change }, { GET: show, DELETE: remove })
}

/** The name of a new role; a domain that there is not would otherwise become part of a name in the primary store. */
function roleInStore(store: ManagedUserStore, role: string, domain: string): string {
  if (domain === '' || isSameDomain(domain, store.domain)) return withoutDomain(role, store.domain)
  const known = [...domainsOf(store), ...sharedDomains].find((one) => isSameDomain(one, domain))
  if (known === undefined) throw new UserStoreRefusal('invalid-name', 'There is no user store with this domain.')
  return qualifiedName(role, known)
}
