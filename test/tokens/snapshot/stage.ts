/** Stores over a snapshot in a folder of the test's own. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createSnapshotStore } from '../../../lib/app/snapshot-store.js'
import type { OauthStore, OauthStoreOptions } from '../../../lib/oauth/oauth-store.js'
import type { MemoryTokenStoreOptions } from '../../../lib/tokens/memory/memory-token-store.js'
import type { StateFiles } from '../../../lib/tokens/snapshot/state-files.js'
import type { TokenStore } from '../../../lib/tokens/token-store.js'
import type { BreakGlassState } from '../../../lib/users/login/break-glass.js'
import { folderWith } from '../../helpers/key-files.js'
import { type RecordedLog, recordedLog } from '../../helpers/recorded-log.js'
import { MortalFiles } from './mortal-files.js'

export interface SnapshotStageOptions {
  readonly file?: string
  readonly key?: KeyObject
  readonly clock?: () => number
  readonly intervalMs?: number
  readonly maxAgeMs?: number
  readonly files?: StateFiles
  readonly store?: MemoryTokenStoreOptions
  readonly maxEntries?: number
  readonly onEvict?: OauthStoreOptions['onEvict']
}

/** What a process has. */
export interface SnapshotStage {
  readonly tokens: TokenStore
  readonly oauth: OauthStore
  readonly breakGlass: BreakGlassState
  readonly log: RecordedLog
  close(): Promise<void>
}

/** A place for a snapshot. */
export function newSnapshotFile(): string {
  return join(folderWith(), 'state')
}

export function newSnapshotKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey
}

/** One key for all tests that want none of their own. */
export const snapshotKey = newSnapshotKey()

/** Starts as a process would. Its snapshots are far apart unless the test says otherwise. */
export async function startSnapshot(options: SnapshotStageOptions = {}): Promise<SnapshotStage> {
  const { file = newSnapshotFile(), key = snapshotKey, clock = Date.now, files } = options
  const { intervalMs = 3_600_000, maxAgeMs = 600_000, maxEntries = 100, onEvict = () => undefined } = options
  const log = recordedLog()
  const parts = { keySet: { privateKey: key }, issuer: 'urn:issuer', clock, logger: log.logger, files }
  const state = createSnapshotStore({ file, intervalMs, maxAgeMs }, parts)
  const tokens = state.createTokenStore({ clock, ...options.store })
  const oauth = state.createOauthStore({ maxEntries, clock, onEvict })
  if (!(files instanceof MortalFiles)) onTestFinished(() => state.close())
  await state.start()
  return { tokens, oauth, breakGlass: state.breakGlassState, log, close: () => state.close() }
}
