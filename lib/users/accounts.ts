/**
 * Keeps the rights of tokens fresh: what was true at login may no longer be.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { inBackground } from '../async/background.js'
import { systemClock } from '../core/clock.js'
import { StoreError } from '../core/errors.js'
import { assertNumbers } from '../core/option-numbers.js'
import { andThen } from '../core/thenable.js'
import type { AccountState, UserAccount, UserStore } from './user-store.js'
import { accountFrom } from './user-store.js'

/** Options of {@link createAccounts}. */
export interface AccountsOptions {
  /** Where accounts are read again. */
  readonly users: UserStore
  /**
   * How old the rights of a token may get before the account is read again. Not used for a store with a `generation`.
   *
   * @defaultValue 60_000; 0: at every request
   */
  readonly recheckIntervalMs?: number | undefined
  /** How much longer the last verdict holds while the user store cannot be reached. @defaultValue 300_000 */
  readonly recheckGraceMs?: number | undefined
  /** Resolves when this process knows of every change that other processes have made. @defaultValue no others */
  readonly assertCurrent?: (() => undefined | Promise<void>) | undefined
  /** Tells the other processes of a change: see {@link Accounts.recheckEverywhere}. @defaultValue no others */
  readonly publish?: ((subject?: string) => unknown) | undefined
  /**
   * What the version of an account begins with that an identity provider keeps: no store can read it again, so that its rights last for
   * as long as what they were given to. `undefined` for an account of `users`.
   *
   * @defaultValue all are of `users`
   */
  readonly providerVersion?: ((subject: string) => string | undefined) | undefined
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
}

/** What a stored token tells about its account. */
export interface RecordedAccount {
  /** See {@link UserAccount.subject}. */
  readonly subject: string
  /** Roles at login. */
  readonly roles: readonly string[]
  /** Whether the user was an administrator at login. */
  readonly isAdmin: boolean
  /** See {@link UserAccount.version}. */
  readonly accountVersion: string
  /** In milliseconds since the epoch. */
  readonly issuedAt: number
}

/** The present state of the accounts that hold tokens. */
export interface Accounts {
  /**
   * The state of an account that has just been read from the store; all its tokens share it. Where another version is known, a
   * late login may have brought that of an old password: both are compared with the store at their next `refresh`. So is one that
   * was read, at `startedAt` the earliest, before a change of its rights was told. @defaultValue the time of the call
   */
  getState(account: UserAccount, startedAt?: number): AccountState
  /** The state of an account for a token from outside this process. It ends nothing: the token may be older than what is known here. */
  restoreState(record: RecordedAccount): AccountState
  /** Ends every token and every remembered login of an account. The next login begins a new state. */
  end(subject: string): void
  /** How many states were ended or have to be read again: see `hasEndedSince`. */
  readonly endings: number
  /** Whether that was so for this account since there were so many {@link Accounts.endings}. */
  hasEndedSince(endings: number, subject: string): boolean
  /** Has an account, or without `subject` every account, read again at the next request of its tokens. */
  recheck(subject?: string): void
  /**
   * Reads the account again when that is due; without a promise when it is not. A state that has ended stays so.
   *
   * @throws `StoreError` when the store cannot be reached and the last verdict no longer holds.
   */
  refresh(subject: string, state: AccountState): undefined | Promise<void>
  /**
   * Resolves when this process knows of every change that other processes have made: for what it remembers itself.
   *
   * @throws `StoreError`, or rejects with it, where that cannot be known.
   */
  assertCurrent(): undefined | Promise<void>
  /** As `recheck`, in all processes that share the token store. */
  recheckEverywhere(subject?: string): void
}

/** When a state was ended, or had to be read again. */
interface Ending {
  readonly count: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Beyond that, tokens of one account may have a state each, and are read again one by one. */
const maxStates = 20_000

/** A store that has failed is left alone for so long. */
const retryMs = 5000

/** Older than any check, and no generation. */
const neverChecked = -1

/** Accounts are read again at a request, never by a timer. @throws TypeError when an option is out of range. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { users, recheckIntervalMs: intervalMs = 60_000, clock = systemClock } = options
  const { recheckGraceMs: graceMs = 300_000 } = options
  assertNumbers({ recheckIntervalMs: intervalMs, recheckGraceMs: graceMs }, 0)
  const hasGenerations = users.generation !== undefined
  /** By subject: more than one until it is known which password is the present one. */
  const states = new LRUCache<string, readonly AccountState[]>({ maxSize: maxStates, sizeCalculation: () => 1 })
  const readings = new Map<string, Promise<UserAccount | undefined>>()
  let rechecks = 0
  const lastEndings = new LRUCache<string, Ending>({ maxSize: maxStates, sizeCalculation: () => 1 })
  let endings = 0
  let lastEndingOfAll: Ending = { count: 0, at: Number.NEGATIVE_INFINITY }
  const failures = new WeakMap<AccountState, { readonly at: number; readonly error: StoreError }>()

  function statesBySubject(subject: string): readonly AccountState[] {
    return (states.get(subject) ?? []).filter(({ hasEnded }) => !hasEnded)
  }

  function noteEnding(subject: string | undefined): void {
    const ending = { count: ++endings, at: clock() }
    if (subject === undefined) lastEndingOfAll = ending
    else lastEndings.set(subject, ending)
  }

  function lastEnding(subject: string): Ending {
    const own = lastEndings.get(subject)
    return own !== undefined && own.count > lastEndingOfAll.count ? own : lastEndingOfAll
  }

  /** Look-ups under way may be older than the reason for it: nobody joins them. */
  function recheck(subject?: string): void {
    rechecks++
    noteEnding(subject)
    readings.clear()
    const known = subject === undefined ? [...states.values()].flat() : statesBySubject(subject)
    for (const state of known) state.checkedAt = neverChecked
  }

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
    const startedAt = rechecks
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
    if (startedAt !== rechecks) state.checkedAt = neverChecked
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
    getState({ subject, version, roles, isAdmin }, startedAt = clock()) {
      const live = statesBySubject(subject)
      const known = live.find((state) => state.version === version)
      const others = live.filter((state) => state !== known)
      const isOutdated = hasGenerations || lastEnding(subject).at > startedAt
      const present = { roles: ownCopy(roles), isAdmin, checkedAt: isOutdated ? neverChecked : clock() }
      const state = known === undefined ? { version, hasEnded: false, ...present } : Object.assign(known, present)
      states.set(subject, [...others, state])
      if (others.length > 0) recheck(subject)
      return state
    },

    restoreState({ subject, accountVersion, roles, isAdmin, issuedAt }) {
      const live = statesBySubject(subject)
      const known = live.find(({ version }) => version === accountVersion)
      if (known !== undefined) return known
      // What has changed since the login may have been told before this process knew of the account.
      const checkedAt = hasGenerations ? neverChecked : Math.min(issuedAt, clock() - intervalMs)
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

    hasEndedSince: (count, subject) => lastEnding(subject).count > count,

    end(subject) {
      noteEnding(subject)
      for (const state of statesBySubject(subject)) state.hasEnded = true
      states.delete(subject)
    },

    recheck,

    assertCurrent: () => options.assertCurrent?.(),

    recheckEverywhere(subject) {
      recheck(subject)
      inBackground(() => options.publish?.(subject))
    },

    refresh(subject, state) {
      const version = options.providerVersion?.(subject)
      if (version === undefined)
        return hasGenerations ? refreshByGeneration(subject, state) : refreshByAge(subject, state)
      // A user of a local store with such a name is another one.
      if (!state.version.startsWith(version)) state.hasEnded = true
      return undefined
    },
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
