/**
 * The token store of a single process whose tokens outlive it.
 *
 * @module
 */

import { inBackground } from '../../async/background.js'
import { systemClock } from '../../core/clock.js'
import { MemoryTokenStore, type MemoryTokenStoreOptions } from '../memory/memory-token-store.js'
import { getExpiry, type PoolFill, type TokenQuery, type TokenRecord, type TokenStore } from '../token-store.js'
import type { Change, RestoredState } from './read-state.js'
import type { StateJournal } from './state-journal.js'

/** Options of {@link SnapshotTokenStore}. */
export interface SnapshotTokenStoreOptions extends MemoryTokenStoreOptions {
  readonly journal: StateJournal
  /** How much newer than the last sign of life a use may be, where the process before did not end by itself. */
  readonly slackMs: number
}

const prefix = 'token '

/**
 * Keeps tokens as {@link MemoryTokenStore} does, and writes down what changes before it answers. Look-ups are those of memory. While
 * nothing can be written, tokens are looked up and removed, and adding and removing reject with `StoreError`.
 */
export class SnapshotTokenStore implements TokenStore {
  readonly #tokens: MemoryTokenStore
  readonly #journal: StateJournal
  readonly #clock: () => number
  readonly #slackMs: number
  /** When the first session of the last snapshot ends by idleness. */
  #firstEnd = Number.POSITIVE_INFINITY

  constructor({ journal, slackMs, clock = systemClock, ...options }: SnapshotTokenStoreOptions) {
    this.#journal = journal
    this.#clock = clock
    this.#slackMs = slackMs
    this.#tokens = new MemoryTokenStore({ ...options, clock, onRemove: (record) => this.#noteRemoval(record) })
    journal.addPart({
      entries: () => this.#liveEntries(),
      isOutdated: () => this.#clock() >= this.#firstEnd,
      restore: (state) => this.#restore(state),
    })
  }

  find(id: string): TokenRecord | undefined {
    return this.#tokens.find(id)
  }

  async add(record: TokenRecord): Promise<boolean> {
    this.#journal.assertWritable()
    if (!this.#tokens.add(record)) return false
    try {
      await this.#journal.write([changeTo(this.#tokens.find(record.id)!)], false)
      return true
    } catch (error) {
      this.#tokens.remove(record.id)
      throw error
    }
  }

  touch(id: string, at: number): void {
    this.#tokens.touch(id, at)
    this.#journal.isDirty = true
  }

  /** Also what is not there any more: the one who has removed it may still wait. */
  async remove(id: string): Promise<boolean> {
    const wasThere = this.#tokens.remove(id)
    await this.#journal.settle()
    return wasThere
  }

  async removeBySubject(subject: string): Promise<number> {
    const count = this.#tokens.removeBySubject(subject)
    await this.#journal.settle()
    return count
  }

  list(query?: TokenQuery): readonly TokenRecord[] {
    return this.#tokens.list(query)
  }

  fill(): readonly PoolFill[] {
    return this.#tokens.fill()
  }

  /** Writes the last snapshot, of everything that the journal is for. */
  async close(): Promise<void> {
    await this.#journal.close()
    this.#tokens.close()
  }

  /** Without what has ended: as its last use may be later than the snapshot says, it would live again after a crash. */
  #liveEntries(): Change[] {
    const now = this.#clock()
    const live = this.#tokens.records().filter((record) => now < getExpiry(record))
    const idle = live.filter(({ idleTimeoutMs }) => idleTimeoutMs !== undefined)
    this.#firstEnd = idle.reduce((first, record) => Math.min(first, getExpiry(record)), Number.POSITIVE_INFINITY)
    return live.map(changeTo)
  }

  /** What ends at a fixed time needs no note. What has been idle for too long does: see {@link SnapshotTokenStoreOptions.slackMs}. */
  #noteRemoval({ id, expiresAt }: TokenRecord): void {
    if (this.#clock() < expiresAt) inBackground(() => this.#journal.write([[prefix + id]], false))
  }

  /** The last uses before a crash are not known: no session ends early by that. */
  #restore({ entries, seenAt, isStopped }: RestoredState): void {
    const now = this.#clock()
    const lastUse = isStopped ? 0 : Math.min(now, seenAt + this.#slackMs)
    const records: TokenRecord[] = []
    for (const [key, value] of entries) if (key.startsWith(prefix)) records.push(value as TokenRecord)
    records.sort((left, right) => left.lastAccessAt - right.lastAccessAt)
    for (const record of records) {
      if (record.idleTimeoutMs !== undefined) record.lastAccessAt = Math.max(record.lastAccessAt, lastUse)
      if (now < getExpiry(record)) this.#tokens.add(record)
    }
  }
}

function changeTo(record: TokenRecord): Change {
  return [prefix + record.id, record]
}
