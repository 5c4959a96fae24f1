/**
 * An account for emergencies: it lets one operator in while the user store cannot be reached, and only then.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { networkSet } from '../../addresses/network-set.js'
import { inBackground } from '../../async/background.js'
import { maxTimerMs, startDeadline, untilAborted } from '../../async/deadline.js'
import { systemClock } from '../../core/clock.js'
import { ConfigError, StoreError } from '../../core/errors.js'
import { pickClient, type SecurityEvents } from '../../core/events.js'
import { assertNumbers } from '../../core/option-numbers.js'
import {
  checkPasswordHash,
  type HashQueue,
  isPasswordHash,
  loadPasswordSchemes,
  sharedHashQueue,
  verifyPassword,
} from '../passwords/password-hash.js'
import { type AuthenticationResult, resultFrom, type UserAccount, type UserStore, withMethods } from '../user-store.js'
import type { LoginContext } from './authenticator.js'

/** Options of {@link createBreakGlass}: `[management_api.break_glass]`. */
export interface BreakGlassOptions {
  /** Name of the account; its subject is `BREAK-GLASS/` and this name. */
  readonly userName: string
  /** A password hash; a plain password is refused. */
  readonly passwordHash: string
  /** Addresses and CIDR blocks it may be used from. */
  readonly allowedNetworks: readonly string[]
  /** How long the store must have been unreachable. @defaultValue 30_000 */
  readonly afterMs?: number
  /** Life of its tokens at the most. @defaultValue 900_000 (15 minutes) */
  readonly maxTokenAgeMs?: number
  /** The store that must be unreachable. */
  readonly primary: UserStore
  /** Told of each use. */
  readonly events?: SecurityEvents | undefined
  /** Called when the store answers again after the account was used: its tokens must end. */
  readonly onRecovery?: ((subject: string) => void) | undefined
  /** Keeps the last use for all processes. @defaultValue this process alone */
  readonly state?: BreakGlassState | undefined
  /** Limits password hashing. @defaultValue the queue that the whole process shares */
  readonly hashQueue?: HashQueue
  /** Milliseconds after which a call of the store that has no answer yet counts as failed. @defaultValue 20 000 */
  readonly timeoutMs?: number
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: () => number
}

