/**
 * What the authorization server of a single process keeps, so that it outlives the process.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import type { Change, RestoredState } from '../tokens/snapshot/read-state.js'
import type { StateJournal } from '../tokens/snapshot/state-journal.js'
import {
  type EntryModel,
  MemoryOauthStore,
  type OauthEntry,
  type OauthStore,
  type OauthStoreOptions,
  type RemovedEntry,
} from './oauth-store.js'

/** Options of {@link SnapshotOauthStore}. */
export interface SnapshotOauthStoreOptions extends OauthStoreOptions {
  readonly journal: StateJournal
}

const prefix = 'oauth '

/**
 * Keeps entries as {@link MemoryOauthStore} does, and writes down what changes before it answers: what ends is synced. Each method but
 * the look-ups rejects with `StoreError` while nothing can be written; what is removed is removed all the same.
 */
export class SnapshotOauthStore implements OauthStore {
  readonly #entries: MemoryOauthStore
  readonly #journal: StateJournal

  constructor({ journal, ...options }: SnapshotOauthStoreOptions) {
    this.#journal = journal
    const onEvict = (entries: readonly RemovedEntry[]): void => {
      this.#noteRemovals(entries)
      options.onEvict(entries)
    }
    this.#entries = new MemoryOauthStore({ ...options, onEvict })
    journal.addPart({
      entries: () => this.#entries.entries().map(changeTo),
      restore: (state) => this.#restore(state, options.clock()),
    })
  }

  find(model: EntryModel, id: string): OauthEntry | undefined {
    return this.#entries.find(model, id)
  }

  findSession(uid: string): OauthEntry | undefined {
    return this.#entries.findSession(uid)
  }

  async put(entry: OauthEntry): Promise<void> {
    this.#journal.assertWritable()
    this.#entries.put(entry)
    await this.#write(entry, false)
  }

  async rename(model: 'AccessToken', from: string, to: string): Promise<boolean> {
    this.#journal.assertWritable()
    if (!this.#entries.rename(model, from, to)) return false
    this.#noteRemovals([{ model, id: from }])
    await this.#write({ model, id: to }, false)
    return true
  }

  async consume(model: EntryModel, id: string): Promise<boolean> {
    this.#journal.assertWritable()
    if (!this.#entries.consume(model, id)) return false
    await this.#write({ model, id }, true)
    return true
  }

  async consumeAgain(model: EntryModel, id: string, windowMs: number): Promise<boolean> {
    this.#journal.assertWritable()
    if (!this.#entries.consumeAgain(model, id, windowMs)) return false
    await this.#write({ model, id }, true)
    return true
  }

  async remove(model: EntryModel, id: string): Promise<readonly RemovedEntry[]> {
    return this.#synced(this.#entries.remove(model, id))
  }

  async removeMembers(grantId: string): Promise<readonly RemovedEntry[]> {
    return this.#synced(this.#entries.removeMembers(grantId))
  }

  /** Its entries are needed for the last snapshot, which is written when the journal is closed. */
  close(): void {}

  async #synced(removed: readonly RemovedEntry[]): Promise<readonly RemovedEntry[]> {
    this.#noteRemovals(removed)
    await this.#journal.settle()
    return removed
  }

  #noteRemovals(entries: readonly RemovedEntry[]): void {
    if (entries.length > 0)
      inBackground(() =>
        this.#journal.write(
          entries.map(({ model, id }) => [key(model, id)]),
          false,
        ),
      )
  }

  /** What is there now: an entry whose grant has ended is not. */
  async #write({ model, id }: RemovedEntry, isSynced: boolean): Promise<void> {
    const entry = this.#entries.find(model, id)
    if (entry !== undefined) await this.#journal.write([changeTo(entry)], isSynced)
  }

  /** What belongs to a grant after the grants. */
  #restore({ entries }: RestoredState, now: number): void {
    const kept: OauthEntry[] = []
    for (const [name, value] of entries) if (name.startsWith(prefix)) kept.push(value as OauthEntry)
    const isMember = ({ grantId }: OauthEntry): boolean => grantId !== undefined
    for (const entry of [...kept.filter((entry) => !isMember(entry)), ...kept.filter(isMember)]) {
      if (now < entry.expiresAt) this.#entries.put(entry)
    }
  }
}

function key(model: EntryModel, id: string): string {
  return `${prefix}${model} ${id}`
}

function changeTo(entry: OauthEntry): Change {
  return [key(entry.model, entry.id), entry]
}
