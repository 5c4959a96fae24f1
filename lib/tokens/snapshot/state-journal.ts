/**
 * Keeps the state of one process in files: a snapshot now and then, and a journal of each change since.
 *
 * A snapshot is replaced in an order that leaves, at each moment, one snapshot with its journal that have all that was answered:
 *
 * ```text
 * draft written and synced -> its journal made and synced -> draft renamed over the snapshot -> journal before it removed
 * ```
 *
 * Until the draft is renamed, changes go into the journal before it, and at the end of the draft as well.
 *
 * @module
 */

import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inBackground } from '../../async/background.js'
import { createMutex } from '../../async/mutex.js'
import { StoreError } from '../../core/errors.js'
import { FileLockedError } from '../../files/lock.js'
import { JournalFile } from './journal-file.js'
import type { StateJournalOptions, StatePart } from './journal-options.js'
import type { Change, Frame, RestoredState } from './read-state.js'
import { SnapshotDraft } from './snapshot-draft.js'
import { realFiles, type StateFiles } from './state-files.js'

interface WaitingWrite {
  readonly changes: readonly Change[]
  readonly isSynced: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** After a snapshot so many times as long as it took is rested, however large it is. */
const restFactor = 10

/** While nothing changes, the journal gets signs of life only. A snapshot makes it short again. */
const maxJournalBytes = 1024 * 1024

/** A store changes its own state first and then hands the change over, in one turn: so the order of changes is that of the store. */
export class StateJournal {
  /** Set by what is kept in the next snapshot, and not in the journal. */
  isDirty = true
  readonly #options: StateJournalOptions
  readonly #files: StateFiles
  #key: Uint8Array
  readonly #parts: StatePart[] = []
  readonly #oneAtATime = createMutex()
  /** `undefined`: there is none that could be written, and nothing is taken. */
  #journal: JournalFile | undefined
  readonly #queue: WaitingWrite[] = []
  #isPumping = false
  /** What has changed since the snapshot that is being written was begun. */
  #changesSince: Change[] | undefined
  #replacing: Promise<void> | undefined
  #restsUntil = 0
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  /** What was logged since something failed. */
  readonly #toldEffects = new Set<string>()

  constructor(options: StateJournalOptions) {
    this.#options = options
    this.#key = options.key
    this.#files = options.files ?? realFiles
  }

  /** Uses another key from the next snapshot on. */
  useKey(key: Uint8Array): void {
    this.#key = key
    this.isDirty = true
  }

  /** Path of the journal in use. */
  get path(): string | undefined {
    return this.#journal?.path
  }

  addPart(part: StatePart): void {
    this.#parts.push(part)
  }

