/**
 * Several user stores as one, as WSO2's primary and secondary stores are.
 *
 * @module
 */

import { accountFrom, resultFrom } from './checked-account.js'
import { type HasDomains, isSameDomain, primaryDomain, qualifiedName, splitDomain } from './domains.js'
import { isManaged, type ManagedUserStore, setDisabled, UserStoreRefusal } from './managed-user-store.js'
import type { AuthenticationResult, UserAccount, UserStore } from './user-store.js'

/** One store of a chain. Its subjects and roles have `domain` before them, unless that is `PRIMARY`. */
export interface ChainedUserStore {
  /** Letter case does not count. */
  readonly domain: string
  readonly store: UserStore
}

/** A chain of stores. What a member cannot do is refused as `read-only`, and its lists are empty. */
export interface UserStoreChain extends ManagedUserStore, HasDomains {}

/**
 * Makes one store of several. The first is the primary one.
 *
 * A login without a domain is tried in the order of the stores, and the next one is asked only when the one before has no
 * such user: never after a wrong password, a disabled user or a failure, because then another user of the same name would
 * get in. `DOMAIN/name` means one store; a domain that no store has is part of a name in the primary store.
 *
 * An administrator is who has the primary store's role for it. The role of that name in another store is `DOMAIN/admin`,
 * and makes none.
 *
 * @throws TypeError without a store, and when two have the same domain.
 */
export function userStoreChain(stores: readonly ChainedUserStore[]): UserStoreChain {
  const [primary] = stores
  if (primary === undefined) throw new TypeError('a chain needs at least one user store')
  const domains = stores.map(({ domain }) => domain.toUpperCase())
  if (new Set(domains).size < domains.length) throw new TypeError('every user store of a chain needs its own domain')

  const managed = stores.flatMap(({ store }) => (isManaged(store) ? [store] : []))

  /** The store that a name selects by its domain. */
  function selected(name: string): ChainedUserStore | undefined {
    const { domain } = splitDomain(name)
    if (domain === undefined) return undefined
    return (
      stores.find((one) => isSameDomain(one.domain, domain)) ??
      (isSameDomain(domain, primaryDomain) ? primary : undefined)
    )
  }

  function ownerOf(name: string): ChainedUserStore {
    return selected(name) ?? primary!
  }

  /** Whether a role is one that users of every store may have, `Internal/everyone` for example. */
  function isShared(role: string): boolean {
    return selected(role) === undefined && role.includes('/')
  }

  /** A name as its store knows it: `PRIMARY/` also means a first store that has another domain. */
  function nameIn({ domain }: ChainedUserStore, name: string): string {
    const { domain: before, rest } = splitDomain(name)
    const isPrimary = before !== undefined && isSameDomain(before, primaryDomain)
    return isPrimary && !isSameDomain(domain, primaryDomain) && selected(name) === primary
      ? qualifiedName(rest, domain)
      : name
  }

  function managedOwnerOf(name: string): ManagedUserStore {
    const { store } = ownerOf(name)
    if (isManaged(store)) return store
    throw new UserStoreRefusal('read-only', 'The users of this user store cannot be changed here.')
  }

  function accountIn(owner: ChainedUserStore, account: UserAccount): UserAccount {
    if (owner === primary || !isManaged(primary!.store)) return account
    return { ...account, isAdmin: account.roles.includes(primary!.store.adminRole) }
  }

  async function authenticateIn(
    owner: ChainedUserStore,
    name: string,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<AuthenticationResult> {
    const result = resultFrom(await owner.store.authenticate(nameIn(owner, name), password, signal))
    return result.account === undefined ? result : { account: accountIn(owner, result.account) }
  }

  const chain: UserStoreChain = {
    domain: primary.domain,
    domains: stores.map(({ domain }) => domain),

    get adminRole() {
      return isManaged(primary.store) ? primary.store.adminRole : 'admin'
    },

    get isReadOnly() {
      return managed.every(({ isReadOnly }) => isReadOnly)
    },

    async authenticate(name, password, signal) {
      const one = selected(name)
      if (one !== undefined) return authenticateIn(one, name, password, signal)
      for (const store of stores) {
        // Another store would take `OTHER/name` for its own.
        if (store !== primary && name.includes('/')) break
        const result = await authenticateIn(store, name, password, signal)
        if (result.failure !== 'unknown-user') return result
      }
      return { failure: 'unknown-user' }
    },

    async find(subject, signal) {
      const owner = ownerOf(subject)
      const account = accountFrom(await owner.store.find(nameIn(owner, subject), signal))
      return account === undefined ? undefined : accountIn(owner, account)
    },

    async findDisabled(subject, signal) {
      const owner = ownerOf(subject)
      if (!isManaged(owner.store)) return undefined
      const account = await owner.store.findDisabled?.(nameIn(owner, subject), signal)
      return account === undefined ? undefined : accountIn(owner, account)
    },

    async findProfile(subject, signal) {
      const owner = ownerOf(subject)
      return owner.store.findProfile?.(nameIn(owner, subject), signal)
    },

    async list(query, signal) {
      const named = query.pattern === undefined ? undefined : selected(query.pattern)
      const ofRole = query.role === undefined || isShared(query.role) ? undefined : ownerOf(query.role)
      if (named !== undefined && ofRole !== undefined && named !== ofRole) return []
      const owner = named ?? ofRole
      const asked = owner === undefined ? managed : [owner.store].filter(isManaged)
      const pattern = named === undefined ? query.pattern : nameIn(named, query.pattern!)
      const lists = await Promise.all(asked.map((store) => store.list({ ...query, pattern }, signal)))
      return [...new Set(lists.flat())].sort()
    },

    async listRoles(signal) {
      const lists = await Promise.all(managed.map((store) => store.listRoles(signal)))
      return [...new Set(lists.flat())].sort()
    },

    async membersOf(role, signal) {
      const asked = isShared(role) ? managed : [ownerOf(role).store].filter(isManaged)
      const lists = await Promise.all(asked.map((store) => store.membersOf(role, signal)))
      const found = lists.filter((members) => members !== undefined)
      return found.length === 0 ? undefined : [...new Set(found.flat())].sort()
    },

    async add(user, signal) {
      const owner = ownerOf(user.name)
      const store = managedOwnerOf(user.name)
      if (user.isAdmin && owner !== primary) {
        throw new UserStoreRefusal('protected', 'Administrators can only be added to the primary user store.')
      }
      const name = owner === primary ? user.name : splitDomain(user.name).rest
      await store.add({ ...user, name }, signal)
    },

    async remove(subject, signal) {
      await managedOwnerOf(subject).remove(nameIn(ownerOf(subject), subject), signal)
    },

    async setPassword(subject, password, signal) {
      await managedOwnerOf(subject).setPassword(nameIn(ownerOf(subject), subject), password, signal)
    },

    async setDisabled(subject, isDisabled, signal) {
      await setDisabled(managedOwnerOf(subject), nameIn(ownerOf(subject), subject), isDisabled, signal)
    },

    async changeRoles(subject, change, signal) {
      await managedOwnerOf(subject).changeRoles(nameIn(ownerOf(subject), subject), change, signal)
    },

    async addRole(role, signal) {
      await managedOwnerOf(role).addRole(role, signal)
    },

    async removeRole(role, signal) {
      await managedOwnerOf(role).removeRole(role, signal)
    },

    async close() {
      await Promise.all(stores.map(({ store }) => store.close()))
    },
  }
  return chain
}
