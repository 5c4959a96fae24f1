/**
 * `/users` and `/users/{id}`, as WSO2's clients expect them.
 *
 * @module
 */

import { ForbiddenError } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { type ManagedUserStore, UserChangeError } from '../users/managed-user-store.js'
import { isSameDomain, listDomains, ownSpelling, qualifiedName } from '../users/names.js'
import type { UserAccount } from '../users/user-store.js'
import { accountFrom, isUserName } from '../users/user-store.js'
import { invalidRequest, type JsonMembers } from './json-body.js'
import { type Call, memberNotFound, replaceRefusals, resourceGate } from './resource.js'
import { disabledChange, newUser, passwordChange, readBody } from './schemas/bodies.js'
import type { User, UserList, UserStatus } from './schemas/users.js'
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
  async function list({ query }: Call): Promise<UserList> {
    const pattern = query('pattern') || '*'
    const role = query('role') || undefined
    const searchKey = query('searchKey').trim().toLowerCase()
    const names = await store.list({ pattern: qualifiedName(pattern, query('domain')), role })
    const found = names.filter((name) => name.toLowerCase().includes(searchKey))
    return { count: found.length, list: found.map((userId) => ({ userId })) }
  }

  async function add(call: Call): Promise<UserStatus> {
    const { userId, password, domain = '', isAdmin } = readBody(newUser, await call.body())
    // HTTP Basic ends a name at the first colon (RFC 7617 section 2).
    if (!isUserName(userId) || userId.includes(':')) throw new UserChangeError('invalid-name', 'Invalid username')
    const name = nameInStore(store, userId.normalize('NFC'), domain)
    await existing(administration.add(call, { name, password, isAdmin: isAdmin ?? false }), name)
    return { userId: name, status: 'Added' }
  }

  function readName({ name, query }: Call): string {
    return ownSpelling(qualifiedName(name, query('domain')), listDomains(store))
  }

  async function show(call: Call): Promise<User> {
    const name = readName(call)
    const account = accountFrom(await store.find(name))
    if (account !== undefined) return described(account)
    const disabled = accountFrom(await store.findDisabled?.(name))
    if (disabled === undefined) throw memberNotFound('User', name)
    return { ...described(disabled), isDisabled: true }
  }

  async function change(call: Call): Promise<UserStatus> {
    const name = readName(call)
    const body = await call.body()
    if ((body.get('disabled') ?? undefined) !== undefined) return setDisabled(call, name, body)
    const { newPassword: password, confirmPassword, oldPassword = '' } = readBody(passwordChange, body)
    if (password !== confirmPassword) throw invalidRequest('New password and re-typed password does not match.')
    await existing(administration.setPassword(call, name, { password, oldPassword }), name)
    return { userId: name, status: 'User password updated successfully.' }
  }

  async function setDisabled(call: Call, name: string, body: JsonMembers): Promise<UserStatus> {
    if (['newPassword', 'confirmPassword', 'oldPassword'].some((member) => body.has(member))) {
      throw invalidRequest("'disabled' and a password cannot be changed in one request.")
    }
    const { disabled: isDisabled } = readBody(disabledChange, body)
    await existing(administration.setDisabled(call, name, isDisabled), name)
    return { userId: name, status: isDisabled ? 'Disabled' : 'Enabled' }
  }

  async function remove(call: Call): Promise<UserStatus> {
    const name = readName(call)
    await existing(administration.remove(call, name), name)
    return { userId: name, status: 'Deleted' }
  }

  return resourceGate('users', { GET: list, POST: add }, { GET: show, PATCH: change, DELETE: remove })
}

function described({ subject, isAdmin, roles }: UserAccount): User {
  return { userId: subject, isAdmin, roles: [...roles] }
}

/**
 * The name of a new user: plain in the store's own domain. A domain that no store has would otherwise become part of a
 * name in the primary store.
 */
function nameInStore(store: ManagedUserStore, name: string, domain: string): string {
  if (domain === '' || isSameDomain(domain, store.domain)) return name
  const known = listDomains(store).find((one) => isSameDomain(one, domain))
  if (known === undefined) throw new UserChangeError('invalid-name', 'There is no user store with this domain.')
  return qualifiedName(name, known)
}

/** Puts the user's name into what the store refuses because of it, in the words of WSO2. */
function existing(work: Promise<void>, name: string): Promise<void> {
  return replaceRefusals(work, {
    'user-not-found': memberNotFound('User', name),
    'user-exists': new UserChangeError('user-exists', `User: ${name} already exists.`),
  })
}

const text =
  'User management is not supported with the file-based user store. Please plug in a user store for the correct functionality'

/** The collections and everything below them, as a router matches them. */
const managedPath = /^\/(?:users|roles)(?:\/|$)/i

/** Answers every request for users and roles with 403. */
export function fileUsersGate(): Gate {
  return function fileUsersGate(request) {
    if (!managedPath.test(request.path)) return undefined
    return new ForbiddenError('ERR_USERS_NOT_MANAGEABLE', text, { bare: 'never' })
  }
}
