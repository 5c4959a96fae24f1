import { StoreError } from '../../lib/core/errors.js'
import {
  type ManagedUserStore,
  type NewUser,
  type RoleChange,
  UserChangeError,
  type UserChangeErrorCode,
  type UserQuery,
} from '../../lib/users/managed-user-store.js'
import type { AuthenticationResult, UserAccount } from '../../lib/users/user-store.js'
import { isUserName } from '../../lib/users/user-store.js'

interface MemoryUser {
  password: string
  readonly roles: Set<string>
  version: number
  isDisabled: boolean
}

/** What a {@link MemoryUserStore} begins with. */
export interface MemoryUserStoreOptions {
  readonly domain?: string
  /** Names without a domain, with the password and the roles of each. */
  readonly users?: Readonly<Record<string, { readonly password: string; readonly roles: readonly string[] }>>
  /** Roles that exist besides `admin`. */
  readonly roles?: readonly string[]
  readonly superAdmin?: string
  readonly isReadOnly?: boolean
  readonly adminRole?: string
}

const everyone = 'Internal/everyone'
const isShared = (role: string): boolean => /^(?:Internal|Application|Workflow)\//.test(role)
const fold = (name: string): string => name.normalize('NFC').toLowerCase()

/** A {@link ManagedUserStore} in memory, case-insensitive, which can be made to fail. */
export class MemoryUserStore implements ManagedUserStore {
  readonly domain: string
  readonly adminRole: string
  readonly isReadOnly: boolean
  /** Names of the methods that have been called. */
  readonly calls: string[] = []
  /** While it is set, every call rejects with it. */
  failure: Error | undefined = undefined
  /** While it is set, every change is made and rejects all the same, as when the answer of a database is lost. */
  lostAnswer: StoreError | undefined = undefined
  isClosed = false
  readonly #users = new Map<string, { readonly name: string; readonly user: MemoryUser }>()
  readonly #roles: Set<string>
  readonly #superAdmin: string | undefined
  #versions = 0

  constructor(options: MemoryUserStoreOptions = {}) {
    const { domain = 'PRIMARY', users = {}, roles = [], superAdmin, isReadOnly = false, adminRole } = options
    this.domain = domain
    this.adminRole = adminRole ?? this.#qualified('admin')
    this.isReadOnly = isReadOnly
    this.#superAdmin = superAdmin
    this.#roles = new Set([this.#local(this.adminRole), ...roles])
    for (const [name, { password, roles: held }] of Object.entries(users)) {
      this.#users.set(fold(name), { name, user: this.#newUser(password, held) })
      for (const role of held) this.#roles.add(role)
    }
  }

  disable(name: string): void {
    this.#users.get(fold(name))!.user.isDisabled = true
  }

  async authenticate(name: string, password: string, signal?: AbortSignal): Promise<AuthenticationResult> {
    await this.#begin('authenticate', signal)
    const found = this.#find(name)
    if (found === undefined) return { failure: 'unknown-user' }
    const account = this.#accountOf(found.name, found.user)
    const { subject } = account
    if (found.user.password !== password) return { failure: 'wrong-password', subject }
    return found.user.isDisabled ? { failure: 'disabled', subject } : { account }
  }

  async find(subject: string, signal?: AbortSignal): Promise<UserAccount | undefined> {
    await this.#begin('find', signal)
    const found = this.#find(subject)
    return found === undefined || found.user.isDisabled ? undefined : this.#accountOf(found.name, found.user)
  }

  async findDisabled(subject: string): Promise<UserAccount | undefined> {
    await this.#begin('findDisabled')
    const found = this.#find(subject)
    return found?.user.isDisabled ? this.#accountOf(found.name, found.user) : undefined
  }

