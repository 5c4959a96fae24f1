/**
 * The audit trail of a front: one record for each event, in a chain, to a file, a function or the log.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { createMutex } from '../async/mutex.js'
import type { EventRecorder } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { AnchorFile } from './anchor-file.js'
import type { AuditEntry, AuditRecord, AuditSink, AuditStatus, TrailAction } from './audit-record.js'
import { type ChainEnd, chainEntry, chainStart } from './chain.js'
import type { CheckpointKey } from './checkpoint.js'
import { createDelivery } from './delivery.js'
import { readEvent } from './read-event.js'
import { RecordQueue } from './record-queue.js'
import type { Resumption, TrailFile } from './trail-file.js'

/** Options of {@link AuditTrail}. */
export interface AuditTrailOptions {
  /** `undefined`: the chain begins anew with each process. */
  readonly file: TrailFile | undefined
  /** Called with each record, after it was written to the file. `undefined`: none is; without a file, the log gets the records. */
  readonly sink: AuditSink | undefined
  readonly key: CheckpointKey
  readonly checkpointIntervalMs: number
  /** Gets each checkpoint as a line. */
  readonly anchorFile: string | undefined
  /** Milliseconds after which a write counts as failed that has not ended. @defaultValue 5000 */
  readonly overdueMs?: number | undefined
  readonly logger: Logger
  readonly clock: () => number
}

const tickMs = 1000

/** A write to a disk that hangs counts as failed after so long. */
const overdueMs = 5000

/** A rotation that failed is tried again after so long. */
const rotationPauseMs = 60_000

/** Its events are recorded from the beginning, and written from {@link AuditTrail.start} on. */
export class AuditTrail {
  readonly #options: AuditTrailOptions
  readonly #queue: RecordQueue<AuditEntry>
  readonly #deliveries: RecordQueue<AuditRecord>
  #key: CheckpointKey
  #end: ChainEnd = chainStart
  #hasStarted = false
  #started: Promise<void> | undefined
  #markStarted: () => void = () => {}
  #lastWriteAt: number | undefined
  #lastCheckpoint: AuditStatus['lastCheckpoint'] = null
  readonly #anchor: AnchorFile | undefined
  readonly #oneAtATime = createMutex()
  #rotateFrom = Number.NEGATIVE_INFINITY
  #timers: NodeJS.Timeout[] = []

