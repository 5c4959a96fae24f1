/**
 * Verifies the files of a trail: that every line is as it was written, in its place, and that none is missing; with keys, that the
 * checkpoints were signed by who has the key; with an anchor, that the end was not cut off.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import type { AuditRecord } from './audit-record.js'
import { type ChainEnd, type ChainLink, chainStart, isNext, readLink } from './chain.js'
import { type Checkpoint, CheckpointError, readCheckpoint } from './checkpoint.js'
import { parseRecord } from './search-trail.js'
import { readFirstLine, readLines, sequenceInName } from './trail-files.js'

/** Options of {@link verifyTrail}. */
export interface VerifyOptions {
  /** Public keys by `kid`, and under `''` one that is tried for all. `undefined`: no signature is verified. */
  readonly keys?: ReadonlyMap<string, KeyObject> | undefined
  /** Checkpoints that were kept elsewhere: compact JWS. */
  readonly anchors?: readonly string[] | undefined
  /** The files are a part of the trail: what is before the first line is not missed. @defaultValue false */
  readonly isPart?: boolean | undefined
}

/** Something that is not as it was written. */
export interface TrailProblem {
  readonly file: string
  /** `undefined`: it concerns the file, or the end of the trail. */
  readonly line: number | undefined
  readonly message: string
}

/** What a verification has found. */
export interface TrailVerdict {
  /** Lines that were read. */
  readonly lines: number
  /** Sequence of the first and of the last line; 0 without lines. */
  readonly first: number
  readonly last: number
  /** Up to here, lines are covered by a checkpoint whose signature was verified; 0 without keys or without one. */
  readonly signedThrough: number
  /** Lines that no checkpoint covered when the process was started anew: a checkpoint of that start says nothing of who wrote them. */
  readonly signedLate: number
  /** Time of the last checkpoint that was verified. */
  readonly signedAt: string | undefined
  /** Checkpoints in the files; without keys nobody knows who made them. */
  readonly checkpoints: number
  /** Anchors that were compared; those before the first line are not. */
  readonly anchors: number
  /** The first ones, in the order of the files. */
  readonly problems: readonly TrailProblem[]
  readonly problemCount: number
}

/** Problems that are told apart: what follows is seldom news. */
const maxProblems = 50

/** Rejects with what the file system throws. */
export async function verifyTrail(files: readonly string[], options: VerifyOptions = {}): Promise<TrailVerdict> {
  const verification = new Verification(options)
  await verification.readAnchors()
  const ordered = await inOrder(files)
  for (const file of ordered) await verification.readFile(file)
  return verification.conclude(ordered.at(-1) ?? '')
}