  async setDisabled(subject: string, isDisabled: boolean): Promise<void> {
    await this.#begin('setDisabled')
    this.#demandWritable()
    const { name, user } = this.#demand(subject)
    if (isDisabled && name === this.#superAdmin) refuse('protected', 'The super admin cannot be disabled.')
    user.isDisabled = isDisabled
    this.#end()
  }

  async list({ pattern = '*', role }: UserQuery): Promise<readonly string[]> {
    await this.#begin('list')
    if (pattern.length > 255) return []
    const wanted = this.#expression(this.#local(pattern))
    const holders = role === undefined ? undefined : this.#holdersOf(role)
    return [...this.#users.values()]
      .filter(({ name }) => wanted.test(name) && (role === undefined || holders?.includes(name) === true))
      .map(({ name }) => this.#qualified(name))
      .sort()
      .slice(0, 100)
  }

  async listRoles(): Promise<readonly string[]> {
    await this.#begin('listRoles')
    return [everyone, ...[...this.#roles].map((role) => this.#roleText(role))].sort().slice(0, 100)
  }

  async listMembers(role: string): Promise<readonly string[] | undefined> {
    await this.#begin('membersOf')
    return this.#holdersOf(role)
      ?.map((name) => this.#qualified(name))
      .sort()
  }

  async add({ name, password, isAdmin }: NewUser): Promise<void> {
    await this.#begin('add')
    this.#demandWritable()
    if (
      !/^\S{3,30}$/u.test(name) ||
      !isUserName(name) ||
      /^PRIMARY\/|[:\ud800-\udfff]/i.test(name) ||
      this.#local(name) !== name
    ) {
      refuse('invalid-name', 'The user name is not allowed.')
    }
    this.#demandPassword(password)
    if (this.#users.has(fold(name))) refuse('user-exists', 'There is a user with this name.')
    const roles = isAdmin ? [this.#local(this.adminRole)] : []
    this.#users.set(fold(name), { name, user: this.#newUser(password, roles) })
    this.#end()
  }

  async remove(subject: string): Promise<void> {
    await this.#begin('remove')
    this.#demandWritable()
    const { name } = this.#demand(subject)
    if (name === this.#superAdmin) refuse('protected', 'The super admin cannot be removed.')
    this.#users.delete(fold(name))
    this.#end()
  }

  async setPassword(subject: string, password: string): Promise<void> {
    await this.#begin('setPassword')
    this.#demandWritable()
    this.#demandPassword(password)
    const { user } = this.#demand(subject)
    user.password = password
    user.version = ++this.#versions
    this.#end()
  }

  async changeRoles(subject: string, { added, removed }: RoleChange): Promise<void> {
    await this.#begin('changeRoles')
    this.#demandWritable()
    const [toGive, toTake] = [added, removed].map((roles) => roles.map((role) => this.#local(role))) as [
      string[],
      string[],
    ]
    if ([...toGive, ...toTake].includes(everyone)) refuse('protected', 'Everybody has this role, always.')
    const { name, user } = this.#demand(subject)
    if (![...toGive, ...toTake].every((role) => this.#roles.has(role)))
      refuse('role-not-found', 'There is no such role.')
    if (name === this.#superAdmin && toTake.includes(this.#local(this.adminRole))) {
      refuse('protected', 'The super admin cannot lose the role of administrators.')
    }
    for (const role of toGive) user.roles.add(role)
    for (const role of toTake) user.roles.delete(role)
    this.#end()
  }

  async addRole(role: string): Promise<void> {
    await this.#begin('addRole')
    this.#demandWritable()
    const local = this.#local(role)
    if (local === everyone || this.#roles.has(local)) refuse('role-exists', 'There is a role with this name.')
    const pattern = isShared(local) ? /\/.*\S/ : /^\S{3,30}$/u
    if (!pattern.test(local) || !isUserName(local)) refuse('invalid-name', 'The role name is not allowed.')
    this.#roles.add(local)
    this.#end()
  }

  async removeRole(role: string): Promise<void> {
    await this.#begin('removeRole')
    this.#demandWritable()
    const local = this.#local(role)
    if (fold(local) === fold(everyone)) refuse('protected', 'Everybody has this role, always.')
    if (fold(local) === fold(this.#local(this.adminRole)))
      refuse('protected', 'The role of administrators cannot be removed.')
    if (!this.#roles.delete(local)) refuse('role-not-found', 'There is no such role.')
    for (const { user } of this.#users.values()) user.roles.delete(local)
    this.#end()
  }

  close(): void {
    this.isClosed = true
  }

  async #begin(method: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.calls.push(method)
    // Nothing is decided before a turn of the event loop, as with a store over a network.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.failure !== undefined) throw this.failure
  }

  #end(): void {
    if (this.lostAnswer !== undefined) throw this.lostAnswer
  }

  #demandWritable(): void {
    if (this.isReadOnly) refuse('read-only', 'The user store cannot be changed.')
  }

  #demandPassword(password: string): void {
    if (!/^\S{5,30}$/u.test(password)) refuse('invalid-password', 'The password is not allowed.')
  }

  #demand(subject: string): { readonly name: string; readonly user: MemoryUser } {
    return this.#find(subject) ?? refuse('user-not-found', 'There is no such user.')
  }

  #find(subject: string): { readonly name: string; readonly user: MemoryUser } | undefined {
    return this.#users.get(fold(this.#local(subject)))
  }

  #holdersOf(text: string): readonly string[] | undefined {
    const role = this.#local(text)
    if (role !== everyone && !this.#roles.has(role)) return undefined
    return [...this.#users.values()]
      .filter(({ user }) => role === everyone || user.roles.has(role))
      .map(({ name }) => name)
  }

  #newUser(password: string, roles: readonly string[]): MemoryUser {
    return { password, roles: new Set(roles), version: ++this.#versions, isDisabled: false }
  }

  #accountOf(name: string, { roles, version }: MemoryUser): UserAccount {
    const texts = [...roles].map((role) => this.#roleText(role))
    return {
      subject: this.#qualified(name),
      roles: [...new Set([everyone, ...texts])].sort(),
      isAdmin: texts.includes(this.adminRole),
      version: `v${version}`,
    }
  }

  #local(name: string): string {
    const isOwn = name.slice(0, this.domain.length + 1).toUpperCase() === `${this.domain}/`
    return (isOwn ? name.slice(this.domain.length + 1) : name).normalize('NFC')
  }

  #roleText(role: string): string {
    return isShared(role) ? role : this.#qualified(role)
  }

  #qualified(name: string): string {
    return this.domain === 'PRIMARY' ? name : `${this.domain}/${name}`
  }

  #expression(pattern: string): RegExp {
    const source = pattern
      .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    return new RegExp(`^${source}$`, 'iu')
  }
}

function refuse(code: UserChangeErrorCode, message: string): never {
  throw new UserChangeError(code, message)
}

/** A failure as a store reports it. */
export function storeFailure(): StoreError {
  return new StoreError('the user store cannot be reached', { cause: new Error('ECONNREFUSED') })
}
