/**
 * The file of a trail that is written: it is found again after a crash, appended to, rotated, and watched for others who touch it.
 *
 * @module
 */

import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FileLock, lockFile } from '../files/lock.js'
import { canonicalPath, syncFolder } from '../files/replace-file.js'
import type { AuditRecord } from './audit-record.js'
import { type ChainEnd, chainStart } from './chain.js'
import { findIntactLines, listRotated, readFileEnd, readFirstLine, rotatedName, sequenceInName } from './trail-files.js'

/** Options of {@link TrailFile}. */
export interface TrailFileOptions {
  readonly file: string
  /** A file of more bytes is rotated. */
  readonly maxBytes: number
  /** A file whose first record is older is rotated; `undefined`: age does not matter. */
  readonly maxAgeMs: number | undefined
  /** Rotated files that are kept. */
  readonly keep: number
  /** `always`: each write is on the disk before the next one; `interval`: once a second. */
  readonly fsync: 'always' | 'interval'
}

/** How a trail was found. */
export interface Resumption {
  readonly end: ChainEnd
  /** Bytes of a line that a crash has cut, which were removed. */
  readonly tornBytes: number
  /** The file whose last line is no longer what was written. It was put aside as a rotated file, as it is. */
  readonly damaged: string | undefined
}

/** A process of another host or container without a sign of life for so long has ended. */
const staleAfterMs = 30_000

/** Without O_NONBLOCK, to open a pipe that nobody reads would never end. */
const appendFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)

/** Appends lines. No method but `sync` may be called before another has ended. */
export class TrailFile {
  readonly path: string
  readonly #options: TrailFileOptions
  #lock: FileLock | undefined
  #handle: FileHandle | undefined
  #inode = 0
  #size = 0
  /** Of the file that is written; `undefined`: it has no record yet. */
  #first: Pick<AuditRecord, 'sequence' | 'time'> | undefined
  #isDirty = false
  #hasLeftovers = false
  #isClosed = false

  constructor(options: TrailFileOptions) {
    this.#options = options
    this.path = canonicalPath(options.file)
  }

