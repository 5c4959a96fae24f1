import { randomBytes } from 'node:crypto'
import { copyFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRecord, start } from '../../../lib/testing/contract-stage.js'
import { folderWith } from '../../helpers/key-files.js'
import { MortalFiles } from './mortal-files.js'
import {
  newSnapshotFile,
  newSnapshotKey,
  type SnapshotStage,
  type SnapshotStageOptions,
  startSnapshot,
} from './stage.js'

const clock = (): number => start

const journalOf = (file: string): string => {
  const [name, ...others] = readdirSync(dirname(file)).filter((name) => name.endsWith('.journal'))
  expect(others).toEqual([])
  return join(dirname(file), name!)
}

/** What a process leaves that was killed after it had issued tokens. */
async function killedProcess(names: readonly string[], work?: (stage: SnapshotStage) => unknown): Promise<string> {
  const files = new MortalFiles()
  const file = newSnapshotFile()
  const stage = await startSnapshot({ file, clock, files })
  for (const name of names) await stage.tokens.add(createRecord(name))
  await work?.(stage)
  return files.remains(file)
}

/** What the next process has, and what it has warned of. */
async function restart(
  options: SnapshotStageOptions,
): Promise<{ readonly ids: string[]; readonly warnings: string[] }> {
  const { tokens, log, close } = await startSnapshot({ clock, files: new MortalFiles(), ...options })
  const ids = (await tokens.list()).map(({ id }) => id).sort()
  await close()
  return { ids, warnings: log.entries.map(({ message }) => message) }
}

const idsOf = (...names: string[]): string[] => names.map((name) => createRecord(name).id).sort()

const refusal = (reason: string): string =>
  `the snapshot ${reason}: nothing of it is taken, and all have to log in again`

function copyOf(file: string): string {
  const copy = join(folderWith(), 'state')
  cpSync(dirname(file), dirname(copy), { recursive: true })
  return copy
}

