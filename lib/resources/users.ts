/**
 * `/users` and `/users/{id}`, as WSO2's clients expect them.
 *
 * @module
 */

import type { Gate } from '../internal/gate.js'
import { accountFrom } from '../users/checked-account.js'
import { isUserName } from '../users/credential-limits.js'
import { domainsOf, isSameDomain, ownSpelling, qualifiedName } from '../users/domains.js'
import { type ManagedUserStore, UserStoreRefusal } from '../users/managed-user-store.js'
import type { UserAccount } from '../users/user-store.js'
import type { JsonMembers } from './json-body.js'
import { flagOf, invalidRequest, textOf } from './members.js'
import { type Call, resourceGate } from './resource.js'
import { memberNotFound } from './store-refusal.js'
import type { UserAdministration } from './user-administration.js'

/**
 * Answers every request for users.
 *
 * | verb, path | answer |
 * |---|---|
 * | `GET /users?pattern=&role=&searchKey=&domain=` | `{"count","list":[{"userId"}]}` |
 * | `POST /users` | `{"userId","status"}` |
 * | `GET /users/{id}?domain=` | `{"userId","isAdmin","roles"}`, and `"isDisabled":true` for a user who cannot log in |
 * | `PATCH /users/{id}?domain=` sets a password, or with `{"disabled":true}` disables, with `false` enables | `{"userId","status"}` |
 * | `DELETE /users/{id}?domain=` | `{"userId","status"}` |
 */
export function usersGate(store: ManagedUserStore, administration: UserAdministration): Gate {
  async function list({ query }: Call): Promise<object> {
    const pattern = query.text('pattern') || '*'
    const role = query.text('role') || undefined
    const searchKey = query.text('searchKey').trim().toLowerCase()
    const names = await store.list({ pattern: qualifiedName(pattern, query.text('domain')), role })
    const found = names.filter((name) => name.toLowerCase().includes(searchKey))
    return { count: found.length, list: found.map((userId) => ({ userId })) }
  }

  async function add(call: Call): Promise<object> {
    const body = await call.body()
    const [userId, password] = [textOf(body, 'userId'), textOf(body, 'password')]
    if (userId === '' || password === '') {
      throw invalidRequest("Missing one or more of the fields, 'userId', 'password' in the payload.")
    }
    // HTTP Basic ends a name at the first colon (RFC 7617 section 2).
    if (!isUserName(userId) || userId.includes(':')) throw new UserStoreRefusal('invalid-name', 'Invalid username')
    const name = nameInStore(store, userId.normalize('NFC'), textOf(body, 'domain'))
    await existing(administration.add(call, { name, password, isAdmin: flagOf(body, 'isAdmin') }), name)
    return { userId: name, status: 'Added' }
  }

  function nameOf({ name, query }: Call): string {
    return ownSpelling(qualifiedName(name, query.text('domain')), domainsOf(store))
  }

  async function show(call: Call): Promise<object> {
    const name = nameOf(call)
    const account = accountFrom(await store.find(name))
    if (account !== undefined) return described(account)
    const disabled = accountFrom(await store.findDisabled?.(name))
    if (disabled === undefined) throw memberNotFound('User', name)
    return { ...described(disabled), isDisabled: true }
  }

  async function change(call: Call): Promise<object> {
    const name = nameOf(call)
    const body = await call.body()
    if ((body.get('disabled') ?? undefined) !== undefined) return setDisabled(call, name, body)
    const [password, confirmation] = [textOf(body, 'newPassword'), textOf(body, 'confirmPassword')]
    if (password === '' || confirmation === '') {
      throw invalidRequest('New password or re-typed password is missing in the payload.')
    }
    if (password !== confirmation) throw invalidRequest('New password and re-typed password does not match.')
    const oldPassword = textOf(body, 'oldPassword')
    await existing(administration.setPassword(call, name, { password, oldPassword }), name)
    return { userId: name, status: 'User password updated successfully.' }
  }

  async function setDisabled(call: Call, name: string, body: JsonMembers): Promise<object> {
    if (['newPassword', 'confirmPassword', 'oldPassword'].some((member) => body.has(member))) {
      throw invalidRequest("'disabled' and a password cannot be changed in one request.")
    }
    const isDisabled = flagOf(body, 'disabled')
    await existing(administration.setDisabled(call, name, isDisabled), name)
    return { userId: name, status: isDisabled ? 'Disabled' : 'Enabled' }
  }

  async function remove(call: Call): Promise<object> {
    const name = nameOf(call)
    await existing(administration.remove(call, name), name)
    return { userId: name, status: 'Deleted' }
  }

  return resourceGate('users', { GET: list, POST: add }, { GET: show, PATCH: change, DELETE: remove })
}

function described({ subject, isAdmin, roles }: UserAccount): object {
  return { userId: subject, isAdmin, roles }
}

/**
 * The name of a new user: plain in the store's own domain. A domain that no store has would otherwise become part of a
 * name in the primary store.
 */
function nameInStore(store: ManagedUserStore, name: string, domain: string): string {
  if (domain === '' || isSameDomain(domain, store.domain)) return name
  const known = domainsOf(store).find((one) => isSameDomain(one, domain))
  if (known === undefined) throw new UserStoreRefusal('invalid-name', 'There is no user store with this domain.')
  return qualifiedName(name, known)
}

/** Puts the user's name into what the store refuses because of it, in the words of WSO2. */
async function existing(work: Promise<void>, name: string): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof UserStoreRefusal)) throw error
    if (error.code === 'user-not-found') throw memberNotFound('User', name)
    if (error.code === 'user-exists') throw new UserStoreRefusal('user-exists', `User: ${name} already exists.`)
    throw error
  }
}
