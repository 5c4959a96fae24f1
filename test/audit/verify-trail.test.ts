import { createPublicKey, type KeyObject } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnchors } from '../../lib/audit/anchor-file.js'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import { type ChainEnd, chainEntry, chainStart } from '../../lib/audit/chain.js'
import { createCheckpointKey } from '../../lib/audit/checkpoint.js'
import { listTrailFiles } from '../../lib/audit/trail-files.js'
import { type TrailVerdict, type VerifyOptions, verifyTrail } from '../../lib/audit/verify-trail.js'
import { openTrail, readRecords, seed } from './open-trail.js'

async function keysFrom(secret: Buffer): Promise<ReadonlyMap<string, KeyObject>> {
  const { publicJwk } = await createCheckpointKey(secret)
  return new Map([[publicJwk.kid, createPublicKey({ key: publicJwk as never, format: 'jwk' })]])
}

interface Written {
  readonly file: string
  readonly options: VerifyOptions
}

/** A trail of some files, closed. */
async function writeTrail(rounds = 8): Promise<Written> {
  const { trail, file, anchorFile, login } = await openTrail({ maxBytes: 3000 })
  for (let round = 0; round < rounds; round++) {
    login(5, `user-${round}`)
    await trail.settle()
  }
  await trail.close()
  const anchors = readAnchors(readFileSync(anchorFile, 'utf8'))
  return { file, options: { keys: await keysFrom(seed), anchors } }
}

async function verify({ file, options }: Written, changes: VerifyOptions = {}): Promise<TrailVerdict> {
  return verifyTrail(await listTrailFiles(file), { ...options, ...changes })
}

const messages = ({ problems }: TrailVerdict): string => problems.map(({ message }) => message).join('\n')

