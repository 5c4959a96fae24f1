/**
 * Takes over another configuration while the front runs: everything that is exchanged, in order. Prepare everything, swap in
 * one step that cannot throw, then log.
 *
 * @module
 */

import type { ReloadFile } from '../admin-api/reload.js'
import { createMutex } from '../async/mutex.js'
import { changedTables } from '../config/checks/changed-tables.js'
import { located } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { type ConfigSource, readConfig } from '../config/load.js'
import type { ConfigOptions } from '../config/parse.js'
import { ConfigError } from '../core/errors.js'
import { type ChangeContext, changedBy, type SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { ServerTls } from '../tls/server-tls.js'
import type { ChangingKeyRing } from '../tokens/keys/key-ring.js'
import type { KeySet } from '../tokens/keys/signing-key.js'
import { keepsOwnKey, readTokenKeys } from '../tokens/keys/token-keys.js'
import type { MachineTokens } from '../tokens/machines/machine-tokens.js'
import type { OpenUserStore } from '../users/open-user-store.js'
import type { IdentityProviders } from './identity-providers.js'
import { createMachineSources, warnOfEnds } from './machine-access.js'
import type { Mounts } from './mounts.js'
import { changesAtNextStart, warnAtStart, warnOfRestart } from './start-checks.js'

/** What a front is at the moment. */
export interface RunningState {
  /** The configuration in effect. */
  config: Config
  isClosed: boolean
}

/** What {@link createReload} works with. */
export interface ReloadParts {
  readonly running: RunningState
  readonly configOptions: ConfigOptions
  readonly mounts: Mounts
  /** Tokens that were not issued here. */
  readonly machines: MachineTokens
  readonly identityProviders: Pick<IdentityProviders, 'prepare'>
  readonly tls: ServerTls
  readonly keys: ChangingKeyRing
  /** Told of keys that are exchanged. It must not throw. */
  readonly onKeys?: ((keySet: KeySet) => void) | undefined
  /** Longest life of a token, for keys that retire. */
  readonly tokenMs: number
  /** `undefined`: the store is the app's own. */
  readonly userStore: OpenUserStore | undefined
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
}

/** @throws Error when the front is closed. */
export function assertOpen({ isClosed }: RunningState, call: string): void {
  if (isClosed) throw new Error(`${call} came after close(): what createSecurity() made has ended; call it again`)
}

/**
 * Makes `security.reload`. Calls take effect one after the other.
 *
 * It rejects with `ConfigError` for a configuration that cannot be used, and with an Error when the front is closed
 * before the swap; then all is as it was.
 */
export function createReload(parts: ReloadParts): (source: ConfigSource, context?: ChangeContext) => Promise<void> {
  const { running, configOptions, mounts, machines, tls, keys, tokenMs, userStore, events, logger, clock } = parts
  const oneAtATime = createMutex()

  /** Returns what there is to log. */
  async function exchange(next: Config, context: ChangeContext): Promise<() => void> {
    const before = running.config
    const prepareTls = await tls.load(next)
    const keySet = keepsOwnKey(before, next) ? undefined : await readTokenKeys(next)
    const usersChange = await userStore?.prepare(next)
    await parts.identityProviders.prepare(next)
    assertOpen(running, 'security.reload()')
    // From here to the end of the swap nothing waits, so that no mount and no server comes in between.
    const swapMounts = mounts.prepare(next)
    const machineSources = createMachineSources(next, parts)
    const tlsChange = prepareTls()
    usersChange?.save?.()

    // Nothing below can throw.
    running.config = next
    swapMounts()
    machines.use(machineSources)
    tlsChange.swap()
    usersChange?.swap()
    if (keySet !== undefined) {
      keys.exchange(keySet, tokenMs)
      parts.onKeys?.(keySet)
    }

    const at = clock()
    return () => {
      events.report('reload', { at, file: next.path, changed: changedTables(before, next), ...changedBy(context) })
      warnOfRestart(before, next, logger)
      warnAtStart(next, logger, keySet?.warnings)
      warnOfEnds(next, parts)
      usersChange?.log?.()
      tlsChange.log?.()
    }
  }

  async function takeOver(source: ConfigSource, context: ChangeContext): Promise<void> {
    assertOpen(running, 'security.reload()')
    try {
      const next = await readConfig(source, configOptions)
      const log = await located(next, exchange(next, context))
      log()
    } catch (cause) {
      const problems = cause instanceof ConfigError ? cause.problems.length : 0
      const file = running.config.path
      events.report('reloadRefused', { at: clock(), file, problems, cause, ...changedBy(context) })
      throw cause
    }
  }

  return (source, context = {}) => oneAtATime(() => takeOver(source, context))
}

/** Makes what reloads the file of the configuration in effect. */
export function createReloadFile(running: RunningState, reload: ReturnType<typeof createReload>): ReloadFile {
  return async (context) => {
    const before = running.config
    if (before.path === undefined) return undefined
    await reload(before.path, context)
    const after = running.config
    return { changed: changedTables(before, after), atNextStart: changesAtNextStart(before, after) }
  }
}
