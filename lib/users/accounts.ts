/**
 * Keeps the rights of tokens fresh: what was true at login may no longer be.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { systemClock } from '../core/clock.js'
import { StoreError } from '../core/errors.js'
import { andThen } from '../core/thenable.js'
import type { AccountState } from './account-state.js'
import { accountFrom } from './checked-account.js'
import type { UserAccount, UserStore } from './user-store.js'

/** Options of {@link createAccounts}. */
export interface AccountsOptions {
  /** Where accounts are read again. */
  readonly users: UserStore
  /**
   * How old the rights of a token may get before the account is read again. 0: at every request. Not used for a store with
   * a `generation`, whose users are compared at every request.
   *
   * @defaultValue 60
   */
  readonly recheckIntervalSeconds?: number
  /**
   * How much longer the last verdict holds while the user store cannot be reached.
   *
   * @defaultValue 300 (5 minutes)
   */
  readonly recheckGraceSeconds?: number
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
}

/** What a stored token tells about its account: fields of a `TokenRecord`. */
export interface RecordedAccount {
  /** The user's name, in the store's own spelling. */
  readonly subject: string
  /** Roles at login. */
  readonly roles: readonly string[]
  /** Whether the user was an administrator at login. */
  readonly isAdmin: boolean
  /** What the account was at login: see {@link UserAccount.version}. */
  readonly accountVersion: string
  /** When the token was issued, in milliseconds since the epoch. */
  readonly issuedAt: number
}

/** The present state of the accounts that hold tokens. */
export interface Accounts {
  /**
   * The state of an account that has just been read from the store. All tokens of one account share it.
   *
   * Where another version is known, one of the two is that of an old password, and a login that was late may have brought
   * the old one. Both are compared with the store at their next `refresh`, which ends the outdated one.
   */
  stateOf(account: UserAccount): AccountState
  /**
   * The state of an account for a token that comes from outside this process. It ends nothing, because the token may be
   * older than what is known here: it is compared with the store at its first `refresh`.
   */
  restoredStateOf(record: RecordedAccount): AccountState
  /** Ends the state of an account: every token and every remembered login of it is dead. The next login begins a new one. */
  end(subject: string): void
  /** How many states were ended. Work that may be overtaken notes it when it begins. */
  readonly endings: number
  /** Whether the state of this account was ended since there were so many {@link Accounts.endings}. */
  hasEndedSince(endings: number, subject: string): boolean
  /**
   * Has an account read again at the next request of its tokens, because its roles have changed.
   *
   * `subject`: absent for every account.
   */
  recheck(subject?: string): void
  /**
   * Reads the account again when that is due. Answers without a promise when it is not. A state that has ended stays so.
   *
   * @throws {@link StoreError} (by rejecting) when the store cannot be reached and the last verdict no longer holds.
   */
  refresh(subject: string, state: AccountState): undefined | Promise<void>
}

/** States that are shared. Beyond that, tokens of one account may have a state each, and are read again one by one. */
const maxStates = 20_000

/** A store that has failed is left alone for so long. */
const retryMs = 5000

/** Older than any check, and no generation. */
const neverChecked = -1

