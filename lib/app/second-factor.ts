/**
 * Second factors, as the configuration has them: those of the file, or those of a database.
 *
 * @module
 */

import type { HeldLock } from '../admin-api/locks.js'
import type { Config, DatabaseConfig, SecondFactorConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import type { ChangeContext, SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { ObserveQuery } from '../core/query-observer.js'
import { localValues, type SharedValues } from '../core/shared-values.js'
import type { SecondStepParts } from '../portals/second-step.js'
import { type KeySet, secretsFrom } from '../tokens/keys/signing-key.js'
import { fileSecondFactors, type SecondFactorStore } from '../users/second-factor/second-factor-store.js'
import { createSecondFactors, type SecondFactors } from '../users/second-factor/second-factors.js'
import { loadTotp } from '../users/second-factor/totp.js'
import { maxListedLocks } from '../users/throttle/lock-notes.js'
import { type LoginThrottle, type ManagedLoginThrottle, unlockEvent } from '../users/throttle/login-throttle.js'
import type { UserStore } from '../users/user-store.js'

/** What second factors work with besides the configuration. */
export interface SecondFactorParts {
  /** The configuration of the moment: the users of the file may change. */
  readonly current: () => Config
  /** Where several processes keep what the file cannot. @defaultValue this process alone */
  readonly values?: SharedValues | undefined
  readonly clock: () => number
  /** Told where locks cannot be listed. */
  readonly logger?: Logger | undefined
  /** Told of each query of a database. */
  readonly observe?: ObserveQuery | undefined
}

/** What asking for them in a browser needs besides. */
export interface SecondStepOptions extends SecondFactorParts {
  readonly users: UserStore
  readonly events: SecurityEvents
  /** What the browser keeps between password and code is sealed with what is derived from it. */
  readonly keySet: Pick<KeySet, 'privateKey'>
}

/** Opens second factors, and what login pages ask for them with; `undefined` as {@link openSecondFactors}. */
export async function openSecondStep(config: Config, options: SecondStepOptions): Promise<SecondStepParts | undefined> {
  const { users, events, keySet, clock } = options
  const secondFactors = await openSecondFactors(config, options)
  if (secondFactors === undefined) return undefined
  // A user of the same name, later, is another one.
  events.on('userRemoved', ({ subject }) => secondFactors.remove(subject))
  const { renderSVG } = await import('uqr')
  const key = secretsFrom(keySet.privateKey, config.managementApi.token.issuer)('second step')
  return { users, secondFactors, key, clock, renderQrCode: (text) => renderSVG(text, { border: 2 }) }
}

/**
 * Opens them; `undefined` where nothing in the file asks for one. Only then anything of it is loaded.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package that codes need.
 */
export async function openSecondFactors(
  { secondFactor, userStore }: Config,
  { current, values = localValues(), clock, logger, observe }: SecondFactorParts,
): Promise<SecondFactors | undefined> {
  if (secondFactor === undefined) return undefined
  const totp = await loadTotp(secondFactor.issuer)
  const seedOf = (subject: string): string | undefined =>
    current().fileUsers.users.find(({ name }) => name === subject)?.totp
  const store =
    userStore?.type === 'database'
      ? await openSqlSecondFactors(userStore, secondFactor, observe)
      : fileSecondFactors(seedOf, values)
  return createSecondFactors(store, totp, clock, values, logger)
}

/**
 * Forgets the second factor of a user of a database who was removed: a user of the same name, later, is another one. Also where nothing
 * asks for second factors at the moment. Rejects with `StoreError`.
 */
export async function forgetSecondFactor({ userStore, secondFactor }: Config, subject: string): Promise<void> {
  if (userStore?.type !== 'database') return
  const store = await openSqlSecondFactors(userStore, secondFactor)
  await store.remove(subject).finally(() => store.close())
}

/** The database of the users, over connections of its own. Nothing is connected before the first login. */
async function openSqlSecondFactors(
  { sql: { datasource } }: DatabaseConfig,
  { key = '' }: Partial<SecondFactorConfig> = {},
  observe?: ObserveQuery,
): Promise<SecondFactorStore> {
  const { openSqlDatabase } = await import('../sql/open-sql-database.js')
  const { sqlSecondFactors } = await import('../users/second-factor/sql-second-factors.js')
  return sqlSecondFactors(await openSqlDatabase({ ...datasource, observe }), Buffer.from(key, 'hex'))
}

/** What {@link unlockUser} works with. */
export interface UnlockParts {
  /** `undefined`: wrong passwords never lock. */
  readonly loginThrottle: LoginThrottle | undefined
  readonly secondStep?: Pick<SecondStepParts, 'users' | 'secondFactors'> | undefined
  readonly events: SecurityEvents
  readonly clock: () => number
}

/**
 * The locks that hold, of passwords and of codes, the latest first, at most 1000. Locks of codes that cannot be read are left out. Rejects
 * with `StoreError` where those of passwords cannot be asked for.
 */
export async function listLocks(
  throttle: Pick<ManagedLoginThrottle, 'list'> | undefined,
  secondStep: Pick<SecondStepParts, 'secondFactors'> | undefined,
): Promise<readonly HeldLock[]> {
  const [passwords = [], codes = []] = await Promise.all([throttle?.list(), secondStep?.secondFactors.listLocks()])
  return [...passwords, ...codes].sort((one, other) => other.since - one.since).slice(0, maxListedLocks)
}

/** Ends the locks of a user: those of passwords, and those of codes. Answers whether one of codes held. */
export async function unlockUser(
  { loginThrottle, secondStep, events, clock }: UnlockParts,
  userName: string,
  context: ChangeContext = {},
): Promise<boolean> {
  const [passwords, codes] = await Promise.allSettled([
    (async () => loginThrottle?.unlock(userName, context))(),
    secondStep && unlockCodes(secondStep, userName),
  ])
  const wasLocked = codes.status === 'fulfilled' && codes.value === true
  // Else the throttle has reported it.
  const isUnreported = loginThrottle === undefined || passwords.status === 'rejected'
  if (wasLocked && isUnreported) events.report('unlock', unlockEvent(clock(), context, { userName }))
  if (passwords.status === 'rejected') throw passwords.reason
  if (codes.status === 'rejected') throw codes.reason
  return wasLocked
}

/** However the name is written: second factors are kept by the store's own spelling, also that of a user who is disabled. */
async function unlockCodes(
  { users, secondFactors }: Pick<SecondStepParts, 'users' | 'secondFactors'>,
  userName: string,
) {
  const account = await users.find(userName)
  return secondFactors.unlock(account?.subject ?? userName.normalize('NFC'))
}

/** @throws `ConfigError` for a configuration that asks for second factors in a process that was started without: none would be asked for. */
export function assertSecondFactors({ secondFactor }: Config, secondStep: SecondStepParts | undefined): void {
  if (secondFactor === undefined || secondStep !== undefined) return
  const rule = 'takes effect at the next start: nothing asked for a second factor when this process was started'
  throw new ConfigError([{ key: 'second_factor', rule }])
}