describe('a snapshot at the start', () => {
  it('is taken, whatever is missing at the end of the last frame of its journal', async () => {
    const file = await killedProcess(['a', 'b'])
    const whole = readFileSync(journalOf(file))
    const before = readFileSync(journalOf(await killedProcess(['a']))).length
    for (let length = before; length < whole.length; length++) {
      const copy = copyOf(file)
      writeFileSync(journalOf(copy), whole.subarray(0, length))
      expect(await restart({ file: copy }), `${length} bytes`).toEqual({
        ids: idsOf('a'),
        warnings: length === before ? [] : ['the journal of the snapshot ends within a record, which is dropped'],
      })
    }
    expect(await restart({ file })).toEqual({ ids: idsOf('a', 'b'), warnings: [] })
  })

  it('is refused when a bit of it or of its journal was changed', async () => {
    const file = await killedProcess(['a', 'b'], (stage) => stage.tokens.remove(createRecord('a').id))
    for (const part of [file, journalOf(file)]) {
      const bytes = readFileSync(part)
      for (let at = 0; at < bytes.length; at += 7) {
        const copy = copyOf(file)
        const changed = Buffer.from(bytes)
        changed[at]! ^= 1 << (at % 8)
        writeFileSync(part === file ? copy : journalOf(copy), changed)
        if (part === file && at < 'sallyport state'.length) {
          await expect(restart({ file: copy }), `${at}`).rejects.toThrow('is something else, and was left as it is')
          continue
        }
        const { ids, warnings } = await restart({ file: copy })
        expect(ids, `${part} at ${at}`).toEqual([])
        expect(warnings).toHaveLength(1)
        expect(warnings[0]).toMatch(/^the snapshot (?:has|was|is) .*: nothing of it is taken/)
      }
    }
  })

  it('is refused when it was cut off anywhere', async () => {
    const first = newSnapshotFile()
    const stage = await startSnapshot({ file: first, clock })
    for (const name of ['a', 'b', 'c']) await stage.tokens.add(createRecord(name))
    await stage.close()
    const bytes = readFileSync(first)
    for (let length = 0; length < bytes.length; length += 11) {
      const copy = copyOf(first)
      writeFileSync(copy, bytes.subarray(0, length))
      expect(await restart({ file: copy }), `${length} bytes`).toEqual({ ids: [], warnings: [refusal('is cut off')] })
    }
    writeFileSync(first, Buffer.concat([bytes, bytes.subarray(40)]))
    expect((await restart({ file: first })).ids).toEqual([])
  })

  it('is refused without its journal, with a shorter header of it, and with that of another snapshot', async () => {
    const file = await killedProcess(['a'])
    const [without, other, short] = [copyOf(file), copyOf(file), copyOf(file)]
    rmSync(journalOf(without))
    expect(await restart({ file: without })).toEqual({ ids: [], warnings: [refusal('has no journal beside it')] })
    copyFileSync(journalOf(await killedProcess(['b'])), journalOf(other))
    const foreign = refusal('has the journal of another snapshot')
    expect(await restart({ file: other })).toEqual({ ids: [], warnings: [foreign] })
    writeFileSync(journalOf(short), readFileSync(journalOf(short)).subarray(0, 39))
    expect(await restart({ file: short })).toEqual({ ids: [], warnings: [refusal('has a journal that is cut off')] })
  })

  it('is refused when an older one stands in its place, beside the journal of today', async () => {
    const file = newSnapshotFile()
    const first = await startSnapshot({ file, clock })
    await first.tokens.add(createRecord('a'))
    await first.close()
    const yesterday = readFileSync(file)
    const second = await startSnapshot({ file, clock })
    await second.tokens.remove(createRecord('a').id)
    await second.close()
    writeFileSync(file, yesterday)
    expect(await restart({ file })).toEqual({ ids: [], warnings: [refusal('has no journal beside it')] })
  })

  it.each([
    ['older', 600_001, []],
    ['as old as it may be', 600_000, idsOf('a')],
    ['from a later time', -600_001, []],
  ])('that is %s, with its journal: %i ms', async (_name, passed, ids) => {
    const record = createRecord('a', { expiresAt: start + 3_600_000 })
    const file = await killedProcess([], (stage) => stage.tokens.add(record))
    const outcome = await restart({ file, clock: () => start + passed })
    expect(outcome.ids).toEqual(ids)
    const age = refusal('is from 2026-01-01T00:00:00.000Z, too far from now for snapshot_max_age')
    expect(outcome.warnings).toEqual(ids.length > 0 ? [] : [age])
  })

  it('is refused with another key, and when it is of another version', async () => {
    const file = await killedProcess(['a'])
    const foreign = refusal('was written with another signing key')
    expect(await restart({ file: copyOf(file), key: newSnapshotKey() })).toEqual({ ids: [], warnings: [foreign] })
    const bytes = readFileSync(file)
    bytes.write('2', 15, 'latin1')
    writeFileSync(file, bytes)
    expect(await restart({ file })).toEqual({
      ids: [],
      warnings: [refusal('is of another version, or something else')],
    })
    expect(await restart({ file })).toEqual({ ids: [], warnings: [] })
  })

  it.each(['-----BEGIN PRIVATE KEY-----', 'x'])(
    'stops where %j is in the file, and leaves it as it is',
    async (text) => {
      const file = newSnapshotFile()
      writeFileSync(file, text)
      await expect(startSnapshot({ file, clock })).rejects.toThrow(
        /token_store_config\.snapshot_file: cannot be used: .*state is something else/,
      )
      expect(readFileSync(file, 'utf8')).toBe(text)
      expect(readdirSync(dirname(file))).toEqual(['state'])
    },
  )

  it('is used by one process at a time', async () => {
    const file = newSnapshotFile()
    const first = await startSnapshot({ file, clock })
    await expect(startSnapshot({ file, clock })).rejects.toThrow(
      /token_store_config\.snapshot_file: cannot be used: Process \d+ on .* is working on/,
    )
    await first.close()
    await (await startSnapshot({ file, clock })).close()
    expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  it('needs a folder', async () => {
    await expect(startSnapshot({ file: join(folderWith(), 'none', 'state') })).rejects.toThrow(
      'token_store_config.snapshot_file: cannot be used: ENOENT',
    )
  })
})

describe('the files', () => {
  it('can be read by their owner only, and show nothing in clear', async () => {
    const file = await killedProcess(['a'], async ({ tokens, close }) => {
      await tokens.add(createRecord('b', { subject: 'somebody-to-find' }))
      await close()
    })
    for (const path of [file, journalOf(file)]) {
      expect(statSync(path).mode & 0o777).toBe(0o600)
      const text = readFileSync(path, 'latin1')
      for (const word of ['somebody-to-find', createRecord('b').id, 'management']) expect(text).not.toContain(word)
    }
  })

  it('that a killed process has left in the middle of a snapshot are removed', async () => {
    const file = await killedProcess(['a'])
    const orphans = ['tmp', 'journal'].map((end) => `${file}.${randomBytes(16).toString('hex')}.${end}`)
    for (const orphan of orphans) writeFileSync(orphan, 'left')
    writeFileSync(`${file}.of-somebody-else`, '')
    expect(await restart({ file })).toEqual({ ids: idsOf('a'), warnings: [] })
    const names = readdirSync(dirname(file)).map((name) => name.replace(/[0-9a-f]{32}/, 'id'))
    expect(names.sort()).toEqual(['state', 'state.id.journal', 'state.of-somebody-else'])
  })
})