/** By what their first lines say: names can be changed. */
async function inOrder(files: readonly string[]): Promise<readonly string[]> {
  const firsts = await Promise.all(
    [...new Set(files)].map(async (file) => {
      const [, text] = /^\{"sequence":(\d{1,15}),/.exec((await readFirstLine(file)).toString('latin1')) ?? []
      const sequence = text === undefined ? (sequenceInName(file) ?? Number.MAX_SAFE_INTEGER) : Number(text)
      return { file, sequence }
    }),
  )
  return firsts.sort((left, right) => left.sequence - right.sequence).map(({ file }) => file)
}

interface Anchor extends Checkpoint {
  readonly jws: string
}

class Verification {
  readonly #options: VerifyOptions
  readonly #problems: TrailProblem[] = []
  #problemCount = 0
  #lines = 0
  #first = 0
  #last = 0
  #end: ChainEnd | undefined
  #signedThrough = 0
  #signedLate = 0
  #lateThrough = 0
  #signedAt: string | undefined
  #checkpoints = 0
  /** What the trail itself has removed: up to which line, and the line that says so. */
  readonly #removals: { readonly through: number; readonly sequence: number }[] = []
  /** By the sequence of the line that they sign. */
  readonly #anchors = new Map<number, Anchor>()
  #compared = 0
  #file = ''
  #line: number | undefined

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async readAnchors(): Promise<void> {
    const { anchors = [], keys } = this.#options
    this.#file = 'anchor'
    for (const [index, jws] of anchors.entries()) {
      this.#line = index + 1
      const checkpoint = await this.#readCheckpoint(jws, keys, 'the checkpoint')
      if (checkpoint === undefined) continue
      const other = this.#anchors.get(checkpoint.sequence)
      if (other !== undefined && other.hash !== checkpoint.hash) {
        this.#note(
          `there are two different checkpoints of line ${checkpoint.sequence}: the trail was begun anew before it`,
        )
      }
      this.#anchors.set(checkpoint.sequence, { ...checkpoint, jws })
    }
  }

  async readFile(file: string): Promise<void> {
    this.#file = file
    for await (const lines of readLines(file)) {
      for (const { bytes, number, isWhole } of lines) {
        this.#line = number
        this.#lines++
        const link = isWhole ? readLink(bytes) : undefined
        if (link === undefined) this.#note(isWhole ? 'is no line of a trail' : 'is not complete')
        // Without waiting for each: there are millions.
        else if (this.#readLine(link, bytes) === 'checkpoint') await this.#readSigned(link, parseRecord(bytes))
      }
    }
  }

  /** Returns the action where there is more to do. */
  #readLine(link: ChainLink, bytes: Buffer): string | undefined {
    if (!link.isIntact) this.#note(`line ${link.sequence} was changed: its hash is not that of what it says`)
    else this.#checkPlace(link)
    if (this.#end === undefined) this.#first = link.sequence
    this.#last = Math.max(this.#last, link.sequence)
    this.#end = link
    if (this.#anchors.size > 0) this.#checkAnchors(link, bytes)
    // To parse all lines would take as long as all the rest.
    const action = actionOf(link, bytes)
    if (action === 'filesRemoved') {
      const through = parseRecord(bytes)?.details?.['through']
      if (typeof through === 'number') this.#removals.push({ through, sequence: link.sequence })
    }
    if (action === 'trailStarted') this.#countLate(link.sequence - 1)
    return action
  }

  /** The last line before a start is the checkpoint of a clean end, which signs the line before it. */
  #countLate(through: number): void {
    if (this.#signedThrough >= through - 1) return
    this.#signedLate += through - Math.max(this.#signedThrough, this.#lateThrough)
    this.#lateThrough = through
  }

  #checkPlace(link: ChainLink): void {
    const { sequence } = link
    if (this.#end === undefined) {
      if (sequence === 1 && !isNext(link, chainStart)) this.#note('line 1 does not begin a trail')
      return
    }
    if (isNext(link, this.#end)) return
    const expected = this.#end.sequence + 1
    if (sequence > expected) this.#note(`${named(expected, sequence - 1)} missing before line ${sequence}`)
    else if (sequence < expected)
      this.#note(`line ${sequence} is not in its place: it comes after line ${this.#end.sequence}`)
    else this.#note(`line ${sequence} does not follow the line before it: one of the two was replaced`)
  }

  #checkAnchors(link: ChainLink, bytes: Buffer): void {
    const anchor = this.#anchors.get(link.sequence)
    if (anchor !== undefined) this.#compared++
    if (anchor !== undefined && anchor.hash !== link.hash) {
      this.#note(`line ${link.sequence} is not the one that the anchor names`)
    }
    const before = this.#anchors.get(link.sequence - 1)
    if (before !== undefined && !bytes.includes(`"signature":${JSON.stringify(before.jws)}`)) {
      this.#note(`line ${link.sequence} is not the checkpoint that the anchor has`)
    }
  }

  async #readSigned({ sequence, previous }: ChainLink, record: AuditRecord | undefined): Promise<void> {
    const jws = record?.details?.['signature']
    this.#checkpoints++
    const { keys } = this.#options
    if (keys === undefined) return
    const checkpoint = await this.#readCheckpoint(String(jws), keys, `the checkpoint in line ${sequence}`)
    if (checkpoint === undefined) return
    if (checkpoint.sequence !== sequence - 1 || checkpoint.hash !== previous) {
      this.#note(`the checkpoint in line ${sequence} is of another line`)
      return
    }
    this.#signedThrough = Math.max(this.#signedThrough, checkpoint.sequence)
    this.#signedAt = checkpoint.time
  }

  async #readCheckpoint(jws: string, keys: VerifyOptions['keys'], what: string): Promise<Checkpoint | undefined> {
    try {
      return await readCheckpoint(jws, keys)
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.#note(`${what} ${error.message}`)
      return undefined
    }
  }

  #note(message: string): void {
    this.#problemCount++
    if (this.#problems.length < maxProblems) this.#problems.push({ file: this.#file, line: this.#line, message })
  }

  conclude(lastFile: string): TrailVerdict {
    const { keys, anchors, isPart = false } = this.#options
    this.#file = lastFile
    this.#line = undefined
    if (this.#lines === 0) this.#note('there is no line')
    // With keys, a record that nobody has signed excuses nothing.
    const proven = this.#removals.filter(({ sequence }) => keys === undefined || sequence <= this.#signedThrough)
    const least = Math.max(0, ...proven.map(({ through }) => through)) + 1
    if (!isPart && this.#first > least) this.#note(`${named(least, this.#first - 1)} missing: there was a file before`)
    // The second line of a trail is a checkpoint: without it, it was cut off there, or is being written.
    const isYoung = anchors === undefined && this.#last === 1
    if (keys !== undefined && this.#checkpoints === 0 && this.#lines > 0 && !isPart && !isYoung) {
      this.#note('there is no checkpoint: nothing shows who wrote the lines')
    }
    const newest = Math.max(0, ...this.#anchors.keys())
    // The checkpoint that was anchored is a line itself.
    if (this.#anchors.size > 0 && newest + 1 > this.#last) {
      this.#note(
        `${named(this.#last + 1, newest + 1)} missing at the end: the anchor has a checkpoint in line ${newest + 1}`,
      )
    }
    return {
      lines: this.#lines,
      first: this.#first,
      last: this.#last,
      signedThrough: this.#signedThrough,
      signedLate: keys === undefined ? 0 : this.#signedLate,
      signedAt: this.#signedAt,
      checkpoints: this.#checkpoints,
      anchors: this.#compared,
      problems: this.#problems,
      problemCount: this.#problemCount,
    }
  }
}

/** The trail's own actions that say something of the lines around them. */
const ownActions = ['checkpoint', 'filesRemoved', 'trailStarted'].map((name) => ({
  name,
  bytes: Buffer.from(`,"action":"${name}",`),
}))

/** What stands between the sequence and the action: `,"time":"2026-11-29T15:00:00.000Z"`. */
const timeLength = 34

function actionOf({ sequence }: ChainLink, line: Buffer): string | undefined {
  const from = 12 + String(sequence).length + timeLength
  return ownActions.find(({ bytes }) => line.compare(bytes, 0, bytes.length, from, from + bytes.length) === 0)?.name
}

function named(from: number, to: number): string {
  return from === to ? `line ${from} is` : `lines ${from} to ${to} are`
}
