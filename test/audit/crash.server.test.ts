/** Real disks and real deaths: `prlimit` (util-linux) makes files too large, and a process is killed in the middle of its writes. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listTrailFiles } from '../../lib/audit/trail-files.js'
import { verifyTrail } from '../../lib/audit/verify-trail.js'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { newFolder, openTrail, readRecords } from './open-trail.js'

const lib = fileURLToPath(new URL('../../lib/', import.meta.url))

/** The limit of this process for the size of a file, in bytes: beyond it a write fails, after a part of it where that fits. */
function limitFiles(bytes: number | 'unlimited'): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`])
  expect(status, String(stderr)).toBe(0)
}

const problemsIn = async (file: string) => (await verifyTrail(await listTrailFiles(file))).problems

describe('a disk that is full', () => {
  it('keeps what waits, cuts a line that was half written, and loses nothing', async () => {
    const { trail, file, login, log } = await openTrail()
    login(10)
    await trail.settle()
    onTestFinished(() => limitFiles('unlimited'))
    limitFiles(statSync(file).size + 100)
    login(20)
    await expect
      .poll(() => trail.status())
      .toMatchObject({ state: 'failing', queued: 20, error: expect.stringContaining('EFBIG') })
    expect(readFileSync(file, 'utf8').endsWith('\n')).toBe(true)
    expect(trail.status().lagMs).toBeGreaterThan(0)
    limitFiles('unlimited')
    await expect.poll(() => trail.status()).toMatchObject({ state: 'ok', queued: 0, lagMs: 0 })
    await trail.close()
    expect(readRecords(file).filter(({ action }) => action === 'login')).toHaveLength(30)
    expect(await problemsIn(file)).toEqual([])
    expect(log.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('denies all with "deny", also who knows the password, and ends when there is room', async () => {
    const file = join(newFolder(), 'audit.log')
    const source = document({ root: { audit_trail: { file, on_audit_failure: 'deny' } } })
    const front = await startFront(oneSetUp, { source })
    const token = await front.login()
    await expect.poll(() => readRecords(file).length).toBe(3)
    onTestFinished(() => limitFiles('unlimited'))
    limitFiles(statSync(file).size + 10)
    const statusOf = async (path: string, header: string): Promise<number> =>
      (await front.call('GET', path, [header])).status
    await front.call('GET', '/apis', [])
    await expect.poll(() => statusOf('/apis', bearer(token))).toBe(503)
    expect(await statusOf('/login', basic(users.admin.name, users.admin.password))).toBe(503)
    limitFiles('unlimited')
    await expect.poll(() => statusOf('/apis', bearer(token))).toBe(200)
    await front.security.close()
    const refusals = readRecords(file).filter(({ code }) => code === 'ERR_AUDIT_UNAVAILABLE')
    expect(refusals.length).toBeGreaterThan(1)
    expect(await problemsIn(file)).toEqual([])
  })
})

describe('a process that is killed while it writes', () => {
  it('leaves a trail that goes on, with every line that was complete', async () => {
    const folder = newFolder()
    const file = join(folder, 'audit.log')
    const script = join(folder, 'write.mts')
    writeFileSync(
      script,
      `import { AuditTrail } from '${lib}audit/audit-trail.ts'
       import { createCheckpointKey } from '${lib}audit/checkpoint.ts'
       import { TrailFile } from '${lib}audit/trail-file.ts'
       const file = new TrailFile({ file: ${JSON.stringify(file)}, maxBytes: 300_000, maxAgeMs: undefined, keep: 20, fsync: 'interval' })
       const logger = { info() {}, warn() {}, error() {} }
       const key = await createCheckpointKey(Buffer.alloc(32, 7))
       const trail = new AuditTrail({ file, sink: undefined, key, checkpointIntervalMs: 1000, anchorFile: undefined, logger, clock: Date.now })
       await trail.start()
       process.stdout.write('started')
       setInterval(() => {
         for (let index = 0; index < 50; index++) {
           trail.record('login', { at: Date.now(), address: '192.0.2.1', subject: 'x'.repeat(1000), tokenId: 'id', kind: 'management' })
         }
       })`,
    )
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        cwd: join(lib, '..'),
      })
      await once(child.stdout!, 'data')
      const size = async (): Promise<number> =>
        (await listTrailFiles(file)).reduce((sum, name) => sum + statSync(name).size, 0)
      const before = await size()
      await expect.poll(size).toBeGreaterThan(before + 500_000)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const { trail } = await openTrail({ file })
    await trail.close()
    expect(await problemsIn(file)).toEqual([])
    const records = readRecords(...(await listTrailFiles(file)))
    expect(records.filter(({ action }) => action === 'trailStarted')).toHaveLength(4)
    expect(records.at(-1)!.sequence).toBe(records.length)
  })
})
