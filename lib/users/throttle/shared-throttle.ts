/**
 * The login throttle that several processes share. A store counts the logins of all of them, and each process its own as well: the
 * stricter of both decides, and while the store cannot be reached a process decides alone.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { inBackground } from '../../async/background.js'
import { StoreError } from '../../core/errors.js'
import type { ChangeContext } from '../../core/events.js'
import { type Logger, safeLogger } from '../../core/logger.js'
import { assertNumbers } from '../../core/option-numbers.js'
import { createLocalCounters, type LocalAttempt } from './local-counters.js'
import { LockNotes, type LoginLock, mergeLocks } from './lock-notes.js'
import {
  type LoginAttempt,
  type LoginThrottleOptions,
  limitsFrom,
  type ManagedLoginThrottle,
  type ThrottledLogin,
  unlockEvent,
} from './login-throttle.js'
import {
  addressKeys,
  type StartedLock,
  StartedLocks,
  subjectKeys,
  type ThrottleKeys,
  type ThrottleLogin,
  throttleKeys,
  throttleLogin,
  userKeys,
} from './throttle-keys.js'
import type { LoginOutcome, Settlement, ThrottleLimits } from './throttle-rules.js'

/** Options of a throttle that processes share. Limits hold for all of them together, which have to name the same ones. */
export interface SharedThrottleOptions extends LoginThrottleOptions {
  /** Tells throttles apart that count other things. @defaultValue `'login'` */
  readonly name?: string | undefined
  /**
   * Milliseconds for which a login under way counts as a failure: those of a process that was killed no longer do then. Longer than
   * any login takes.
   *
   * @defaultValue 30_000
   */
  readonly holdMs?: number | undefined
  /** Told when this process begins to decide alone, and when it no longer does. */
  readonly logger: Logger
}

/** What other processes have changed. */
export interface ThrottleNews {
  /** The last good login of the pair, in milliseconds since the epoch; -1: none. */
  readonly goodAt: number
  /** The number of the last unlock. Numbers are moments, or a little later. */
  readonly lastUnlock: number
  /** The users of the unlocks that are new. */
  readonly unlocked: readonly string[]
}

/** A login that is held in the store, to be settled once. `subject` is the user who was found. */
export interface SharedAttempt {
  readonly isAllowed: true
  settle(outcome: LoginOutcome, subject?: string): Promise<Settlement>
}

/**
 * The counters of all processes. Each method is one step. It rejects with `StoreError` when it may not have been done, and with
 * `UnavailableError` when too many others wait: a store that is there is never left out.
 */
export interface SharedCounters {
  /** `admission` is `undefined` where logins under way must be settled first. `since` is the last unlock that is known. */
  start(
    keys: ThrottleKeys,
    since: number,
  ): Promise<ThrottleNews & { readonly admission: SharedAttempt | ThrottledLogin | undefined }>
  news(keys: ThrottleKeys, since: number): Promise<ThrottleNews>
  /** Ends all locks of users and of sources, by their keys, and forgets their failures. */
  unlock(keys: readonly string[]): Promise<void>
  /** Notes locks that have begun, for the lists of all processes. */
  note(locks: readonly StartedLock[]): Promise<void>
  /** The noted locks that hold. */
  list(): Promise<readonly LoginLock[]>
}

/** What counters are made for. */
export interface SharedCounterSettings {
  readonly name: string
  readonly limits: ThrottleLimits
  readonly holdMs: number
  readonly clock: () => number
}

/** A login is tried again after so long while the logins under way of other processes could use up the limit. */
const minRetryMs = 20
const maxRetryMs = 200