  /**
   * Restores what there was, and writes the first snapshot. Rejects with `StoreError` where it cannot be written; it is tried again
   * until `close`.
   */
  async start(state: RestoredState | undefined): Promise<void> {
    if (state !== undefined) for (const part of this.#parts) part.restore(state)
    this.#timer = setInterval(() => inBackground(() => this.#tick()), this.#options.intervalMs).unref()
    await this.#replace('running')
    this.assertWritable()
  }

  /** @throws StoreError while nothing can be written. */
  assertWritable(): void {
    if (this.#closing !== undefined) throw new StoreError('the snapshot was closed')
    this.#openJournal()
  }

  /**
   * Resolves when the changes are written, and survive the end of the process; with `isSynced` also that of the machine. Rejects with
   * `StoreError` where they may be written or not.
   */
  write(changes: readonly Change[], isSynced: boolean): Promise<void> {
    this.isDirty ||= changes.length > 0
    // Also where it is refused: the store has changed, and the next snapshot must not have what it has no more.
    this.#changesSince?.push(...changes)
    return new Promise((resolve, reject) => {
      this.assertWritable()
      this.#queue.push({ changes, isSynced, resolve, reject })
      this.#pump()
    })
  }

  /** As {@link write} with `isSynced`, for all that was written before. `undefined` where all of it is synced. */
  settle(): undefined | Promise<void> {
    this.assertWritable()
    return this.#isPumping || !this.#openJournal().isSynced ? this.write([], true) : undefined
  }

  /** Writes the last snapshot. Nothing can be written from then on. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    await this.#replacing
    while (this.#isPumping) await this.#oneAtATime(nextTurn)
    await this.#replace('stopped')
    await this.#journal?.close()
    this.#journal = undefined
  }

  async #tick(): Promise<void> {
    await this.#oneAtATime(() => this.#giveSign()).catch(() => undefined)
    if (this.#closing !== undefined) return
    this.isDirty ||= this.#parts.some((part) => part.isOutdated?.())
    const isDue = this.isDirty || this.#journal === undefined || this.#journal.bytes > maxJournalBytes
    if (isDue && this.#replacing === undefined && performance.now() >= this.#restsUntil) await this.#replace('running')
  }

  /** Where the lock cannot be confirmed now, writes ask again once it is due. */
  async #giveSign(): Promise<void> {
    try {
      this.#options.confirmLock(false)
    } catch (cause) {
      if (cause instanceof FileLockedError) this.#giveUpJournal(cause)
    }
    if (this.#journal !== undefined) await this.#append([])
  }

  #openJournal(): JournalFile {
    if (this.#journal === undefined) throw new StoreError('the journal of the snapshot cannot be written')
    return this.#journal
  }

  /** Whatever waits while a frame is written and synced goes into the next one together. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    inBackground(async () => {
      while (this.#queue.length > 0) await this.#oneAtATime(() => this.#writeQueue())
      this.#isPumping = false
    })
  }

  async #writeQueue(): Promise<void> {
    const writes = this.#queue.splice(0)
    const changes = writes.flatMap((write) => write.changes)
    try {
      this.#options.confirmLock(true)
      if (changes.length > 0) await this.#append(changes)
      for (const { isSynced, resolve } of writes) if (!isSynced) resolve()
      if (!writes.some(({ isSynced }) => isSynced)) return
      await this.#openJournal().sync()
      for (const { resolve } of writes) resolve()
    } catch (cause) {
      this.#giveUpJournal(cause)
      for (const { reject } of writes) reject(new StoreError('the journal of the snapshot was not written', { cause }))
    }
  }

  /** To be called one at a time. Without changes it is a sign of life. */
  async #append(changes: readonly Change[]): Promise<void> {
    try {
      const frame: Frame = { at: this.#options.clock(), changes }
      await this.#openJournal().append(JSON.stringify(frame))
    } catch (cause) {
      this.#giveUpJournal(cause)
      throw cause
    }
  }

  /** Nothing is written behind a write that has failed. The next snapshot has a journal of its own. */
  #giveUpJournal(cause: unknown): void {
    const journal = this.#journal
    if (journal === undefined) return
    this.#journal = undefined
    this.#tellFailure(cause, 'logins and logouts are refused with 503 until it can')
    inBackground(() => journal.close())
  }

  #tellFailure(cause: unknown, effect: string): void {
    if (this.#toldEffects.has(effect)) return
    this.#toldEffects.add(effect)
    const { file, logger } = this.#options
    logger.error({ file, cause }, `the snapshot, or its journal, cannot be written: ${effect}`)
  }

  #replace(end: 'running' | 'stopped'): Promise<void> {
    const startedAt = performance.now()
    this.#replacing = this.#writeSnapshot(end)
      .catch((cause: unknown) => {
        this.isDirty = true
        this.#tellFailure(cause, 'it is tried again')
      })
      .finally(() => {
        this.#replacing = undefined
        this.#changesSince = undefined
        const now = performance.now()
        this.#restsUntil = now + (now - startedAt) * restFactor
      })
    return this.#replacing
  }

  async #writeSnapshot(end: 'running' | 'stopped'): Promise<void> {
    const { file, clock, logger } = this.#options
    this.#changesSince = []
    this.isDirty = false
    const entries = this.#parts.flatMap((part) => [...part.entries()])
    const journalBefore = this.#journal
    const draft = new SnapshotDraft({ files: this.#files, snapshot: file, key: this.#key, clock })
    try {
      await draft.begin(entries)
      await this.#oneAtATime(async () => {
        const changes = this.#changesSince!
        this.#changesSince = []
        await draft.finish(changes, end)
        await this.#exchange(draft)
      })
    } catch (error) {
      await this.#files.remove(draft.path).catch(() => undefined)
      throw error
    } finally {
      await draft.close()
    }
    if (this.#toldEffects.size > 0) logger.warn({ file }, 'the snapshot can be written again')
    this.#toldEffects.clear()
    if (journalBefore === undefined) return
    await journalBefore.close()
    await this.#files.remove(journalBefore.path).catch(() => undefined)
  }

  /** Puts the draft in its place, and takes its journal into use. */
  async #exchange({ path, id, key }: SnapshotDraft): Promise<void> {
    const { file, confirmLock } = this.#options
    confirmLock(false)
    const journal = await JournalFile.create({ files: this.#files, snapshot: file, id, key })
    try {
      await this.#files.rename(path, file)
    } catch (error) {
      // Done or not: which of the two journals will be read cannot be told.
      this.#giveUpJournal(error)
      await journal.close()
      throw error
    }
    this.#journal = journal
    // What was refused since the end of the draft. What waits is written once more, which changes nothing.
    const changes = this.#changesSince!
    this.#changesSince = undefined
    if (changes.length > 0) inBackground(() => this.write(changes, false))
    await this.#files.syncFolder(dirname(file)).catch(() => undefined)
  }
}
