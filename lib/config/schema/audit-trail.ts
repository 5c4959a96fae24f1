/**
 * `[audit_trail]`: where the records of all events are kept.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { AuditTrailConfig } from '../audit-config.js'
import type { Deployment } from './deployment.js'
import { duration, type Field, field, filledText, flag, integer, oneOf, refuseAt, table } from './fields.js'

const units = { kB: 1000, MB: 1000 ** 2, GB: 1000 ** 3 } as const
const minBytes = 10_000
const maxBytes = 100 * units.GB

const bytes: Field<number> = field((value, refuse) => {
  const match = typeof value === 'string' ? /^(\d{1,6}(?:\.\d+)?)\s*(kB|MB|GB)$/i.exec(value) : null
  const unit = Object.keys(units).find((name) => name.toLowerCase() === match?.[2]?.toLowerCase())
  const size = match === null ? 0 : Math.round(Number(match[1]) * units[unit as keyof typeof units])
  return size >= minBytes && size <= maxBytes ? size : refuse('must be a size from "10kB" to "100GB", such as "50MB"')
}).meta({ unit: 'size in kB, MB or GB', type: 'string' })

/** Bounds of `checkpoint_interval`, in milliseconds. */
const minInterval = 1000
const maxInterval = 86_400_000

/** What has an effect with a file only. */
const fileKeys = ['max_size', 'max_age', 'keep', 'fsync', 'checkpoint_interval', 'anchor_file'] as const

/** Paths of files are as they are written. */
export const auditTrailTable: Field<AuditTrailConfig> = table({
  enable: flag
    .optional()
    .describe('whether each event is a record; without `file` and a function of the app it is a line of the log')
    .meta({ absent: '`true` with `file`, or with a function of the app' }),
  file: filledText
    .optional()
    .describe(
      'path, from the folder of the file: the records, one JSON line each, in a chain. One process writes to it',
    )
    .meta({ absent: 'none' }),
  max_size: bytes.optional().describe('size from which another file is begun').meta({ absent: '`"50MB"`' }),
  max_age: duration()
    .optional()
    .describe('age of the first record from which another file is begun')
    .meta({ absent: 'age does not matter' }),
  keep: integer(1, 10_000)
    .optional()
    .describe('files that are kept besides; the oldest is removed')
    .meta({ absent: '`20`' }),
  fsync: oneOf(['interval', 'always'])
    .optional()
    .describe('when records are on the disk: `"interval"` once a second, `"always"` after each write')
    .meta({ absent: '`"interval"`' }),
  checkpoint_interval: duration()
    .optional()
    .describe('how often the end of the chain is signed; 1s to 24h')
    .meta({ absent: '`"5m"`' }),
  on_audit_failure: oneOf(['continue', 'deny'])
    .prefault('continue')
    .describe('what happens while records cannot be written: `"deny"` answers every request at a mount with 503'),
  anchor_file: filledText
    .optional()
    .describe('path, from the folder of the file: gets each checkpoint; best on another disk or host')
    .meta({ absent: 'the log has them' }),
}).transform((written, context): AuditTrailConfig => {
  const { enable, file, checkpoint_interval: intervalMs = 300_000 } = written
  if (enable === false && file !== undefined) refuseAt(context, ['file'], 'has no effect with enable = false')
  for (const key of fileKeys) {
    if (file === undefined && written[key] !== undefined) refuseAt(context, [key], 'has no effect without file')
  }
  if (intervalMs < minInterval || intervalMs > maxInterval) {
    refuseAt(context, ['checkpoint_interval'], 'must be from "1s" to "24h"')
  }
  return {
    isEnabled: enable,
    file,
    maxBytes: written.max_size ?? 50 * units.MB,
    maxAgeMs: written.max_age,
    keep: written.keep ?? 20,
    fsync: written.fsync ?? 'interval',
    checkpointIntervalMs: intervalMs,
    onFailure: written.on_audit_failure,
    anchorFile: written.anchor_file,
  }
})

/** With absolute paths, which start from `home`. */
export function createAuditTrail({ audit_trail: trail }: Deployment, home: string): AuditTrailConfig {
  const { file, anchorFile } = trail
  return { ...trail, file: file && resolve(home, file), anchorFile: anchorFile && resolve(home, anchorFile) }
}
