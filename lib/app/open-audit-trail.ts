/**
 * The audit trail that a configuration asks for, and what is refused while it cannot be written.
 *
 * @module
 */

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inBackground } from '../async/background.js'
import { within } from '../async/deadline.js'
import type { AuditSink } from '../audit/audit-record.js'
import { AuditTrail } from '../audit/audit-trail.js'
import { createCheckpointKey } from '../audit/checkpoint.js'
import { TrailFile } from '../audit/trail-file.js'
import type { Config } from '../config/config.js'
import { ConfigError, type ConfigProblem, type HttpError, UnavailableError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { Gate } from '../http/gate.js'
import { type KeySet, secretsFrom } from '../tokens/keys/signing-key.js'

/** What the trail of a front works with. */
export interface OpenAuditParts {
  readonly keySet: Pick<KeySet, 'privateKey'>
  readonly events: SecurityEvents
  /** The app's. */
  readonly sink: AuditSink | undefined
  /** `true`: what stands for a front in a test, or answers questions about one, never touches its file. */
  readonly isTest: boolean
  readonly logger: Logger
  readonly clock: () => number
}

/** Secret bytes that the key of the checkpoints is made of: who has the key of the tokens has it too. */
export function checkpointSeed(config: Config, { privateKey }: Pick<KeySet, 'privateKey'>): Buffer {
  return secretsFrom(privateKey, config.managementApi.token.issuer)('audit trail')
}

/** Makes the trail. Events are kept from now on, and written once {@link startAuditTrail} has resolved. `undefined`: there is none. */
export async function openAuditTrail(config: Config, parts: OpenAuditParts): Promise<AuditTrail | undefined> {
  const { auditTrail } = config
  const { keySet, events, sink, isTest, logger, clock } = parts
  const { file, isEnabled = file !== undefined || sink !== undefined } = auditTrail
  if (!isEnabled || (isTest && sink === undefined)) return undefined
  const key = await createCheckpointKey(checkpointSeed(config, keySet))
  const trailFile = file === undefined || isTest ? undefined : new TrailFile({ ...auditTrail, file })
  const trail = new AuditTrail({ ...auditTrail, file: trailFile, sink, key, logger, clock })
  events.recordWith(trail.record)
  return trail
}

/** How long a file system may take to say whether a file can be written. */
const accessMs = 5000

/** The files of a trail that cannot be written, or made: a folder may be missing. Nothing is made. */
export async function auditFileProblems({ auditTrail }: Config): Promise<readonly ConfigProblem[]> {
  const { file, anchorFile } = auditTrail
  const named = Object.entries({ file, anchor_file: anchorFile })
  const found = await Promise.all(
    named.map(async ([name, path]) => {
      const cause = path === undefined ? undefined : await obstacleTo(path)
      return cause === undefined ? [] : [{ key: `audit_trail.${name}`, rule: `cannot be used: ${cause.message}` }]
    }),
  )
  return found.flat()
}

async function obstacleTo(path: string): Promise<Error | undefined> {
  const mayWrite = (name: string): Promise<void> =>
    within(access(name, constants.W_OK), accessMs, () => new Error(`no answer within ${accessMs} ms`))
  try {
    await mayWrite(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return mayWrite(dirname(path))
    })
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** Rejects with `ConfigError` where a file cannot be used: another process has it, or it cannot be opened. */
export async function startAuditTrail(config: Config, trail: AuditTrail | undefined): Promise<void> {
  if (trail === undefined) return
  const problems = trail.status().file === null ? [] : await auditFileProblems(config)
  if (problems.length > 0) throw new ConfigError(problems)
  try {
    await trail.start()
  } catch (cause) {
    const rule = `cannot be used: ${(cause as Error).message}`
    throw new ConfigError([{ key: 'audit_trail.file', rule }], { cause })
  }
}

/** Checkpoints are signed with what the key of the tokens leads to. It does not throw. */
export function useAuditKey(config: Config, trail: AuditTrail | undefined, keySet: Pick<KeySet, 'privateKey'>): void {
  inBackground(async () => trail?.useKey(await createCheckpointKey(checkpointSeed(config, keySet))))
}

/** The refusal (503, `ERR_AUDIT_UNAVAILABLE`) while records cannot be written, where the configuration says `deny`. */
export type AuditRefusal = () => HttpError | undefined

export function auditRefusal({ auditTrail }: Config, trail: AuditTrail | undefined): AuditRefusal {
  if (trail === undefined || auditTrail.onFailure === 'continue') return () => undefined
  return () =>
    trail.isFailing
      ? new UnavailableError('ERR_AUDIT_UNAVAILABLE', 'The server cannot keep its records at present.')
      : undefined
}

/** Probes are answered: who asks them must learn that the process runs. */
const probes = /^\/health\/(?:live|ready)\/?$/i

export function auditGate(refusal: AuditRefusal): Gate {
  return function auditGate({ path }) {
    const error = refusal()
    return error === undefined || probes.test(path) ? undefined : error
  }
}
