/**
 * What outlives the one process that there is, in files: `token_store_config.snapshot_file`.
 *
 * @module
 */

import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { SnapshotConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { SharedValues } from '../core/shared-values.js'
import { type FileLock, lockFile } from '../files/lock.js'
import { canonicalPath } from '../files/replace-file.js'
import { SnapshotOauthStore } from '../oauth/snapshot-oauth-store.js'
import { type KeySet, secretsFrom } from '../tokens/keys/signing-key.js'
import { type RestoredState, readState } from '../tokens/snapshot/read-state.js'
import { UnusableStateError } from '../tokens/snapshot/sealed-frames.js'
import { SnapshotTokenStore } from '../tokens/snapshot/snapshot-token-store.js'
import { realFiles, type StateFiles } from '../tokens/snapshot/state-files.js'
import { StateJournal } from '../tokens/snapshot/state-journal.js'
import type { BreakGlassState, BreakGlassUse } from '../users/login/break-glass.js'
import { createLoginThrottle } from '../users/throttle/login-throttle.js'
import type { SharedStore } from './shared-store.js'

const fileKey = 'management_api.jwt_token_security_handler.token_store_config.snapshot_file'

/** A process of another host or container without a sign of life for so many intervals, and so long, has ended. */
const staleIntervals = 6
const minStaleMs = 30_000

export interface SnapshotStoreParts {
  /** What the files are encrypted with is derived from the key that signs, and from the issuer. */
  readonly keySet: Pick<KeySet, 'privateKey'>
  readonly issuer: string
  readonly clock: () => number
  readonly logger: Logger
  /** @defaultValue those of the system */
  readonly files?: StateFiles | undefined
}

/** `start` rejects with `ConfigError` where the files cannot be used, and with `StoreError` where they cannot be written now. */
export function createSnapshotStore(config: SnapshotConfig, parts: SnapshotStoreParts): SharedStore {
  const { clock, logger } = parts
  const file = canonicalPath(config.file)
  const keyFrom = ({ privateKey }: Pick<KeySet, 'privateKey'>): Buffer =>
    secretsFrom(privateKey, parts.issuer)('snapshot')
  const key = keyFrom(parts.keySet)
  let lock: FileLock | undefined
  const staleAfterMs = Math.max(minStaleMs, staleIntervals * config.intervalMs)
  const confirmLock = (mayBeOlder: boolean) => lock?.confirm(mayBeOlder ? staleAfterMs / 2 : 0)
  const journal = new StateJournal({ ...config, ...parts, key, file, confirmLock })

  async function read(): Promise<RestoredState | undefined> {
    try {
      const state = await readState({ ...config, file, key, now: clock() })
      if (state?.isTorn) logger.warn({ file }, 'the journal of the snapshot ends within a record, which is dropped')
      return state
    } catch (error) {
      if (!(error instanceof UnusableStateError)) throw error
      logger.warn({ file }, `the snapshot ${error.message}: nothing of it is taken, and all have to log in again`)
      return undefined
    }
  }

  return {
    now: clock,
    breakGlassState: createBreakGlassState(journal, clock),
    values: createValues(journal, clock),
    check: () => journal.assertWritable(),
    createTokenStore: (options) => new SnapshotTokenStore({ ...options, journal, slackMs: config.intervalMs }),
    createThrottle: (options) => createLoginThrottle(options),
    createOauthStore: (options) => new SnapshotOauthStore({ ...options, journal }),
    useKeys: (keySet) => journal.useKey(keyFrom(keySet)),
    noteSigningKey: async () => undefined,

    async start() {
      let state: RestoredState | undefined
      try {
        lock = lockFile(file, { staleAfterMs })
        state = await read()
      } catch (cause) {
        lock?.release()
        lock = undefined
        throw new ConfigError([{ key: fileKey, rule: `cannot be used: ${(cause as Error).message}` }], { cause })
      }
      await journal.start(state)
      await removeLeftovers(file, journal.path, parts.files)
    },

    async close() {
      await journal.close()
      lock?.release()
      lock = undefined
    },
  }
}

/** What processes that ended in the middle of a snapshot have left. */
async function removeLeftovers(
  file: string,
  current: string | undefined,
  files: StateFiles = realFiles,
): Promise<void> {
  const folder = dirname(file)
  const start = `${basename(file)}.`
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const isOurs = name.startsWith(start) && /^[0-9a-f]{32}\.(?:tmp|journal)$/.test(name.slice(start.length))
    if (isOurs && path !== current) await files.remove(path).catch(() => undefined)
  }
}

interface KeptValue {
  readonly value: string
  readonly endsAt: number
}

/** Small values. There are no more names than users of the file. */
function createValues(journal: StateJournal, clock: () => number): SharedValues {
  const kept = new Map<string, KeptValue>()
  const keyOf = (name: string): string => `value:${name}`
  journal.addPart({
    entries: () => [...kept].map(([name, value]) => [keyOf(name), value]),
    restore({ entries }) {
      for (const [key, value] of entries) if (key.startsWith('value:')) kept.set(key.slice(6), value as KeptValue)
    },
  })
  const present = (name: string): string | undefined => {
    const found = kept.get(name)
    return found === undefined || clock() >= found.endsAt ? undefined : found.value
  }
  return {
    read: async (name) => present(name),
    async replace(name, before, value, lifeMs) {
      if (present(name) !== before) return false
      const next = { value, endsAt: clock() + lifeMs }
      kept.set(name, next)
      await journal.write([[keyOf(name), next]], true)
      return true
    },
  }
}

const useKey = 'break-glass'

/** The last use of the account for emergencies: when the user store answers again, its tokens end also after a restart. */
function createBreakGlassState(journal: StateJournal, clock: () => number): BreakGlassState {
  let kept: (BreakGlassUse & { readonly endsAt: number }) | undefined
  journal.addPart({
    entries: () => (kept === undefined ? [] : [[useKey, kept]]),
    restore({ entries }) {
      const restored = entries.get(useKey) as typeof kept
      if (restored !== undefined && clock() < restored.endsAt) kept = restored
    },
  })
  return {
    read: async () => kept,

    async take() {
      const taken = kept
      if (taken === undefined) return undefined
      // Where that cannot be written, the next call takes it.
      await journal.write([[useKey]], true)
      if (kept === taken) kept = undefined
      journal.isDirty = true
      return taken
    },

    async write(use, lifeMs) {
      kept = { ...use, endsAt: clock() + lifeMs }
      await journal.write([[useKey, kept]], true)
    },
  }
}
