import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readAnchors } from '../../lib/audit/anchor-file.js'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import { createCheckpointKey } from '../../lib/audit/checkpoint.js'
import { maxQueued } from '../../lib/audit/record-queue.js'
import { TrailFile } from '../../lib/audit/trail-file.js'
import { listTrailFiles } from '../../lib/audit/trail-files.js'
import { verifyTrail } from '../../lib/audit/verify-trail.js'
import { actionsIn, newFolder, openTrail, readRecords, seed } from './open-trail.js'

const problemsIn = async (file: string): Promise<readonly string[]> =>
  (await verifyTrail(await listTrailFiles(file))).problems.map(({ message }) => message)

describe('the file of a trail', () => {
  it('has one line for each event, each with the hash of the one before', async () => {
    const { trail, file, login } = await openTrail()
    login(2)
    await trail.close()
    const records = readRecords(file)
    expect(records.map(({ action }) => action)).toEqual([
      'trailStarted',
      'checkpoint',
      'login',
      'login',
      'trailStopped',
      'checkpoint',
    ])
    expect(records.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
    expect(records.map(({ previous }) => previous)).toEqual([
      '0'.repeat(64),
      ...records.slice(0, 5).map(({ hash }) => hash),
    ])
    expect(records[2]).toMatchObject({
      actor: 'alice',
      address: '192.0.2.1',
      outcome: 'success',
      target: { type: 'session', id: 'token-0' },
    })
    expect(await problemsIn(file)).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('is read by its owner alone', async () => {
    const { file } = await openTrail()
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('goes on from its last line after a restart', async () => {
    const { trail, file, login } = await openTrail()
    login()
    await trail.close()
    const again = await openTrail({ file })
    again.login()
    await again.trail.close()
    expect(readRecords(file).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await problemsIn(file)).toEqual([])
  })

  it('drops a line that a crash has cut, and says so', async () => {
    const { trail, file, login } = await openTrail()
    login(3)
    await trail.close()
    truncateSync(file, statSync(file).size - 100)
    const { trail: next, log } = await openTrail({ file })
    await next.settle()
    const started = readRecords(file).at(-2)!
    expect(started).toMatchObject({ action: 'trailStarted', details: { tornBytes: expect.any(Number) } })
    expect(log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ tornBytes: expect.any(Number) }) }),
    )
    expect(await problemsIn(file)).toEqual([])
  })

  it('drops blocks that a power failure has left empty', async () => {
    const { trail, file, login } = await openTrail()
    login()
    await trail.close()
    appendFileSync(file, Buffer.alloc(5000))
    const next = await openTrail({ file })
    await next.trail.settle()
    expect(await problemsIn(file)).toEqual([])
  })

  it('is put aside as it is where its last line was changed, and the trail goes on from the line before', async () => {
    const { trail, file, login } = await openTrail()
    login(2)
    await trail.close()
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/"action":"checkpoint"(?=[^\n]*\n$)/, '"action":"checkpoimt"'))
    const { trail: next, log } = await openTrail({ file })
    await next.settle()
    expect(actionsIn(file)).toEqual(['trailStarted', 'trailDamaged', 'checkpoint'])
    expect(readRecords(file)[0]!.sequence).toBe(6)
    expect(log.entries).toContainEqual(expect.objectContaining({ level: 'error' }))
    expect((await problemsIn(file)).join()).toContain('line 6 was changed')
  })

  it('is refused to a second front, in whatever process', async () => {
    const { file } = await openTrail()
    await expect(openTrail({ file })).rejects.toThrow(/is working on/)
  })

  it('is rotated by size, with the chain over all files', async () => {
    const { trail, file, login } = await openTrail({ maxBytes: 2000 })
    for (let round = 0; round < 5; round++) {
      login(4)
      await trail.settle()
    }
    await trail.close()
    const files = await listTrailFiles(file)
    expect(files.length).toBeGreaterThan(2)
    for (const rotated of files.slice(0, -1)) expect(actionsIn(rotated).at(-1)).toBe('checkpoint')
    for (const [index, rotated] of files.slice(1).entries()) {
      expect(readRecords(rotated)[0]!.previous).toBe(readRecords(files[index]!).at(-1)!.hash)
    }
    expect(await problemsIn(file)).toEqual([])
  })

  it('is rotated by age, of its first record', async () => {
    let now = Date.UTC(2026, 0, 1)
    const { trail, file, login } = await openTrail({ maxAgeMs: 86_400_000, clock: () => now })
    login()
    await trail.settle()
    now += 86_399_999
    login()
    await trail.settle()
    expect(await listTrailFiles(file)).toHaveLength(1)
    await trail.close()
    const again = await openTrail({ file, maxAgeMs: 86_400_000, clock: () => now })
    await again.trail.settle()
    now += 1
    again.login()
    await again.trail.settle()
    expect(await listTrailFiles(file)).toHaveLength(2)
  })

  it('keeps so many rotated files, and says which records it has removed', async () => {
    const { trail, file, login } = await openTrail({ maxBytes: 1500, keep: 2 })
    for (let round = 0; round < 6; round++) {
      login(8)
      await trail.settle()
    }
    await trail.close()
    const files = await listTrailFiles(file)
    expect(files).toHaveLength(3)
    expect(files.flatMap((name) => actionsIn(name))).toContain('filesRemoved')
    expect(await problemsIn(file)).toEqual([])
    rmSync(files[0]!)
    expect((await problemsIn(file)).join()).toContain('missing')
  })

  it('keeps its own files whatever others put beside them', async () => {
    const { trail, file, login } = await openTrail({ maxBytes: 2000, keep: 2 })
    for (const name of ['000000000000000', '000000000000002', '000000000900000']) writeFileSync(`${file}.${name}`, '')
    for (let round = 0; round < 3; round++) {
      login(5)
      await trail.settle()
    }
    await trail.close()
    expect(actionsIn(file)).not.toContain('filesRemoved')
    expect(existsSync(`${file}.000000000000001`)).toBe(true)
  })

  it('says so when another program moves it away or writes to it, and goes on', async () => {
    const { trail, file, login, log } = await openTrail()
    login()
    await trail.settle()
    renameSync(file, `${file}.moved`)
    await expect.poll(() => existsSync(file) && actionsIn(file), { timeout: 4000 }).toEqual(['trailDamaged'])
    appendFileSync(file, 'forged\n')
    await expect.poll(() => log.entries.filter(({ level }) => level === 'error').length, { timeout: 4000 }).toBe(2)
  })

  it('gives each checkpoint to the anchor and to the log', async () => {
    const { trail, anchorFile, login, log } = await openTrail({ checkpointIntervalMs: 50 })
    login()
    await expect.poll(() => trail.status().lastCheckpoint?.sequence).toBe(3)
    // Nothing happens: nothing is signed.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(trail.status().lastCheckpoint?.sequence).toBe(3)
    const anchors = readAnchors(readFileSync(anchorFile, 'utf8'))
    expect(anchors).toHaveLength(2)
    expect(log.entries.flatMap(({ fields }) => fields['checkpoint'] ?? [])).toEqual(anchors)
  })

  it('works on where the anchor cannot be written, says so once, and gives it later what it has missed', async () => {
    const folder = join(newFolder(), 'away')
    const anchorFile = join(folder, 'anchor')
    const { trail, file, login, log } = await openTrail({ anchorFile, checkpointIntervalMs: 50 })
    for (let round = 0; round < 3; round++) {
      login()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(trail.status()).toMatchObject({ state: 'degraded', error: expect.stringContaining('ENOENT') })
    expect(trail.isFailing).toBe(false)
    mkdirSync(folder)
    await expect.poll(() => trail.status(), { timeout: 4000 }).toMatchObject({ state: 'ok', error: null })
    await trail.close()
    const about = log.entries.filter(({ fields }) => fields['file'] === anchorFile)
    expect(about.map(({ level }) => level)).toEqual(['error', 'warn'])
    const signed = readRecords(file).flatMap(({ details }) => details?.['signature'] ?? [])
    expect(readAnchors(readFileSync(anchorFile, 'utf8'))).toEqual(signed)
    expect(signed.length).toBeGreaterThan(2)
  })

  it('says at the end how many checkpoints the anchor does not have', async () => {
    const anchorFile = join(newFolder(), 'not', 'there')
    const { trail, log } = await openTrail({ anchorFile })
    await trail.close()
    const fields = { file: anchorFile, unwritten: 2 }
    expect(log.entries).toContainEqual(expect.objectContaining({ level: 'error', fields }))
  })

  it('tells of another key when there is one, and not of the same once more', async () => {
    const { trail, log } = await openTrail()
    trail.useKey(await createCheckpointKey(seed))
    trail.useKey(await createCheckpointKey(Buffer.alloc(32, 8)))
    expect(log.entries.filter(({ message }) => message.includes('another key'))).toHaveLength(1)
  })
})

