/**
 * The files of a trail: the one that is written, and beside it those that were rotated, named by the sequence of their first line.
 *
 * @module
 */

import { open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readFlags } from '../files/read-file.js'
import { type ChainLink, readLink } from './chain.js'

const digits = 15

/** `audit.log` becomes `audit.log.000000000000001`. */
export function rotatedName(file: string, firstSequence: number): string {
  return `${file}.${String(firstSequence).padStart(digits, '0')}`
}

/** The rotated files, oldest first. */
export async function listRotated(file: string): Promise<readonly string[]> {
  const start = `${basename(file)}.`
  const names = await readdir(dirname(file))
  const rotated = names.filter((name) => name.startsWith(start) && /^\d{15}$/.test(name.slice(start.length)))
  return rotated.sort().map((name) => join(dirname(file), name))
}

/** All files, oldest first: those that were rotated, and the one that is written where it is there. */
export async function listTrailFiles(file: string): Promise<readonly string[]> {
  const names = await readdir(dirname(file))
  return [...(await listRotated(file)), ...(names.includes(basename(file)) ? [file] : [])]
}

/** The sequence of the first line of a file, as its name says; `undefined` for the one that is written. */
export function sequenceInName(file: string): number | undefined {
  const [, text] = /\.(\d{15})$/.exec(file) ?? []
  return text === undefined ? undefined : Number(text)
}

/** Longer than any line that is written here: a damaged file may have none that ends. */
export const maxLineBytes = 1024 * 1024

const blockBytes = 1024 * 1024

/** A line without its `\n`. It is good until the next one is asked for. */
export interface Line {
  readonly bytes: Buffer
  /** 1 for the first of the file. */
  readonly number: number
  /** `false` for bytes after the last `\n`, and for a piece of a line that is too long. */
  readonly isWhole: boolean
}

/** Reads the lines of a file in order, in blocks: the lines of each at once, which is faster than one by one. */
export async function* readLines(file: string): AsyncGenerator<readonly Line[], void, void> {
  const handle = await open(file, readFlags)
  try {
    let rest: Buffer = Buffer.alloc(0)
    let number = 1
    // One byte more than there is: then the end shows at once.
    const length = Math.min(blockBytes, (await handle.stat()).size + 1)
    for (;;) {
      const block = Buffer.allocUnsafe(length)
      const { bytesRead } = await handle.read(block, 0, length, null)
      if (bytesRead === 0) break
      const read = block.subarray(0, bytesRead)
      const text = rest.length === 0 ? read : Buffer.concat([rest, read])
      const lines: Line[] = []
      let from = 0
      for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, from)) {
        lines.push({ bytes: text.subarray(from, end), number: number++, isWhole: true })
        from = end + 1
      }
      rest = text.subarray(from)
      if (rest.length > maxLineBytes) {
        lines.push({ bytes: rest, number, isWhole: false })
        rest = Buffer.alloc(0)
      }
      yield lines
    }
    if (rest.length > 0) yield [{ bytes: rest, number, isWhole: false }]
  } finally {
    await handle.close()
  }
}

/** How a file ends. */
export interface FileEnd {
  /** Bytes of the file. */
  readonly size: number
  /** Bytes after the last `\n`: a line that was being written when the process ended. */
  readonly tornBytes: number
  /** The last line; `undefined` where there is none, or what is there is no line of a trail. */
  readonly last: ChainLink | undefined
  /** Whether there is a line at all. */
  readonly isEmpty: boolean
}

/** Reads the last line of a file, and no more. */
export async function readFileEnd(file: string): Promise<FileEnd> {
  const handle = await open(file, readFlags)
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, maxLineBytes)
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await handle.read(bytes, 0, length, size - length)
    const tail = bytes.subarray(0, bytesRead)
    const end = tail.lastIndexOf(10)
    // Where a whole megabyte has no end of a line, it is no trail.
    if (end === -1) return { size, tornBytes: size === length ? size : 0, last: undefined, isEmpty: size === length }
    const start = end === 0 ? -1 : tail.lastIndexOf(10, end - 1)
    const last = readLink(tail.subarray(start + 1, end))
    return { size, tornBytes: tail.length - end - 1, last, isEmpty: false }
  } finally {
    await handle.close()
  }
}

/** The last line of a file that is as it was written, and the first one; by reading all of it. */
export async function findIntactLines(
  file: string,
): Promise<{ readonly first: ChainLink | undefined; readonly last: ChainLink | undefined }> {
  let first: ChainLink | undefined
  let last: ChainLink | undefined
  for await (const lines of readLines(file)) {
    for (const { bytes, isWhole } of lines) {
      const link = isWhole ? readLink(bytes) : undefined
      if (!link?.isIntact) continue
      first ??= link
      last = link
    }
  }
  return { first, last }
}

/** The first line of a file, as far as it is one; with its time. */
export async function readFirstLine(file: string): Promise<Buffer> {
  const handle = await open(file, readFlags)
  try {
    const bytes = Buffer.alloc(4096)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    const read = bytes.subarray(0, bytesRead)
    const end = read.indexOf(10)
    return end === -1 ? read : read.subarray(0, end)
  } finally {
    await handle.close()
  }
}