/** `storeName` is how a log line calls the store. */
export function createSharedThrottle(
  options: SharedThrottleOptions & { readonly clock: () => number },
  storeName: string,
  createCounters: (settings: SharedCounterSettings) => SharedCounters,
): ManagedLoginThrottle {
  const { name: throttleName = 'login', holdMs = 30_000, events, clock } = options
  assertNumbers({ holdMs }, 1)
  const logger = safeLogger(options.logger)
  const limits = limitsFrom(options)
  const local = createLocalCounters(limits, clock)
  const notes = new LockNotes()
  const counters = createCounters({ name: throttleName, limits, holdMs, clock })
  let isShared = true
  /** The number of the last unlock that was taken over. */
  let lastUnlock = 0

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      const answer = await work()
      if (!isShared) logger.info({}, `the ${throttleName} throttle counts for all processes again`)
      isShared = true
      return answer
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause
      if (isShared) {
        logger.warn(
          { cause },
          `the ${throttleName} throttle counts for this process alone: ${storeName} cannot be asked`,
        )
      }
      isShared = false
      throw cause
    }
  }

  /** Takes over what other processes have changed. Answers whether that may change what this one decides. */
  function takeOver(keys: ThrottleKeys, news: ThrottleNews): boolean {
    const hasUnlocks = news.lastUnlock > lastUnlock
    if (hasUnlocks) {
      local.unlock(news.unlocked)
      lastUnlock = news.lastUnlock
    }
    return local.noteGoodLogin(keys, news.goodAt) || hasUnlocks
  }

  /** Asks for what other processes have changed before this one refuses a login. */
  async function hasNews(keys: ThrottleKeys): Promise<boolean> {
    try {
      return takeOver(keys, await ask(() => counters.news(keys, lastUnlock)))
    } catch {
      return false
    }
  }

  async function startLocal(keys: ThrottleKeys, signal?: AbortSignal): Promise<LocalAttempt | ThrottledLogin> {
    const admission = await local.start(keys, signal)
    return admission.isAllowed || !(await hasNews(keys)) ? admission : local.start(keys, signal)
  }

  async function startShared(keys: ThrottleKeys, signal?: AbortSignal): Promise<SharedAttempt | ThrottledLogin> {
    for (let delayMs = minRetryMs; ; delayMs = Math.min(2 * delayMs, maxRetryMs)) {
      const { admission, ...news } = await ask(() => counters.start(keys, lastUnlock))
      takeOver(keys, news)
      if (admission !== undefined) return admission
      await sleep(delayMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      signal?.throwIfAborted()
    }
  }

  function createAttempt(keys: ThrottleLogin, own: LocalAttempt, shared: SharedAttempt | undefined): LoginAttempt {
    let isSettled = false
    let begun: readonly StartedLock[] = []

    function settleLocal(outcome: LoginOutcome, subject?: string, locks = new StartedLocks()): boolean {
      const settlement = own.settle(outcome, subject)
      locks.add(settlement.locks)
      const started = locks.report(events, clock(), keys, subject)
      notes.add(started)
      begun = started
      return settlement.isWithinLimit
    }

    /** Whether the user may log in by what this process knows. */
    async function isWithinLocalLimit(subject: string): Promise<boolean> {
      const found = subjectKeys(subject, keys.source)
      return local.isWithinLimit(found) || ((await hasNews(found)) && local.isWithinLimit(found))
    }

    async function settle(outcome: 'failed' | 'succeeded', subject?: string): Promise<boolean> {
      if (isSettled) return false
      isSettled = true
      if (shared === undefined) return settleLocal(outcome, subject)
      const isWithinLimit = subject === undefined || (await isWithinLocalLimit(subject))
      const told = isWithinLimit ? outcome : 'failed'
      try {
        const settlement = await ask(() => shared.settle(told, subject))
        const stands =
          settleLocal(settlement.isWithinLimit ? told : 'failed', subject, settlement.locks) &&
          told === outcome &&
          settlement.isWithinLimit
        // What is only listed refuses nobody.
        if (begun.length > 0) await ask(() => counters.note(begun)).catch(() => undefined)
        return stands
      } catch (error) {
        // Neither of both answers is given, or the one would tell that the password was right.
        settleLocal(told === 'failed' ? 'failed' : 'cancelled', subject)
        throw error
      }
    }

    return {
      isAllowed: true,
      fail: (subject) => handled(settle('failed', subject).then(() => undefined)),
      succeed: (subject) => handled(settle('succeeded', subject)),
      cancel() {
        if (isSettled) return
        isSettled = true
        settleLocal('cancelled')
        if (shared !== undefined) inBackground(() => ask(() => shared.settle('cancelled')))
      },
    }
  }

  return {
    async start(name, address, signal, correlation) {
      const keys = throttleLogin(name, address, correlation)
      const own = await startLocal(keys, signal)
      if (!own.isAllowed) return own
      try {
        const shared = await startShared(keys, signal)
        if (shared.isAllowed) return createAttempt(keys, own, shared)
        own.settle('cancelled')
        return shared
      } catch (error) {
        if (error instanceof StoreError) return createAttempt(keys, own, undefined)
        own.settle('cancelled')
        throw error
      }
    },

    unlock: (name, context = {}) => unlockKeys(userKeys(name), context, { userName: name }),
    unlockAddress: (source, context = {}) => unlockKeys(addressKeys(source), context, { source }),

    async list() {
      // What was lifted elsewhere no longer holds here.
      const nobody = throttleKeys('', undefined)
      takeOver(nobody, await ask(() => counters.news(nobody, lastUnlock)))
      const others = await ask(() => counters.list())
      return mergeLocks(notes.list(clock(), local.remainingMs), others)
    },
  }

  function unlockKeys(
    keys: readonly string[],
    context: ChangeContext,
    unlocked: { readonly userName?: string; readonly source?: string },
  ): Promise<void> {
    local.unlock(keys)
    return handled(
      ask(() => counters.unlock(keys)).then(() => {
        local.unlock(keys)
        events?.report('unlock', unlockEvent(clock(), context, unlocked))
      }),
    )
  }
}

/** A promise whose rejection does not end the process when nobody waits for it. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
