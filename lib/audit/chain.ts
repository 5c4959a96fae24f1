/**
 * The chain: each line has the hash of the line before it, and its own.
 *
 * A line is one JSON object. It begins with `{"sequence":N,` and ends with `,"previous":"..","hash":".."}`, so that it can be checked
 * without being parsed: `hash` is the SHA-256 of the bytes of the line up to `,"hash"`.
 *
 * @module
 */

import { hash as digest } from 'node:crypto'
import type { AuditEntry, AuditRecord } from './audit-record.js'

/** The end of a chain: what the next line follows. */
export interface ChainEnd {
  /** 0: there is no line yet. */
  readonly sequence: number
  readonly hash: string
}

/** Before the first line. */
export const chainStart: ChainEnd = { sequence: 0, hash: '0'.repeat(64) }

/** A record, and its line with the `\n`. */
export interface ChainedRecord {
  readonly record: AuditRecord
  readonly line: string
}

/** Gives an entry its place after `end`. */
export function chainEntry(entry: AuditEntry, { sequence, hash: previous }: ChainEnd): ChainedRecord {
  const unsigned = { sequence: sequence + 1, ...entry, previous }
  const text = JSON.stringify(unsigned).slice(0, -1)
  const hash = digest('sha256', text, 'hex')
  return { record: { ...unsigned, hash }, line: `${text},"hash":"${hash}"}\n` }
}

/** What a line says of its place. */
export interface ChainLink extends ChainEnd {
  readonly previous: string
  /** Whether the line is as it was written, as far as its own hash says. */
  readonly isIntact: boolean
}

const start = '{"sequence":'
const beforePrevious = ',"previous":"'
const beforeHash = '","hash":"'
const end = '"}'

/** Of a line: from `,"previous"` to the end, and from `,"hash"` to the end. */
const linkLength = 153
const hashLength = 75

/** Longer than the beginning of any line up to its sequence. */
const startLength = 32

/** Reads a line without its `\n`; `undefined` for what is no line of a trail. Slow checks would make a million of lines slow. */
export function readLink(line: Buffer): ChainLink | undefined {
  if (line.length < linkLength + startLength) return undefined
  const head = line.toString('latin1', 0, startLength)
  const link = line.toString('latin1', line.length - linkLength)
  const sequence = Number.parseInt(head.slice(start.length), 10)
  const isLine =
    head.startsWith(`${start}${sequence},`) &&
    Number.isSafeInteger(sequence) &&
    link.startsWith(beforePrevious) &&
    link.startsWith(beforeHash, beforePrevious.length + 64) &&
    link.endsWith(end)
  if (!isLine) return undefined
  const previous = link.slice(beforePrevious.length, beforePrevious.length + 64)
  const hash = link.slice(-64 - end.length, -end.length)
  return { sequence, previous, hash, isIntact: digest('sha256', line.subarray(0, -hashLength), 'hex') === hash }
}

/** Whether a line is the one after `end`. */
export function isNext({ sequence, previous }: ChainLink, before: ChainEnd): boolean {
  return sequence === before.sequence + 1 && previous === before.hash
}
