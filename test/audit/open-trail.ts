/** A trail in a folder of its own, until the test ends. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import { AuditTrail, type AuditTrailOptions } from '../../lib/audit/audit-trail.js'
import { createCheckpointKey } from '../../lib/audit/checkpoint.js'
import { TrailFile, type TrailFileOptions } from '../../lib/audit/trail-file.js'
import { folderWith } from '../helpers/key-files.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'

export const seed: Buffer = Buffer.alloc(32, 7)

export interface TrailOptions
  extends Partial<Omit<TrailFileOptions, 'file'>>,
    Partial<Omit<AuditTrailOptions, 'file'>> {
  readonly file?: string
}

export interface OpenedTrail {
  readonly trail: AuditTrail
  readonly file: string
  readonly anchorFile: string
  readonly log: RecordedLog
  /** Records so many logins. */
  login(count?: number, user?: string): void
}

export function newFolder(): string {
  return folderWith({})
}

/** Starts a trail. @param options - What is different from a big file with an anchor. */
export async function openTrail(options: TrailOptions = {}): Promise<OpenedTrail> {
  const { file = join(newFolder(), 'audit.log') } = options
  const anchorFile = `${file}-anchor`
  const log = recordedLog()
  const clock = options.clock ?? Date.now
  const trail = new AuditTrail({
    sink: undefined,
    key: await createCheckpointKey(seed),
    checkpointIntervalMs: 3_600_000,
    anchorFile,
    logger: log.logger,
    clock,
    ...options,
    file: new TrailFile({ maxBytes: 1e9, maxAgeMs: undefined, keep: 20, fsync: 'interval', ...options, file }),
  })
  await trail.start()
  onTestFinished(() => trail.close())
  return {
    trail,
    file,
    anchorFile,
    log,
    login(count = 1, user = 'alice') {
      for (let index = 0; index < count; index++) {
        const tokenId = `token-${index}`
        trail.record('login', { at: clock(), address: '192.0.2.1', subject: user, tokenId, kind: 'management' })
      }
    },
  }
}

export function readRecords(...files: readonly string[]): readonly AuditRecord[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditRecord),
  )
}

export function actionsIn(...files: readonly string[]): readonly string[] {
  return readRecords(...files).map(({ action }) => action)
}