/** Keeps the rights of tokens up to date. Accounts are read again at a request, never by a timer. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { users, recheckIntervalSeconds = 60, recheckGraceSeconds = 300, clock = systemClock } = options
  const intervalMs = recheckIntervalSeconds * 1000
  const graceMs = recheckGraceSeconds * 1000
  const hasGenerations = users.generation !== undefined
  /** By subject: more than one until it is known which password is the present one. */
  const states = new LRUCache<string, readonly AccountState[]>({ max: maxStates })
  const readings = new Map<string, Promise<UserAccount | undefined>>()
  let rechecks = 0
  /** The last ending of each account. */
  const endingOf = new LRUCache<string, number>({ max: maxStates })
  let endings = 0
  const failures = new WeakMap<AccountState, { readonly at: number; readonly error: StoreError }>()

  function statesOf(subject: string): readonly AccountState[] {
    return (states.get(subject) ?? []).filter(({ hasEnded }) => !hasEnded)
  }

  /** `subject`: absent for every account. Look-ups under way may be older than the reason for it: nobody joins them. */
  function recheck(subject?: string): void {
    rechecks++
    readings.clear()
    const known = subject === undefined ? [...states.values()].flat() : statesOf(subject)
    for (const state of known) state.checkedAt = neverChecked
  }

  /** Concurrent callers share one look-up of the same user. */
  function read(subject: string): Promise<UserAccount | undefined> {
    const underWay = readings.get(subject)
    if (underWay !== undefined) return underWay
    const reading = (async () => users.find(subject))().finally(() => readings.delete(subject))
    readings.set(subject, reading)
    return reading
  }

  async function reread(subject: string, state: AccountState, now: number): Promise<void> {
    const failure = failures.get(state)
    const isLeftAlone = failure !== undefined && isRecent(failure.at, now, retryMs)
    if (isLeftAlone) return holdOrReject(state, now, failure.error)
    const begunAt = rechecks
    let answer: UserAccount | undefined
    try {
      answer = await read(subject)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      failures.set(state, { at: now, error })
      return holdOrReject(state, now, error)
    }
    failures.delete(state)
    // A store that answers nonsense can be reached: no earlier verdict stands in for it.
    apply(state, accountFrom(answer), now)
    // What was read before a change may be older than it.
    if (begunAt !== rechecks) state.checkedAt = neverChecked
  }

  function holdOrReject(state: AccountState, now: number, error: StoreError): void {
    if (!isRecent(state.checkedAt, now, intervalMs + graceMs)) throw error
  }

  function refreshByGeneration(subject: string, state: AccountState): undefined | Promise<void> {
    const { generation } = users
    if (state.checkedAt === generation || state.hasEnded) return undefined
    return andThen(users.find(subject), (answer) => apply(state, accountFrom(answer), generation ?? neverChecked))
  }

  function refreshByAge(subject: string, state: AccountState): undefined | Promise<void> {
    if (state.hasEnded) return undefined
    const now = clock()
    return isRecent(state.checkedAt, now, intervalMs) ? undefined : reread(subject, state, now)
  }

  return {
    stateOf({ subject, version, roles, isAdmin }) {
      const live = statesOf(subject)
      const known = live.find((state) => state.version === version)
      const others = live.filter((state) => state !== known)
      const present = { roles: ownCopy(roles), isAdmin, checkedAt: hasGenerations ? neverChecked : clock() }
      const state = known === undefined ? { version, hasEnded: false, ...present } : Object.assign(known, present)
      states.set(subject, [...others, state])
      if (others.length > 0) recheck(subject)
      return state
    },

    restoredStateOf({ subject, accountVersion, roles, isAdmin, issuedAt }) {
      const live = statesOf(subject)
      const known = live.find(({ version }) => version === accountVersion)
      if (known !== undefined) return known
      const checkedAt = hasGenerations ? neverChecked : issuedAt
      const state: AccountState = {
        version: accountVersion,
        roles: ownCopy(roles),
        isAdmin,
        hasEnded: false,
        checkedAt,
      }
      states.set(subject, [...live, state])
      return state
    },

    get endings() {
      return endings
    },

    hasEndedSince: (count, subject) => (endingOf.get(subject) ?? 0) > count,

    end(subject) {
      endingOf.set(subject, ++endings)
      for (const state of statesOf(subject)) state.hasEnded = true
      states.delete(subject)
    },

    recheck,

    refresh: hasGenerations ? refreshByGeneration : refreshByAge,
  }
}

/** It can end a state and never revives one. */
function apply(state: AccountState, account: UserAccount | undefined, checkedAt: number): undefined {
  if (account === undefined || account.version !== state.version) {
    state.hasEnded = true
    return
  }
  state.roles = ownCopy(account.roles)
  state.isAdmin = account.isAdmin
  state.checkedAt = checkedAt
}

/** What a route or a store does with its list changes no rights. */
function ownCopy(roles: readonly string[]): readonly string[] {
  return Object.freeze([...roles])
}

/** A moment in the future means that the clock was put back: it is not recent. */
function isRecent(moment: number, now: number, forMs: number): boolean {
  return moment <= now && now - moment < forMs
}
