/**
 * Searches the files of a trail, newest record first, within bounds: by the bytes of what is searched for, and only what has them is
 * parsed.
 *
 * @module
 */

import { type FileHandle, open } from 'node:fs/promises'
import { readFlags } from '../files/read-file.js'
import type { AuditRecord } from './audit-record.js'
import { listTrailFiles, maxLineBytes, readFirstLine } from './trail-files.js'

/** What is searched for. Texts are compared whole. */
export interface AuditQuery {
  /** Who did it, as whom it was done, or to whom. */
  readonly user?: string | undefined
  readonly address?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  /** Milliseconds since the epoch: records of this moment and later. */
  readonly since?: number | undefined
  /** Records before this moment. */
  readonly until?: number | undefined
  readonly offset: number
  readonly limit: number
}

export interface AuditPage {
  /** Records of this page. */
  readonly count: number
  /** Records of all pages; at least so many where `isComplete` is `false`. */
  readonly total: number
  /** `false`: the search ended at its bounds, and older records were not looked at. */
  readonly isComplete: boolean
  readonly list: readonly AuditRecord[]
}

const blockBytes = 512 * 1024

/** Bounds of a search, once the page is full. */
const maxBytes = 64 * 1024 * 1024
const maxParsed = 2000

/** A search that finds nothing ends as well. */
const maxBytesWithoutPage = 1024 * 1024 * 1024
const maxParsedWithoutPage = 100_000

/** A clock may have been set back by so much within a file. */
const clockSlackMs = 600_000

/** What all lines that are meant have. */
function needleFor({ user, address, action, outcome }: AuditQuery): Buffer | undefined {
  const needles = [
    user === undefined ? undefined : `:${JSON.stringify(user)}`,
    address === undefined ? undefined : `"address":${JSON.stringify(address)}`,
    action === undefined ? undefined : `"action":${JSON.stringify(action)}`,
    outcome === undefined ? undefined : `"outcome":${JSON.stringify(outcome)}`,
  ]
  const needle = needles.find((text) => text !== undefined)
  return needle === undefined ? undefined : Buffer.from(needle)
}

function matches(record: AuditRecord, { user, address, action, outcome }: AuditQuery): boolean {
  if (action !== undefined && record.action !== action) return false
  if (outcome !== undefined && record.outcome !== outcome) return false
  if (address !== undefined && record.address !== address) return false
  return user === undefined || users(record).includes(user)
}

function users({ actor, impersonator, target, details }: AuditRecord): readonly unknown[] {
  return [actor, impersonator, target?.type === 'user' ? target.id : undefined, details?.['user']]
}

/** Finds records. Rejects with what the file system throws. */
export async function searchTrail(file: string, query: AuditQuery): Promise<AuditPage> {
  const files = [...(await listTrailFiles(file))].reverse()
  const search = new Search(query)
  for (const name of files) {
    const handle = await open(name, readFlags).catch(unlessMissing)
    // Another search, or a rotation, goes on meanwhile.
    if (handle === undefined) continue
    try {
      await search.read(handle)
    } finally {
      await handle.close()
    }
    if (search.isDone) break
  }
  const { list, total, isComplete } = search
  const all = search.countsAll && files.length > 0 ? await countAll(files.at(-1)!, search.newest) : undefined
  return { count: list.length, total: all ?? total, isComplete: all !== undefined || isComplete, list }
}

