/**
 * Several user stores as one, as WSO2's primary and secondary stores are.
 *
 * @module
 */

import { isManagedUserStore, type ManagedUserStore, setDisabled, UserChangeError } from './managed-user-store.js'
import { type HasDomains, isSameDomain, primaryDomain, qualifiedName, splitDomain } from './names.js'
import type { AuthenticationResult, UserAccount, UserStore } from './user-store.js'
import { accountFrom, resultFrom } from './user-store.js'

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
 * A login without a domain is tried in the order of the stores, and the next one is asked only when the one before has no such
 * user: another user of the same name must not get in. `DOMAIN/name` means one store; a domain that no store has is part of a name
 * in the primary store.
 *
 * An administrator is who has the primary store's role for it: `DOMAIN/admin` of another store makes none.
 *
 * @throws TypeError without a store, and when two have the same domain.
 */
export function userStoreChain(stores: readonly ChainedUserStore[]): UserStoreChain {
  const [primary] = stores
  if (primary === undefined) throw new TypeError('a chain needs at least one user store')
  const domains = stores.map(({ domain }) => domain.toUpperCase())
  if (new Set(domains).size < domains.length) throw new TypeError('every user store of a chain needs its own domain')

  const managed = stores.flatMap(({ store }) => (isManagedUserStore(store) ? [store] : []))

  function selected(name: string): ChainedUserStore | undefined {
    const { domain } = splitDomain(name)
    if (domain === undefined) return undefined
    return (
      stores.find((one) => isSameDomain(one.domain, domain)) ??
      (isSameDomain(domain, primaryDomain) ? primary : undefined)
    )
  }

  function findOwner(name: string): ChainedUserStore {
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

  function findManagedOwner(name: string): ManagedUserStore {
    const { store } = findOwner(name)
    if (isManagedUserStore(store)) return store
    throw new UserChangeError('read-only', 'The users of this user store cannot be changed here.')
  }

  const ownName = (name: string): string => nameIn(findOwner(name), name)

  function accountIn(owner: ChainedUserStore, account: UserAccount): UserAccount {
    if (owner === primary || !isManagedUserStore(primary!.store)) return account
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
      return isManagedUserStore(primary.store) ? primary.store.adminRole : 'admin'
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
      const owner = findOwner(subject)
      const account = accountFrom(await owner.store.find(nameIn(owner, subject), signal))
      return account === undefined ? undefined : accountIn(owner, account)
    },

    async findDisabled(subject, signal) {
      const owner = findOwner(subject)
      if (!isManagedUserStore(owner.store)) return undefined
      const account = await owner.store.findDisabled?.(nameIn(owner, subject), signal)
      return account === undefined ? undefined : accountIn(owner, account)
    },

    async findProfile(subject, signal) {
      const owner = findOwner(subject)
      return owner.store.findProfile?.(nameIn(owner, subject), signal)
    },

    async list(query, signal) {
      const named = query.pattern === undefined ? undefined : selected(query.pattern)
      const ofRole = query.role === undefined || isShared(query.role) ? undefined : findOwner(query.role)
      if (named !== undefined && ofRole !== undefined && named !== ofRole) return []
      const owner = named ?? ofRole
      const asked = owner === undefined ? managed : [owner.store].filter(isManagedUserStore)
      const pattern = named === undefined ? query.pattern : nameIn(named, query.pattern!)
      const lists = await Promise.all(asked.map((store) => store.list({ ...query, pattern }, signal)))
      return [...new Set(lists.flat())].sort()
    },

    async listRoles(signal) {
      const lists = await Promise.all(managed.map((store) => store.listRoles(signal)))
      return [...new Set(lists.flat())].sort()
    },

    async listMembers(role, signal) {
      const asked = isShared(role) ? managed : [findOwner(role).store].filter(isManagedUserStore)
      const lists = await Promise.all(asked.map((store) => store.listMembers(role, signal)))
      const found = lists.filter((members) => members !== undefined)
      return found.length === 0 ? undefined : [...new Set(found.flat())].sort()
    },

    async add(user, signal) {
      const owner = findOwner(user.name)
      const store = findManagedOwner(user.name)
      if (user.isAdmin && owner !== primary) {
        throw new UserChangeError('protected', 'Administrators can only be added to the primary user store.')
      }
      const name = owner === primary ? user.name : splitDomain(user.name).rest
      await store.add({ ...user, name }, signal)
    },

    remove: async (subject, signal) => findManagedOwner(subject).remove(ownName(subject), signal),

    setPassword: async (subject, password, signal) =>
      findManagedOwner(subject).setPassword(ownName(subject), password, signal),

    setDisabled: async (subject, isDisabled, signal) =>
      setDisabled(findManagedOwner(subject), ownName(subject), isDisabled, signal),

    changeRoles: async (subject, change, signal) =>
      findManagedOwner(subject).changeRoles(ownName(subject), change, signal),

    addRole: async (role, signal) => findManagedOwner(role).addRole(role, signal),
    removeRole: async (role, signal) => findManagedOwner(role).removeRole(role, signal),

    async close() {
      await Promise.all(stores.map(({ store }) => store.close()))
    },
  }
  return chain
}