describe('a trail that cannot be written', () => {
  it('keeps what waits, and loses nothing as long as there is place', async () => {
    const folder = newFolder()
    const { trail, file, login, log } = await openTrail({ file: join(folder, 'audit.log') })
    await trail.settle()
    renameSync(folder, `${folder}-away`)
    await expect.poll(() => trail.status().state, { timeout: 4000 }).toBe('failing')
    login(3)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(trail.status()).toMatchObject({ queued: 4, error: expect.stringContaining('ENOENT') })
    renameSync(`${folder}-away`, folder)
    await expect.poll(() => trail.status().state, { timeout: 4000 }).toBe('ok')
    expect(log.entries.map(({ level }) => level)).toContain('error')
    await trail.close()
    expect(
      (await listTrailFiles(file)).flatMap((name) => actionsIn(name)).filter((action) => action === 'login'),
    ).toHaveLength(3)
    expect(await problemsIn(file)).toEqual([])
  })

  it('counts as failing while a write hangs, and ends that by itself', async () => {
    const { trail, login, log } = await openTrail({ overdueMs: 60 })
    await trail.settle()
    let resume = (): void => {}
    const hanging = new Promise<void>((resolve) => {
      resume = resolve
    })
    const append = vi.spyOn(TrailFile.prototype, 'append').mockImplementationOnce(() => hanging)
    onTestFinished(() => append.mockRestore())
    login()
    expect(trail.isFailing).toBe(false)
    await expect.poll(() => trail.isFailing).toBe(true)
    expect(trail.status()).toMatchObject({ state: 'failing', error: 'a write has not ended within 60 ms', queued: 1 })
    // Nobody who reads waits for it.
    await trail.settle()
    resume()
    await expect.poll(() => trail.isFailing).toBe(false)
    expect(log.entries.map(({ message }) => message)).toContain('the audit trail can be written to its file again')
  })

  it('settles while records keep coming', async () => {
    const { trail, login } = await openTrail()
    let isEnded = false
    const flood = (): void => {
      login(5)
      if (!isEnded) setImmediate(flood)
    }
    flood()
    onTestFinished(() => {
      isEnded = true
    })
    await expect(trail.settle()).resolves.toBeUndefined()
  })

  it('refuses a pipe that nobody reads', async () => {
    const file = join(newFolder(), 'audit.log')
    execFileSync('mkfifo', [file])
    await expect(openTrail({ file })).rejects.toThrow('ENXIO')
  })

  it('counts what found no place, in a record', async () => {
    const { trail, file, login } = await openTrail()
    await trail.settle()
    login(maxQueued + 7)
    expect(trail.status()).toMatchObject({ state: 'failing', queued: maxQueued })
    await expect.poll(() => trail.status().queued, { timeout: 4000 }).toBe(0)
    expect(trail.status().state).toBe('ok')
    await trail.close()
    expect(readRecords(file).find(({ action }) => action === 'recordsLost')).toMatchObject({
      outcome: 'failure',
      details: { count: 7 },
    })
    expect(await problemsIn(file)).toEqual([])
  })
})