/** The sequence counts the records: those of the oldest file begin with its first. */
async function countAll(oldest: string, newest: number): Promise<number | undefined> {
  const [, first] = /^\{"sequence":(\d+),/.exec((await readFirstLine(oldest)).toString('latin1')) ?? []
  return first === undefined ? undefined : Math.max(0, newest - Number(first) + 1)
}

/** The state of one search. */
class Search {
  readonly list: AuditRecord[] = []
  total = 0
  /** Sequence of the newest record. */
  newest = 0
  isDone = false
  isComplete = true
  /** Whether every record is meant. */
  readonly countsAll: boolean
  readonly #query: AuditQuery
  readonly #needle: Buffer | undefined
  /** As the records write moments: their order is that of the texts. */
  readonly #since: string
  readonly #until: string
  readonly #hasTimes: boolean
  readonly #buffer = Buffer.allocUnsafe(blockBytes + maxLineBytes)
  #bytes = 0
  #parsed = 0
  #lowest = Number.POSITIVE_INFINITY

  constructor(query: AuditQuery) {
    this.#query = query
    this.#needle = needleFor(query)
    const { since, until } = query
    this.#hasTimes = since !== undefined || until !== undefined
    this.countsAll = this.#needle === undefined && !this.#hasTimes
    this.#since = momentText(since) ?? ''
    this.#until = momentText(until) ?? '~'
  }

  /** Reads a file from its end. */
  async read(handle: FileHandle): Promise<void> {
    let { size: position } = await handle.stat()
    // The end of a line whose beginning is in the block before.
    let restLength = 0
    while (position > 0 && !this.isDone) {
      const length = Math.min(blockBytes, position)
      position -= length
      this.#buffer.copyWithin(length, 0, restLength)
      const { bytesRead } = await handle.read(this.#buffer, 0, length, position)
      // It was cut meanwhile.
      if (bytesRead < length) break
      const bytes = this.#buffer.subarray(0, length + restLength)
      const newline = position === 0 ? -1 : bytes.indexOf(10)
      const start = position === 0 ? 0 : newline === -1 ? bytes.length : newline + 1
      restLength = start > maxLineBytes ? 0 : start
      this.#bytes += bytesRead
      this.#readLines(bytes.subarray(start))
      this.#checkBounds()
    }
  }

  /** Newest first. */
  #readLines(bytes: Buffer): void {
    for (let end = bytes.length; end > 0 && !this.isDone; ) {
      // The `\n` of the line before the end.
      const found = this.#needle === undefined ? end - 1 : bytes.lastIndexOf(this.#needle, end - 1)
      if (found < 0) break
      const from = found === 0 ? 0 : bytes.lastIndexOf(10, found - 1) + 1
      const lineEnd = bytes.indexOf(10, found)
      if (lineEnd !== -1 && lineEnd < end) this.#take(bytes.subarray(from, lineEnd))
      end = from
    }
    if (this.#query.since !== undefined && bytes.length > 0) this.#endBefore(bytes, this.#query.since)
  }

  #take(line: Buffer): void {
    // The sequence counts them, but for the newest.
    if (this.countsAll && this.newest > 0 && this.total < this.#query.offset) {
      this.total++
      return
    }
    if (this.#hasTimes) {
      const time = timeOf(line)
      if (time === undefined || time < this.#since || time >= this.#until) return
    }
    this.#parsed++
    const record = parseRecord(line)
    // What a rotation has moved comes again.
    if (record === undefined || record.sequence >= this.#lowest || !matches(record, this.#query)) return
    this.#lowest = record.sequence
    this.newest = Math.max(this.newest, record.sequence)
    const { offset, limit } = this.#query
    if (this.total >= offset && this.list.length < limit) this.list.push(record)
    this.total++
    if (this.countsAll && this.list.length === limit) this.isDone = true
  }

  /** Older blocks have older records. */
  #endBefore(bytes: Buffer, since: number): void {
    const newestLine = bytes.subarray(bytes.lastIndexOf(10, bytes.length - 2) + 1)
    const time = timeOf(newestLine)
    if (time !== undefined && Date.parse(time) < since - clockSlackMs) this.isDone = true
  }

  #checkBounds(): void {
    if (this.isDone) return
    const isFull = this.list.length === this.#query.limit
    const isBeyond = isFull
      ? this.#bytes > maxBytes || this.#parsed > maxParsed
      : this.#bytes > maxBytesWithoutPage || this.#parsed > maxParsedWithoutPage
    if (!isBeyond) return
    this.isDone = true
    this.isComplete = false
  }
}

function timeOf(line: Buffer): string | undefined {
  return /^\{"sequence":\d+,"time":"([^"]+)"/.exec(line.toString('latin1', 0, 96))?.[1]
}

/** The last moment that a date can be, in milliseconds since the epoch. */
const maxMoment = 8.64e15

function momentText(moment: number | undefined): string | undefined {
  return moment === undefined ? undefined : new Date(Math.max(-maxMoment, Math.min(moment, maxMoment))).toISOString()
}

/** `undefined` for what is no record: a damaged line is found by the verification, not here. */
export function parseRecord(line: Buffer): AuditRecord | undefined {
  try {
    const record = JSON.parse(line.toString()) as Partial<AuditRecord> | null
    return typeof record?.sequence === 'number' && typeof record.time === 'string' && typeof record.action === 'string'
      ? (record as AuditRecord)
      : undefined
  } catch {
    return undefined
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