  constructor(options: AuditTrailOptions) {
    this.#options = options
    this.#key = options.key
    this.#started = new Promise((resolve) => {
      this.#markStarted = resolve
    })
    const { logger, anchorFile } = options
    const file = options.file?.path
    if (anchorFile !== undefined) {
      this.#anchor = new AnchorFile({ path: anchorFile, sync: async () => options.file?.sync(), logger })
    }
    const messages = (
      what: string,
    ): Pick<ConstructorParameters<typeof RecordQueue>[0], 'onFailure' | 'onRecovery'> => ({
      onFailure: (cause) => logger.error({ file, cause }, `the audit trail cannot be written to ${what}`),
      onRecovery: (lost) => {
        logger.warn({ file, lost }, `the audit trail can be written to ${what} again`)
        if (lost > 0) this.#note('recordsLost', 'failure', { count: lost, sink: what })
      },
    })
    this.#queue = new RecordQueue({
      write: (entries) => this.#write(entries),
      overdueMs: options.overdueMs ?? overdueMs,
      ...messages(file === undefined ? 'the chain' : 'its file'),
    })
    const onLost = (sequence: number): void =>
      this.#note('recordsLost', 'failure', { count: 1, sequence, sink: 'its function' })
    this.#deliveries = new RecordQueue({ write: createDelivery(options, onLost), ...messages('its function') })
  }

  /** Records an event. One that cannot be read, such as one with an invalid time, counts as lost. */
  readonly record: EventRecorder = (name, event) => {
    let entry: AuditEntry
    try {
      entry = readEvent(name, event)
    } catch (cause) {
      this.#options.logger.error({ event: name, cause }, 'an event cannot be read for the audit trail')
      this.#note('recordsLost', 'failure', { count: 1, event: name })
      return
    }
    this.#queue.push(entry)
  }

  /** Begins to write. Rejects with what {@link TrailFile.start} rejects with. */
  async start(): Promise<void> {
    const { file, checkpointIntervalMs, logger } = this.#options
    const found = await file?.start()
    if (found !== undefined) this.#end = found.end
    this.#hasStarted = true
    this.#note('trailStarted', 'success', {
      kid: this.#key.publicJwk.kid,
      ...(found !== undefined && found.tornBytes > 0 && { tornBytes: found.tornBytes }),
    })
    if (file !== undefined) this.#report(file.path, found!)
    this.#checkpoint()
    logger.info({ file: file?.path, after: this.#end, key: this.#key.publicJwk }, 'the audit trail begins')
    this.#timers = [
      setInterval(() => this.#checkpoint(), checkpointIntervalMs).unref(),
      setInterval(() => inBackground(() => this.#tick()), tickMs).unref(),
    ]
    this.#markStarted()
  }

  #report(file: string, { tornBytes, damaged }: Resumption): void {
    const { logger } = this.#options
    if (tornBytes > 0) {
      logger.warn(
        { file, tornBytes },
        'the audit trail ended within a line, which was removed: the process had not ended by itself',
      )
    }
    if (damaged === undefined) return
    logger.error(
      { file, damaged },
      'the last line of the audit trail is not what was written: see "npx sallyport audit verify"',
    )
    this.#note('trailDamaged', 'failure', { problem: 'the last line was not what was written', file: damaged })
  }

  /** Signs with a key from now on. It does not throw. */
  useKey(key: CheckpointKey): void {
    if (key.publicJwk.kid === this.#key.publicJwk.kid) return
    this.#key = key
    const { logger, file } = this.#options
    logger.info({ file: file?.path, key: key.publicJwk }, 'checkpoints of the audit trail are signed by another key')
  }

  /** Whether records cannot be written at present. */
  get isFailing(): boolean {
    return this.#queue.failure !== undefined || this.#deliveries.failure !== undefined
  }

  status(): AuditStatus {
    const failure = this.#queue.failure ?? this.#deliveries.failure
    const error = failure ?? this.#anchor?.failure
    return {
      state: failure !== undefined ? 'failing' : error !== undefined ? 'degraded' : 'ok',
      file: this.#options.file?.path ?? null,
      sequence: this.#end.sequence,
      lastWriteAt: this.#lastWriteAt === undefined ? null : new Date(this.#lastWriteAt).toISOString(),
      lagMs: Math.max(this.#queue.lagMs, this.#deliveries.lagMs),
      queued: this.#queue.size + this.#deliveries.size,
      lastCheckpoint: this.#lastCheckpoint,
      error: error === undefined ? null : error instanceof Error ? error.message : 'what was thrown is no Error',
    }
  }

  /** Resolves when what was recorded so far is written, or cannot be written now. */
  async settle(): Promise<void> {
    await this.#queue.settle()
  }

  /** Writes what waits, and a last checkpoint. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    if (!this.#hasStarted) return
    this.#note('trailStopped', 'success')
    this.#checkpoint()
    const unwritten = (await this.#queue.close()) + (await this.#deliveries.close())
    const { file, logger } = this.#options
    if (unwritten > 0)
      logger.error({ file: file?.path, unwritten }, 'the audit trail has ended with records that could not be written')
    await this.#anchor?.close()
    await file?.close()
  }

  /** A checkpoint is signed when its turn comes: it is about the line before it. */
  #checkpoint(): void {
    if (this.#options.file !== undefined) this.#note('checkpoint', 'success')
  }

  #note(action: TrailAction, outcome: AuditEntry['outcome'], details?: AuditEntry['details']): void {
    this.#queue.push(this.#createNote(action, outcome, details))
  }

  #createNote(action: TrailAction, outcome: AuditEntry['outcome'], details?: AuditEntry['details']): AuditEntry {
    const { clock, file } = this.#options
    const target = { type: 'trail', id: file?.path ?? 'process' } as const
    const entry = { time: new Date(clock()).toISOString(), action, outcome, actor: null, address: null, target }
    return details === undefined ? entry : { ...entry, details }
  }

  async #write(entries: readonly AuditEntry[]): Promise<void> {
    await this.#started
    await this.#oneAtATime(async () => {
      const { clock, file } = this.#options
      const now = clock()
      if (file?.isFull(now) && now >= this.#rotateFrom) await this.#rotate(file)
      await this.#append(entries)
    })
  }

  async #append(entries: readonly AuditEntry[]): Promise<void> {
    const { clock, file } = this.#options
    const records: AuditRecord[] = []
    const signed: { readonly jws: string; readonly sequence: number; readonly time: string }[] = []
    let end = this.#end
    let text = ''
    for (const plain of entries) {
      const isCheckpoint = plain.action === 'checkpoint'
      const covered = signed.at(-1)?.sequence ?? this.#lastCheckpoint?.sequence
      // Nothing has happened since the last one.
      if (isCheckpoint && (end.sequence === 0 || end.sequence - 1 === covered)) continue
      let entry = plain
      if (isCheckpoint) {
        const { sequence, hash } = end
        const jws = await this.#key.sign({ sequence, hash, time: plain.time })
        signed.push({ jws, sequence, time: plain.time })
        entry = { ...plain, details: { signature: jws } }
      }
      const { record, line } = chainEntry(entry, end)
      records.push(record)
      text += line
      end = record
    }
    const [first] = records
    if (first === undefined) return
    await file?.append(text, first)
    this.#end = { sequence: end.sequence, hash: end.hash }
    this.#lastWriteAt = clock()
    if (this.#options.sink !== undefined) for (const record of records) this.#deliveries.push(freeze(record))
    else if (file === undefined)
      for (const record of records) this.#options.logger.info({ audit: record }, 'audit record')
    for (const { jws, sequence, time } of signed) {
      this.#lastCheckpoint = { sequence, time }
      this.#options.logger.info({ file: file?.path, sequence, checkpoint: jws }, 'checkpoint of the audit trail')
      this.#anchor?.push(jws)
    }
  }

  /** Where that fails, the file that is there is written on. */
  async #rotate(file: TrailFile): Promise<void> {
    const { logger, clock } = this.#options
    try {
      await this.#append([this.#createNote('checkpoint', 'success')])
      const through = await file.rotate()
      if (through === 0) return
      // Unsigned, anybody who can remove files could have written it.
      this.#note('filesRemoved', 'success', { through })
      this.#checkpoint()
    } catch (cause) {
      this.#rotateFrom = clock() + rotationPauseMs
      logger.error({ file: file.path, cause }, 'the audit trail cannot be rotated')
    }
  }

  async #tick(): Promise<void> {
    const { file, logger } = this.#options
    if (file === undefined) return
    try {
      // A slow disk must not hold up the writes meanwhile.
      await file.sync()
      const problem = await this.#oneAtATime(() => file.check())
      if (problem === undefined) return
      logger.error({ file: file.path }, `the audit trail ${problem}: see "npx sallyport audit verify"`)
      this.#note('trailDamaged', 'failure', { problem })
    } catch (cause) {
      logger.error({ file: file.path, cause }, 'the audit trail cannot be checked')
    }
  }
}

function freeze(record: AuditRecord): AuditRecord {
  for (const value of Object.values(record)) if (typeof value === 'object') Object.freeze(value)
  for (const value of Object.values(record.details ?? {})) Object.freeze(value)
  return Object.freeze(record)
}
