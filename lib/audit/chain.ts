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

const linkPattern = /^,"previous":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/
const linkLength = 153
/** From `,"hash"` to the end. */
const hashLength = 75

const startPattern = /^\{"sequence":([1-9]\d{0,14}),/
const startLength = 32

/** Reads a line without its `\n`; `undefined` for what is no line of a trail. */
export function readLink(line: Buffer): ChainLink | undefined {
  const end = linkPattern.exec(line.toString('latin1', Math.max(0, line.length - linkLength)))
  const start = startPattern.exec(line.toString('latin1', 0, startLength))
  if (end === null || start === null) return undefined
  const [, previous, hash] = end as unknown as [string, string, string]
  const isIntact = digest('sha256', line.subarray(0, line.length - hashLength), 'hex') === hash
  return { sequence: Number(start[1]), previous, hash, isIntact }
}

/** Whether a line is the one after `end`. */
export function isNext({ sequence, previous }: ChainLink, end: ChainEnd): boolean {
  return sequence === end.sequence + 1 && previous === end.hash
}
