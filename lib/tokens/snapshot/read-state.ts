/**
 * Reads what the process before has left: its last snapshot, and the journal of what has changed since.
 *
 * @module
 */

import { readFrames, type StateFileKind, UnusableStateError } from './sealed-frames.js'

/** A key with the value that it has from now on; without one it is gone. */
export type Change = readonly [key: string, value?: unknown]

/** What is written in one go. */
export interface Frame {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly changes: readonly Change[]
  /** Of the last frame of a snapshot: whether the process went on, or has stopped with it. */
  readonly end?: 'running' | 'stopped'
}

/** What there was. */
export interface RestoredState {
  readonly entries: ReadonlyMap<string, unknown>
  /** The last sign of life of the process before, in milliseconds since the epoch. */
  readonly seenAt: number
  /** Whether it has ended by itself: then nothing is newer than this. */
  readonly isStopped: boolean
  /** Whether the journal ends within a frame, which is left out. */
  readonly isTorn: boolean
}

export interface ReadStateOptions {
  readonly file: string
  readonly key: Uint8Array
  readonly maxAgeMs: number
  readonly now: number
}

/** The journal of the snapshot with this id. */
export function journalPath(file: string, id: string): string {
  return `${file}.${id}.journal`
}

/**
 * Reads snapshot and journal. A frame at the end of the journal that is not complete was never answered for, and is left out.
 * `undefined`: there is no snapshot.
 *
 * @throws {@link UnusableStateError} for whatever cannot be taken as it is; what the file system throws.
 */
export async function readState({ file, key, maxAgeMs, now }: ReadStateOptions): Promise<RestoredState | undefined> {
  const entries = new Map<string, unknown>()
  let last: Frame | undefined
  const snapshot = await readInto('snapshot', file)
  if (snapshot === undefined) return undefined
  const end = last?.end
  if (snapshot.isTorn || end === undefined) throw new UnusableStateError('is cut off')
  let journal: { readonly id: string; readonly isTorn: boolean } | undefined
  try {
    journal = await readInto('journal', journalPath(file, snapshot.id))
  } catch (error) {
    throw error instanceof UnusableStateError ? new UnusableStateError(`has a journal that ${error.message}`) : error
  }
  if (journal === undefined) throw new UnusableStateError('has no journal beside it')
  if (journal.id !== snapshot.id) throw new UnusableStateError('has the journal of another snapshot')
  const seenAt = last!.at
  if (Math.abs(now - seenAt) > maxAgeMs) {
    throw new UnusableStateError(`is from ${new Date(seenAt).toISOString()}, too far from now for snapshot_max_age`)
  }
  return { entries, seenAt, isStopped: end === 'stopped', isTorn: journal.isTorn }

  /** `undefined`: the file is not there. */
  async function readInto(kind: StateFileKind, path: string) {
    const frames = readFrames(path, kind, key)
    try {
      for (;;) {
        const { done, value } = await frames.next()
        if (done) return value
        if (kind === 'snapshot' && last?.end !== undefined) throw new UnusableStateError('goes on behind its end')
        last = JSON.parse(value) as Frame
        for (const change of last.changes) {
          if (change.length === 1) entries.delete(change[0])
          else entries.set(change[0], change[1])
        }
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}