/** A use of the account that still counts. */
export interface BreakGlassUse {
  readonly account: UserAccount
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Where several processes keep the last use. Each method may reject with `StoreError`. */
export interface BreakGlassState {
  read(): Promise<BreakGlassUse | undefined>
  /** Reads it and forgets it, in one step. */
  take(): Promise<BreakGlassUse | undefined>
  write(use: BreakGlassUse, lifeMs: number): Promise<void>
}

/** An account for emergencies. */
export interface BreakGlass {
  /**
   * The primary store, whose answers are watched, together with the account: `find` knows it while it may be used. It is
   * to be used in place of the primary store.
   */
  readonly primary: UserStore
  /**
   * Checks a login that the primary store could not check. `undefined`: the account is not meant, or is not open to this
   * client, or not yet; then the login stays refused as unavailable.
   */
  authenticate(name: string, password: string, context: LoginContext): Promise<AuthenticationResult | undefined>
}

/** Failures that are further apart, and longer than the wait itself, say nothing about the time between them. */
const silenceMs = 5 * 60 * 1000

const passwordKey = 'management_api.break_glass.password'

/** Domain of the account. */
export const breakGlassDomain = 'BREAK-GLASS'

/** What a user store answers. No user of it is of that domain, of which no second factor is asked. */
export function storeResultFrom(answer: unknown): AuthenticationResult {
  const result = resultFrom(answer)
  return result.account?.subject.startsWith(`${breakGlassDomain}/`) ? { failure: 'unknown-user' } : result
}

/**
 * Makes the account. It opens when every call of the primary store has failed for `afterMs`, the first failure being
 * that of some login or look-up, and it closes with the first call that succeeds.
 *
 * @throws TypeError (by rejecting) when a number is out of range; `ConfigError` when the password is no hash that can be verified, when that needs a package that is
 * not installed, and when a network is malformed.
 */
export async function createBreakGlass(options: BreakGlassOptions): Promise<BreakGlass> {
  const { userName, passwordHash, primary, events, onRecovery, state, clock = systemClock } = options
  const { afterMs = 30_000, maxTokenAgeMs = 900_000, hashQueue = sharedHashQueue, timeoutMs = 20_000 } = options
  assertNumbers({ afterMs, maxTokenAgeMs }, 1)
  assertNumbers({ timeoutMs }, 1, maxTimerMs)
  const problem = isPasswordHash(passwordHash) ? checkPasswordHash(passwordHash) : 'is no hash at all'
  if (problem !== undefined)
    throw new ConfigError([
      { key: passwordKey, rule: `must be a password hash that can be verified; this one ${problem}` },
    ])
  await loadPasswordSchemes([passwordHash], passwordKey)
  const isAllowedAddress = networkSet(options.allowedNetworks)
  const subject = `${breakGlassDomain}/${userName.normalize('NFC')}`
  const maxSilenceMs = afterMs + silenceMs
  let failingSince: number | undefined
  let lastFailureAt: number | undefined
  let lastUse: BreakGlassUse | undefined

  function recovered(): void {
    const wasFailing = failingSince !== undefined
    const ownUse = lastUse
    failingSince = undefined
    lastFailureAt = undefined
    lastUse = undefined
    if (ownUse !== undefined) onRecovery?.(subject)
    if (wasFailing) inBackground(endUseElsewhere)
  }

  /** Another process may have let the account in, and may be gone. */
  async function endUseElsewhere(): Promise<void> {
    if ((await state?.take()) !== undefined) onRecovery?.(subject)
  }

  /**
   * Notes whether the store could answer; one that hangs, whatever its signal says, could not. A client that has gone says
   * nothing about it.
   */
  async function watched<T>(work: (signal: AbortSignal) => T | Promise<T>, caller?: AbortSignal): Promise<T> {
    const startedAt = clock()
    const deadline = startDeadline(timeoutMs, () => new StoreError(`no answer within ${timeoutMs} ms`), caller)
    try {
      const answer = (async () => work(deadline.signal))()
      const result = await untilAborted(answer, deadline.signal)
      recovered()
      return result
    } catch (error) {
      if (error instanceof StoreError) noteFailure(startedAt)
      throw error
    } finally {
      deadline.end()
    }
  }

  function noteFailure(at: number): void {
    if (lastFailureAt === undefined || at - lastFailureAt > maxSilenceMs) failingSince = at
    failingSince ??= at
    lastFailureAt = at
  }

  function isOpen(now: number): boolean {
    return failingSince !== undefined && now - failingSince >= afterMs
  }

  function isOpenTo({ address, origin }: LoginContext, now: number): boolean {
    return origin === undefined && address !== undefined && isOpen(now) && isAllowedAddress(address)
  }

  /** Any user will do. */
  async function canBeReached(): Promise<boolean> {
    try {
      await watched((signal) => primary.find(userName, signal))
      return true
    } catch (error) {
      if (error instanceof StoreError) return false
      throw error
    }
  }

  /** While the store is down. */
  async function currentAccount(): Promise<UserAccount | undefined> {
    if (await canBeReached()) {
      await endUseElsewhere()
      return undefined
    }
    const use = lastUse ?? (await state?.read())
    if (use === undefined) return undefined
    const age = clock() - use.at
    return age >= 0 && age < maxTokenAgeMs ? use.account : undefined
  }

  return {
    primary: withMethods(primary, {
      authenticate: (name, password, caller) =>
        watched((signal) => primary.authenticate(name, password, signal), caller),
      find: (name, caller) =>
        name === subject ? currentAccount() : watched((signal) => primary.find(name, signal), caller),
    }),

    async authenticate(name, password, context) {
      if (name !== userName && name !== subject) return undefined
      if (!isOpenTo(context, clock())) return undefined
      const isRight = await hashQueue.run(() => verifyPassword(password, passwordHash), context.signal)
      if (!isRight) return { failure: 'wrong-password', subject }
      const now = clock()
      // The store may have come back meanwhile.
      if (!isOpen(now)) return undefined
      const version = randomUUID()
      const account: UserAccount = { subject, roles: [], isAdmin: true, version, maxTokenAgeMs }
      const use = { account, at: now }
      await state?.write(use, maxTokenAgeMs)
      lastUse = use
      events?.report('breakGlassUsed', { at: now, ...pickClient(context), subject })
      return { account }
    },
  }
}