  /** Takes the file for this process. Rejects with `FileLockedError` while another one has it, and with what the file system throws. */
  async start(): Promise<Resumption> {
    this.#lock = lockFile(this.path, { staleAfterMs })
    try {
      const resumption = await this.#resume()
      await this.#open()
      return resumption
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #resume(): Promise<Resumption> {
    const older = async (): Promise<ChainEnd> => {
      for (const file of [...(await listRotated(this.path))].reverse()) {
        const { last } = await readFileEnd(file)
        const found = last?.isIntact ? last : (await findIntactLines(file)).last
        if (found !== undefined) return found
      }
      return chainStart
    }
    const found = await readFileEnd(this.path).catch(unlessMissing)
    if (found === undefined) return { end: await older(), tornBytes: 0, damaged: undefined }
    const { size, tornBytes, last, isEmpty } = found
    if (tornBytes > 0) await this.#truncate(size - tornBytes)
    if (isEmpty) return { end: await older(), tornBytes, damaged: undefined }
    if (last?.isIntact) {
      this.#first = await readFirst(this.path)
      return { end: last, tornBytes, damaged: undefined }
    }
    const intact = await findIntactLines(this.path)
    const end = intact.last ?? (await older())
    const damaged = rotatedName(this.path, intact.first?.sequence ?? end.sequence + 1)
    await this.#renameTo(damaged)
    return { end, tornBytes, damaged }
  }

  async #truncate(size: number): Promise<void> {
    const handle = await open(this.path, 'r+')
    try {
      await handle.truncate(size)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.path, appendFlags, 0o600)
    const { size, ino } = await handle.stat()
    // What a failed write has left there is no line.
    const isCut = this.#hasLeftovers && ino === this.#inode && size > this.#size
    if (isCut) await handle.truncate(this.#size)
    this.#hasLeftovers = false
    if (!isCut) this.#size = size
    this.#inode = ino
    if (this.#size === 0) {
      this.#first = undefined
      syncFolder(dirname(this.path))
    }
    this.#handle = handle
    return handle
  }

  /** Appends all of the text or nothing. `first` is the record that it begins with. */
  async append(text: string, first: Pick<AuditRecord, 'sequence' | 'time'>): Promise<void> {
    if (this.#isClosed) throw new Error(`${this.path} is closed`)
    this.#lock?.confirm(staleAfterMs / 2)
    const handle = this.#handle ?? (await this.#open())
    const bytes = Buffer.from(text)
    try {
      for (let written = 0; written < bytes.length; ) {
        written += (await handle.write(bytes, written)).bytesWritten
      }
      if (this.#options.fsync === 'always') await handle.datasync()
    } catch (error) {
      // On a full disk, part of it may be there.
      await handle.truncate(this.#size).catch(() => {
        this.#hasLeftovers = true
        return this.#forgetHandle()
      })
      throw error
    }
    this.#size += bytes.length
    this.#first ??= first
    this.#isDirty = true
  }

  /** Whether the next record belongs into another file. */
  isFull(now: number): boolean {
    if (this.#first === undefined) return false
    const { maxBytes, maxAgeMs = Number.POSITIVE_INFINITY } = this.#options
    return this.#size >= maxBytes || now - Date.parse(this.#first.time) >= maxAgeMs
  }

  /**
   * Puts the file aside, so that the next record begins another one, and removes the oldest files. Resolves with the sequence up to
   * which records were removed; 0: none was.
   */
  async rotate(): Promise<number> {
    if (this.#first === undefined) return 0
    await this.sync()
    const { sequence } = this.#first
    await this.#renameTo(rotatedName(this.path, sequence))
    this.#first = undefined
    await this.#forgetHandle()
    const rotated = await this.#listOwn(sequence)
    const removed = rotated.slice(0, Math.max(0, rotated.length - this.#options.keep))
    for (const file of removed) await rm(file, { force: true })
    return removed.length === 0 ? 0 : sequenceInName(rotated[removed.length]!)! - 1
  }

  /** Rotated files up to a sequence that begin as their names say: with others put beside them, the front would remove its own. */
  async #listOwn(through: number): Promise<readonly string[]> {
    const own: string[] = []
    for (const file of await listRotated(this.path)) {
      const first = sequenceInName(file)
      if (first! <= through && (await readFirst(file))?.sequence === first) own.push(file)
    }
    return own
  }

  async #renameTo(name: string): Promise<void> {
    if ((await stat(name).catch(unlessMissing)) !== undefined) throw new Error(`${name} is there already`)
    await rename(this.path, name)
    syncFolder(dirname(this.path))
  }

  /** Makes sure that what was written is on the disk. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return
    this.#isDirty = false
    try {
      await this.#handle?.datasync()
    } catch (error) {
      this.#isDirty = true
      throw error
    }
  }

  /**
   * Gives a sign of life, and looks whether the file is as this process has left it. Resolves with what is wrong with it; then the
   * next record is written to the file that is there, or to a new one.
   */
  async check(): Promise<string | undefined> {
    this.#lock?.confirm(staleAfterMs / 3)
    if (this.#handle === undefined) return undefined
    const found = await stat(this.path).catch(unlessMissing)
    const problem =
      found === undefined || found.ino !== this.#inode
        ? 'was moved or removed while it was written'
        : found.size === this.#size
          ? undefined
          : `has ${found.size} bytes in place of ${this.#size}`
    if (problem !== undefined) await this.#forgetHandle()
    return problem
  }

  async #forgetHandle(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    try {
      await this.sync()
    } finally {
      await this.#forgetHandle()
      this.#lock?.release()
      this.#lock = undefined
    }
  }
}

/** For the age of the file. */
async function readFirst(file: string): Promise<Pick<AuditRecord, 'sequence' | 'time'> | undefined> {
  const text = (await readFirstLine(file)).toString('latin1')
  const [, sequence, time] = /^\{"sequence":(\d+),"time":"([^"]+)"/.exec(text) ?? []
  return sequence === undefined ? undefined : { sequence: Number(sequence), time: time! }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