/** Writes the lines of a file anew. */
function edit(file: string, change: (lines: string[]) => readonly string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

describe('the verification of a trail', () => {
  it('finds nothing in what was written, in whatever order the files are named', async () => {
    const written = await writeTrail()
    const files = await listTrailFiles(written.file)
    expect(files.length).toBeGreaterThan(2)
    const verdict = await verifyTrail([...files].reverse(), written.options)
    const last = readRecords(...files).length
    expect(verdict).toMatchObject({ first: 1, last, lines: last, signedThrough: last - 1, problemCount: 0 })
    expect(verdict.anchors).toBe(written.options.anchors!.length)
  })

  it.each<[string, (lines: string[]) => readonly string[], RegExp]>([
    ['a changed line', (lines) => lines.with(2, lines[2]!.replace('user-0', 'user-9')), /^line 3 was changed/],
    ['a missing line', (lines) => lines.toSpliced(2, 1), /^line 3 is missing before line 4/],
    ['missing lines', (lines) => lines.toSpliced(2, 3), /^lines 3 to 5 are missing before line 6/],
    [
      'two lines in the other order',
      (lines) => lines.with(2, lines[3]!).with(3, lines[2]!),
      /line 3 is not in its place/,
    ],
    ['a line that is there twice', (lines) => lines.toSpliced(3, 0, lines[2]!), /^line 3 is not in its place/],
    ['a line of something else', (lines) => lines.toSpliced(3, 0, '{"sequence":4}'), /^is no line of a trail/],
    ['an empty line', (lines) => lines.toSpliced(3, 0, ''), /^is no line of a trail/],
    ['the first line cut off', (lines) => lines.slice(1), /line 1 is missing: there was a file before/],
  ])('finds %s, and says where', async (_name, change, expected) => {
    const written = await writeTrail()
    const [file] = await listTrailFiles(written.file)
    edit(file!, change)
    const verdict = await verify(written, { keys: undefined, anchors: undefined })
    expect(messages(verdict)).toMatch(expected)
    expect(verdict.problems[0]!.file).toBe(messages(verdict).includes('file before') ? written.file : file)
  })

  it('finds a line that was written anew with the right hashes, by the checkpoint after it', async () => {
    const written = await writeTrail(1)
    rewrite(written.file, 2)
    expect(await verify(written, { keys: undefined, anchors: undefined })).toMatchObject({ problemCount: 0 })
    expect(messages(await verify(written, { anchors: undefined }))).toMatch(
      /^the checkpoint in line \d+ is of another line/,
    )
    expect(messages(await verify(written, { keys: undefined }))).toMatch(/is not the one that the anchor names/)
  })

  it('finds a trail that was written anew by who has another key, or none', async () => {
    const written = await writeTrail(1)
    const other = await openTrail({ key: await createCheckpointKey(Buffer.alloc(32, 8)) })
    other.login(20)
    await other.trail.close()
    const forged = { ...written, file: other.file }
    expect(messages(await verify(forged, { anchors: undefined }))).toMatch(
      /is signed by the key [\w-]{43}, which was not given/,
    )
    edit(other.file, (lines) => lines.filter((line) => !line.includes('"action":"checkpoint"')))
    rewrite(other.file, 0)
    expect(messages(await verify(forged, { anchors: undefined }))).toBe(
      'there is no checkpoint: nothing shows who wrote the lines',
    )
    expect(messages(await verify(forged, { keys: undefined }))).toMatch(/is not the one that the anchor names/)
  })

  it('takes no signature for another, and none of something else', async () => {
    const written = await writeTrail(1)
    const [anchor = ''] = written.options.anchors!
    for (const [jws, expected] of [
      [`${anchor.slice(0, -4)}AAAA`, 'has a signature that is wrong'],
      [
        anchor.replace(/^[^.]+/, Buffer.from('{"alg":"none","typ":"sallyport-audit"}').toString('base64url')),
        'was not given',
      ],
      [anchor.replace(/^[^.]+/, Buffer.from('{"alg":"EdDSA"}').toString('base64url')), 'is no checkpoint'],
      ['x.y', 'is no checkpoint'],
    ]) {
      expect(messages(await verify(written, { anchors: [jws!] }))).toContain(expected)
    }
  })

  it('finds the end cut off by any number of lines when it has the anchor, and not without', async () => {
    const written = await writeTrail(1)
    const count = readRecords(written.file).length
    for (let kept = 1; kept < count; kept++) {
      edit(written.file, (lines) => lines.slice(0, -1))
      expect(messages(await verify(written)), `${count - kept} lines`).toMatch(/missing at the end: the anchor has/)
    }
    expect(messages(await verify(written, { keys: undefined, anchors: undefined }))).toBe('')
  })

  it('finds an end that was cut and written on by the front itself', async () => {
    const written = await writeTrail(1)
    edit(written.file, (lines) => lines.slice(0, 3))
    const next = await openTrail({ file: written.file })
    next.login(20)
    await next.trail.close()
    const verdict = await verify(written, { anchors: readAnchors(readFileSync(`${written.file}-anchor`, 'utf8')) })
    expect(messages(verdict)).toMatch(/is not the one that the anchor names/)
  })

  it('finds the trail of another instance with the same key in the place of this one when it has the anchor, and not without', async () => {
    const [own, longer, shorter] = [await writeTrail(), await writeTrail(10), await writeTrail(3)]
    for (const other of [longer, shorter]) {
      const { keys } = other.options
      expect(messages(await verify(other, { anchors: undefined, keys }))).toBe('')
      expect(messages(await verify(other, own.options))).not.toBe('')
    }
  })

  it('misses the beginning where a record that is not signed says that the trail has removed it', async () => {
    const written = await writeTrail()
    const [oldest, second] = await listTrailFiles(written.file)
    const [next] = readRecords(second!)
    const last = readRecords(written.file).at(-1)!
    rmSync(oldest!)
    const details = { through: next!.sequence - 1 }
    const entry = {
      time: last.time,
      action: 'filesRemoved',
      outcome: 'success',
      actor: null,
      address: null,
      details,
    } as const
    appendFileSync(written.file, chainEntry({ ...entry, target: { type: 'trail', id: written.file } }, last).line)
    expect(messages(await verify(written))).toBe(
      `lines 1 to ${next!.sequence - 1} are missing: there was a file before`,
    )
  })

  it('counts the lines that only a later start has signed, and none after a clean end', async () => {
    const written = await writeTrail(1)
    const restart = async (): Promise<TrailVerdict> => {
      const next = await openTrail({ file: written.file })
      next.login(3)
      await next.trail.close()
      return verify(written, { anchors: undefined })
    }
    expect(await restart()).toMatchObject({ problemCount: 0, signedLate: 0 })
    let end: ChainEnd = chainStart
    let text = ''
    for (const { sequence, previous, hash, ...entry } of readRecords(written.file)) {
      if (entry.action === 'checkpoint') continue
      const { record, line } = chainEntry({ ...entry, actor: 'bob' }, end)
      text += line
      end = record
    }
    writeFileSync(written.file, text)
    expect(await restart()).toMatchObject({ problemCount: 0, signedLate: end.sequence })
  })

  it('goes by what files say, not by their names', async () => {
    const written = await writeTrail()
    const [one, other] = await listTrailFiles(written.file)
    const text = readFileSync(one!)
    writeFileSync(one!, readFileSync(other!))
    writeFileSync(other!, text)
    expect(messages(await verify(written))).toBe('')
  })

  it('misses a rotated file, and does not where it is told that the files are a part', async () => {
    const written = await writeTrail()
    const [oldest, second, ...others] = await listTrailFiles(written.file)
    rmSync(second!)
    expect(messages(await verify(written))).toMatch(/lines \d+ to \d+ are missing before line/)
    expect(messages(await verifyTrail(others, written.options))).toMatch(/there was a file before/)
    expect(await verifyTrail(others, { ...written.options, isPart: true })).toMatchObject({ problemCount: 0 })
    expect(await verifyTrail([oldest!], { keys: written.options.keys })).toMatchObject({ problemCount: 0 })
  })
})

/** Gives all lines from one on the hashes that they would have, as who can write the file could. */
function rewrite(file: string, from: number): void {
  edit(file, (lines) => {
    const first = JSON.parse(lines[0]!) as AuditRecord
    let end: { sequence: number; hash: string } = { sequence: first.sequence - 1, hash: first.previous }
    return lines.map((line, index) => {
      const { sequence, previous, hash, ...entry } = JSON.parse(line)
      const changed = index === from ? { ...entry, actor: 'mallory' } : entry
      const { record, line: written } = chainEntry(changed, end)
      end = record
      return written.slice(0, -1)
    })
  })
}

describe('random tampering', () => {
  /** Of each kind; there are ten. */
  const runs = 100

  type Tamper = (files: readonly string[], at: number, by: number) => void

  const pick = (files: readonly string[], at: number): string => files[at % files.length]!

  /** Another file than {@link pick} gives. */
  const pickOther = (files: readonly string[], at: number, by: number): string =>
    pick(files, (at % files.length) + 1 + (by % (files.length - 1)))

  const tamperings: Readonly<Record<string, Tamper>> = {
    bit(files, at, by) {
      const file = pick(files, at)
      const bytes = readFileSync(file)
      bytes[by % bytes.length]! ^= 1 << (at % 8)
      writeFileSync(file, bytes)
    },
    cutBytes(files, at, by) {
      const file = pick(files, at)
      const bytes = readFileSync(file)
      const start = by % bytes.length
      writeFileSync(file, Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + (at % 700))]))
    },
    missingLines(files, at, by) {
      edit(pick(files, at), (lines) => lines.toSpliced(by % lines.length, 1 + (at % 5)))
    },
    order(files, at, by) {
      edit(pick(files, at), (lines) => {
        const [from, to] = [by % lines.length, (by * 7 + 1) % lines.length]
        const other = from === to ? (to + 1) % lines.length : to
        return lines.with(from, lines[other]!).with(other, lines[from]!)
      })
    },
    duplicate(files, at, by) {
      edit(pick(files, at), (lines) => lines.toSpliced(by % (lines.length + 1), 0, lines[at % lines.length]!))
    },
    inserted(files, at, by) {
      edit(pick(files, at), (lines) => {
        const place = by % (lines.length + 1)
        const before = place === 0 ? chainStart : (JSON.parse(lines[place - 1]!) as typeof chainStart)
        const { line } = chainEntry({ ...JSON.parse(lines[at % lines.length]!), actor: 'mallory' }, before)
        return lines.toSpliced(place, 0, line.slice(0, -1))
      })
    },
    tail(files, at) {
      let left = 1 + (at % readRecords(...files).length)
      for (const file of [...files].reverse()) {
        const count = readRecords(file).length
        if (left >= count) rmSync(file)
        else edit(file, (lines) => lines.slice(0, count - left))
        left -= Math.min(left, count)
      }
    },
    rotation(files, at) {
      rmSync(pick(files, at))
    },
    replacedFile(files, at, by) {
      writeFileSync(pick(files, at), readFileSync(pickOther(files, at, by)))
    },
    rewritten(files, at, by) {
      const file = pick(files, at)
      // The very last line is the checkpoint: it signs what is before it.
      rewrite(file, by % (readRecords(file).length - 1))
    },
  }

  it.each(Object.entries(tamperings))('is found: %s', async (_kind, tamper) => {
    const written = await writeTrail(4)
    const folder = dirname(written.file)
    const originals = new Map((await listTrailFiles(written.file)).map((file) => [file, readFileSync(file)]))
    expect(originals.size).toBeGreaterThan(2)
    const number = fc.nat(1_000_000)
    const property = fc.asyncProperty(number, number, async (at, by) => {
      for (const [file, bytes] of originals) writeFileSync(file, bytes)
      tamper([...originals.keys()], at, by)
      const files = await listTrailFiles(join(folder, 'audit.log'))
      // Where all is gone, there is nothing to verify.
      if (files.length > 0) expect((await verifyTrail(files, written.options)).problemCount).toBeGreaterThan(0)
    })
    await fc.assert(property, { numRuns: runs })
    for (const [file, bytes] of originals) writeFileSync(file, bytes)
    expect(messages(await verify(written))).toBe('')
  })
})
