/**
 * Takes over another configuration while the front runs: everything that is exchanged, in order. Prepare everything, swap in
 * one step that cannot throw, then log.
 *
 * @module
 */

import type { PreviewReload, ReloadFile } from '../admin-api/reload.js'
import { createMutex } from '../async/mutex.js'
import { shareWaiting } from '../async/share-waiting.js'
import { changedTables } from '../config/checks/changed-tables.js'
import { located } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { assertNotEmptied } from '../config/emptied-file.js'
import { type ConfigFile, type ConfigSource, parseConfigFile, readConfig, readConfigFile } from '../config/load.js'
import type { ConfigOptions } from '../config/parse.js'
import { ConfigError, HttpError } from '../core/errors.js'
import { type ChangeContext, changedBy, type SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { PreparedChange } from '../core/prepared-change.js'
import type { ServerTls } from '../tls/server-tls.js'
import type { ChangingKeyRing } from '../tokens/keys/key-ring.js'
import type { KeySet } from '../tokens/keys/signing-key.js'
import { keepsOwnKey, readTokenKeys } from '../tokens/keys/token-keys.js'
import type { MachineTokens } from '../tokens/machines/machine-tokens.js'
import type { OpenUserStore } from '../users/open-user-store.js'
import type { IdentityProviders } from './identity-providers.js'
import { createMachineSources, warnOfEnds } from './machine-access.js'
import type { FrontParts, Mounts } from './mounts.js'
import { createPreview, versionFrom } from './reload-preview.js'
import { changesAtNextStart, warnAtStart, warnOfRestart } from './start-checks.js'

/** What a front is at the moment. */
export interface RunningState {
  /** The configuration in effect. */
  config: Config
  /** When it was read, in milliseconds since the epoch. */
  readAt: number
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
  /** What a comparison makes fronts of. */
  readonly front: FrontParts
  /** Of the versions of files that are shown. */
  readonly versionKey: Uint8Array
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
}

/** What {@link createReload} makes. */
export interface Reloading {
  /** `security.reload` */
  readonly reload: (source: ConfigSource, context?: ChangeContext) => Promise<void>
  readonly reloadFile: ReloadFile
  readonly previewReload: PreviewReload
}

/** @throws Error when the front is closed. */
export function assertOpen({ isClosed }: RunningState, call: string): void {
  if (isClosed) throw new Error(`${call} came after close(): what createSecurity() made has ended; call it again`)
}

/** What was loaded for another configuration. */
interface Loaded {
  readonly prepareTls: Awaited<ReturnType<ServerTls['load']>>
  /** `undefined`: the keys stay. */
  readonly keySet: KeySet | undefined
  readonly usersChange: PreparedChange | undefined
}

/**
 * Makes `security.reload`, and the reload of the file by an operator. Calls take effect one after the other.
 *
 * They reject with `ConfigError` for a configuration that cannot be used, and with an Error when the front is closed
 * before the swap; then all is as it was.
 */
export function createReload(parts: ReloadParts): Reloading {
  const { running, configOptions, mounts, machines, tls, keys, tokenMs, userStore, events, logger, clock } = parts
  const oneAtATime = createMutex()

  /** Loads what another configuration names, and changes nothing. @throws `ConfigError` with the mistakes of all parts. */
  async function load(next: Config): Promise<Loaded> {
    const failures: unknown[] = []
    const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
      try {
        return await work()
      } catch (error) {
        failures.push(error)
        return undefined
      }
    }
    const prepareTls = await attempt(() => tls.load(next))
    const keySet = await attempt(() => (keepsOwnKey(running.config, next) ? undefined : readTokenKeys(next)))
    const usersChange = await attempt(() => userStore?.prepare(next))
    await attempt(() => parts.identityProviders.prepare(next))
    if (failures.length > 0) throw combine(failures)
    return { prepareTls: prepareTls!, keySet, usersChange }
  }

  /** What the last steps before a swap refuse: they wait for nothing. */
  function prepareSwap(next: Config, { prepareTls }: Loaded) {
    return {
      swapMounts: mounts.prepare(next),
      machineSources: createMachineSources(next, parts),
      tlsChange: prepareTls(),
    }
  }

  /** Returns what there is to log. */
  async function exchange(next: Config, context: ChangeContext): Promise<() => void> {
    const before = running.config
    const loaded = await load(next)
    const { keySet, usersChange } = loaded
    assertOpen(running, 'security.reload()')
    // From here to the end of the swap nothing waits, so that no mount and no server comes in between.
    const { swapMounts, machineSources, tlsChange } = prepareSwap(next, loaded)
    usersChange?.save?.()

    // Nothing below can throw.
    running.config = next
    running.readAt = clock()
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

  async function takeOver(
    read: () => Promise<Config>,
    file: string | undefined,
    context: ChangeContext,
  ): Promise<void> {
    assertOpen(running, 'security.reload()')
    let log: () => void
    try {
      const next = await read()
      log = await located(next, exchange(next, context))
    } catch (error) {
      if (!running.isClosed) reportRefused(error, file, context)
      throw error
    }
    log()
  }

  function reportRefused(cause: unknown, file: string | undefined, context: ChangeContext): void {
    const problems = cause instanceof ConfigError ? cause.problems.length : 0
    events.report('reloadRefused', { at: clock(), file, problems, cause, ...changedBy(context) })
  }

  async function parse(file: ConfigFile): Promise<Config> {
    const next = await parseConfigFile(file, configOptions)
    assertNotEmptied(next, running.config)
    return next
  }

  /** The text that is compared with what was shown is the one that is taken over. */
  async function reloadFile(path: string, context: ChangeContext, version: string | undefined): Promise<void> {
    const read = async (): Promise<Config> => {
      const file = await readConfigFile(path)
      if (version !== undefined && version !== versionFrom(file.text, parts.versionKey)) throw changedMeanwhile()
      return parse(file)
    }
    await takeOver(read, path, context)
  }

  const preview = createPreview({
    ...parts,
    parse,
    async prepare(next) {
      const loaded = await load(next)
      prepareSwap(next, loaded)
    },
  })

  return {
    reload(source, context = {}) {
      const isFile = typeof source === 'string' || source instanceof URL
      const read = async () => (isFile ? parse(await readConfigFile(source)) : readConfig(source, configOptions))
      return oneAtATime(() => takeOver(read, isFile ? String(source) : undefined, context))
    },

    reloadFile: (context, version) =>
      oneAtATime(async () => {
        const before = running.config
        if (before.path === undefined) return undefined
        await reloadFile(before.path, context, version)
        const after = running.config
        return { changed: changedTables(before, after), atNextStart: changesAtNextStart(before, after) }
      }),

    previewReload: shareWaiting((app) => oneAtATime(() => preview(app))),
  }
}

function changedMeanwhile(): HttpError {
  return new HttpError(409, 'ERR_CONFIG_CHANGED', 'The file is not the one that was shown. Look at what it says now.')
}

/** The mistakes of several parts as one error. What is no mistake of the file goes first. */
function combine(failures: readonly unknown[]): unknown {
  const other = failures.find((failure) => !(failure instanceof ConfigError))
  const [first, ...more] = failures as ConfigError[]
  if (other !== undefined || more.length === 0) return other ?? first
  const all = [first!, ...more].flatMap(({ problems }) => problems)
  const distinct = new Map(all.map((problem) => [JSON.stringify(problem), problem]))
  return new ConfigError([...distinct.values()], { code: first!.code, cause: first!.cause })
}
