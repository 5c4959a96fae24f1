/**
 * Changes of users as they are made, by the management API or by a call of the app's: what each of them ends, and its event.
 *
 * @module
 */

import { untilAborted } from '../async/deadline.js'
import { StoreError } from '../core/errors.js'
import { type ChangeContext, changedBy, type SecurityEvents } from '../core/events.js'
import { foldCase } from '../paths/readings.js'
import type { Tokens } from '../tokens/tokens.js'
import type { Accounts } from '../users/accounts.js'
import { type ManagedUserStore, setDisabled } from '../users/managed-user-store.js'
import { withoutDomain } from '../users/names.js'
import { accountFrom, type UserAccount, withMethods } from '../users/user-store.js'

/** What {@link reportUserChanges} works with. */
export interface UserChangeParts {
  readonly tokens: Pick<Tokens, 'revokeUser'>
  readonly accounts: Pick<Accounts, 'recheckEverywhere'>
  readonly events: SecurityEvents
  readonly clock: () => number
}

/** A write of the store, and what it means for the tokens of its user. */
interface UserWrite {
  readonly subject: string
  /** Why the tokens end, where the context does not say it. */
  readonly reason: string
  /** Whether they end when it has worked. @defaultValue true */
  readonly endsTokens?: boolean
  write(): Promise<void>
  /** The event of it. */
  report(): void
}

/**
 * A store that reports its changes. Whatever ends rights, or whose outcome is not known, ends the user's tokens. Where they cannot be ended,
 * the change is reported all the same, and the call rejects with `StoreError`.
 */
export function reportUserChanges<Store extends ManagedUserStore>(store: Store, parts: UserChangeParts): Store {
  const { tokens, accounts, events, clock } = parts
  const did = (context?: ChangeContext) => ({ at: clock(), ...changedBy(context) })

  /** However the name is written. Where nobody is found, a user may be there all the same. */
  async function findTarget(
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<Pick<UserAccount, 'subject' | 'isAdmin'>> {
    const found = (await store.find(name, signal)) ?? (await store.findDisabled?.(name, signal))
    return accountFrom(found) ?? { subject: name, isAdmin: false }
  }

  /** Whatever the store says: when the outcome is not known, the user may have lost rights. */
  async function change(
    { subject, reason, endsTokens = true, write, report }: UserWrite,
    signal: AbortSignal | undefined,
    context?: ChangeContext,
  ): Promise<void> {
    const revocation = { ...context, reason: context?.reason ?? reason }
    signal?.throwIfAborted()
    try {
      await (signal === undefined ? write() : untilAborted(write(), signal))
    } catch (error) {
      if (error instanceof StoreError || signal?.aborted) await tokens.revokeUser(subject, revocation).catch(() => {})
      throw error
    }
    report()
    if (endsTokens) await tokens.revokeUser(subject, revocation)
    else accounts.recheckEverywhere(subject)
  }

  const exchanged: Partial<ManagedUserStore> = {
    async add(user, signal, context) {
      const { name: subject, isAdmin } = user
      const write = (): Promise<void> => store.add(user, signal)
      const report = (): void => events.report('userAdded', { ...did(context), subject, isAdmin })
      await change({ subject, reason: 'user added', write, report }, signal, context)
    },

    async remove(name, signal, context) {
      const { subject } = await findTarget(name, signal)
      const write = (): Promise<void> => store.remove(subject, signal)
      const report = (): void => events.report('userRemoved', { ...did(context), subject })
      await change({ subject, reason: 'user removed', write, report }, signal, context)
    },

    async setPassword(name, password, signal, context) {
      const { subject } = await findTarget(name, signal)
      const write = (): Promise<void> => store.setPassword(subject, password, signal)
      const report = (): void => events.report('passwordChanged', { ...did(context), subject })
      await change({ subject, reason: 'password changed', write, report }, signal, context)
    },

    async changeRoles(name, roles, signal, context) {
      const { subject, isAdmin } = await findTarget(name, signal)
      const endsTokens = isAdmin && roles.removed.some((role) => isAdminRole(store, role))
      const write = (): Promise<void> => store.changeRoles(subject, roles, signal)
      const report = (): void => {
        const { added, removed } = roles
        if (added.length + removed.length === 0) return
        events.report('rolesChanged', { ...did(context), subject, added, removed })
      }
      await change({ subject, reason: 'roles changed', endsTokens, write, report }, signal, context)
    },

    async addRole(role, signal, context) {
      await store.addRole(role, signal)
      events.report('roleAdded', { ...did(context), role })
    },

    async removeRole(role, signal, context) {
      try {
        await store.removeRole(role, signal)
      } finally {
        accounts.recheckEverywhere()
      }
      events.report('roleRemoved', { ...did(context), role })
    },

    ...(store.setDisabled !== undefined && {
      async setDisabled(name: string, isDisabled: boolean, signal?: AbortSignal, context?: ChangeContext) {
        const { subject } = await findTarget(name, signal)
        const [reason, event] = isDisabled
          ? (['user disabled', 'userDisabled'] as const)
          : (['user enabled', 'userEnabled'] as const)
        const write = (): Promise<void> => setDisabled(store, subject, isDisabled, signal)
        const report = (): void => events.report(event, { ...did(context), subject })
        await change({ subject, reason, endsTokens: isDisabled, write, report }, signal, context)
      },
    }),
  }
  return withMethods(store, exchanged as Partial<Store>)
}

/** Whether this role makes administrators, in any spelling that a store may take for the same. */
export function isAdminRole({ domain, adminRole }: ManagedUserStore, role: string): boolean {
  const folded = (name: string): string => foldCase(withoutDomain(name, domain).normalize('NFC').trim())
  return folded(role) === folded(adminRole)
}