describe('the function of the app', () => {
  it('gets each record, frozen, once it is in the file', async () => {
    const records: AuditRecord[] = []
    const inFile: number[] = []
    const file = join(newFolder(), 'audit.log')
    const sink = (record: AuditRecord): void => {
      records.push(record)
      inFile.push(readRecords(file).length)
    }
    const { trail, login } = await openTrail({ file, sink })
    login(2)
    await trail.close()
    expect(records).toEqual(readRecords(file))
    expect(records.every((record, index) => Object.isFrozen(record) && record.sequence <= inFile[index]!)).toBe(true)
    expect(() => Object.assign(records[0]!.target!, { id: 'x' })).toThrow(TypeError)
  })

  it('gets a record again with which it failed, and those before it once', async () => {
    const taken: number[] = []
    let isAway = true
    const sink = async ({ sequence }: AuditRecord): Promise<void> => {
      if (sequence === 4 && isAway) throw new Error('away')
      taken.push(sequence)
    }
    const { trail, file, login } = await openTrail({ sink })
    login(3)
    await expect.poll(() => trail.status().state).toBe('failing')
    // The file does not wait for it.
    expect(readRecords(file)).toHaveLength(5)
    isAway = false
    await trail.close()
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(readdirSync(dirname(file))).not.toContain('audit.log.lock')
  })
})
