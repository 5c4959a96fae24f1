import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { createRecord, start } from '../../../lib/testing/contract-stage.js'
import { realFiles, type StateFiles } from '../../../lib/tokens/snapshot/state-files.js'
import { deferred } from '../../users/deferred.js'
import { MortalFiles } from './mortal-files.js'
import { newSnapshotFile, startSnapshot } from './stage.js'

const intervalMs = 3_600_000
const clock = (): number => start
const grant = { model: 'Grant', id: 'grant', subject: 'alice', payload: {}, grantId: undefined } as const
const refreshToken = { ...grant, model: 'RefreshToken', id: 'token', grantId: 'grant' } as const
const expiresAt = start + 60_000

/** Snapshots are written when a test says so. */
function holdTimers(): { nextSnapshot(): void } {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  return { nextSnapshot: () => void vi.advanceTimersByTime(intervalMs) }
}

/** A disk that gets full. */
class FullDisk implements StateFiles {
  isFull = false
  readonly #failing: string

  constructor(failing = 'append') {
    this.#failing = failing
  }

  #check(operation: string): void {
    if (this.isFull && operation === this.#failing) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  }

  async create(path: string) {
    this.#check('create')
    const file = await realFiles.create(path)
    return {
      ...file,
      append: async (bytes: Uint8Array) => {
        if (this.isFull && this.#failing === 'append') await file.append(bytes.subarray(0, bytes.length / 2))
        this.#check('append')
        await file.append(bytes)
      },
      sync: async () => {
        this.#check('sync')
        await file.sync()
      },
    }
  }

  async rename(from: string, to: string) {
    this.#check('rename')
    await realFiles.rename(from, to)
  }

  remove = realFiles.remove
  syncFolder = realFiles.syncFolder
}

describe('a disk that is full', () => {
  it.each(['append', 'sync'])('refuses what changes something while %s fails, and heals', async (failing) => {
    const { nextSnapshot } = holdTimers()
    const [disk, file] = [new FullDisk(failing), newSnapshotFile()]
    const { tokens, oauth, log, close } = await startSnapshot({ file, clock, files: disk })
    for (const name of ['a', 'b', 'c', 'd']) await tokens.add(createRecord(name))
    await oauth.put({ ...grant, expiresAt })
    await oauth.put({ ...refreshToken, expiresAt })

    disk.isFull = true
    const idFor = (name: string): string => createRecord(name).id
    await expect(tokens.remove(idFor('a'))).rejects.toThrow(StoreError)
    // Known from now on, and refused before anything has changed.
    await expect(tokens.add(createRecord('e'))).rejects.toThrow(StoreError)
    await expect(tokens.removeBySubject('alice of another')).rejects.toThrow(StoreError)
    await expect(tokens.remove(idFor('b'))).rejects.toThrow(StoreError)
    await expect(oauth.remove('Grant', 'none')).rejects.toThrow(StoreError)
    await expect(oauth.removeMembers('none')).rejects.toThrow(StoreError)
    await expect(oauth.consume('RefreshToken', 'token')).rejects.toThrow(StoreError)
    await expect(oauth.put({ ...grant, id: 'other', expiresAt })).rejects.toThrow(StoreError)
    // What was refused admits nothing, and what is there goes on.
    for (const name of ['a', 'b', 'e']) expect(tokens.find(idFor(name)), name).toBeUndefined()
    expect(tokens.find(idFor('c'))).toBeDefined()
    nextSnapshot()
    await vi.waitFor(() => expect(log.entries).toHaveLength(2))
    await expect(tokens.add(createRecord('e'))).rejects.toThrow(StoreError)

    disk.isFull = false
    await vi.waitFor(async () => {
      nextSnapshot()
      expect(await tokens.add(createRecord('f'))).toBe(true)
    })
    expect(await oauth.consume('RefreshToken', 'token')).toBe(true)
    expect(log.entries.map(({ message }) => message)).toEqual([
      'the snapshot, or its journal, cannot be written: logins and logouts are refused with 503 until it can',
      'the snapshot, or its journal, cannot be written: it is tried again',
      'the snapshot can be written again',
    ])
    await close()
    const next = await startSnapshot({ file, clock })
    expect((await next.tokens.list()).map(({ id }) => id).sort()).toEqual(['c', 'd', 'f'].map(idFor).sort())
    expect(await next.oauth.consume('RefreshToken', 'token')).toBe(false)
  })

  it.each(['create', 'rename'])('changes nothing for good where a snapshot fails in %s', async (failing) => {
    const { nextSnapshot } = holdTimers()
    const [disk, file] = [new FullDisk(failing), newSnapshotFile()]
    const { tokens, log, close } = await startSnapshot({ file, clock, files: disk })
    await tokens.add(createRecord('a'))
    disk.isFull = true
    nextSnapshot()
    await vi.waitFor(() => expect(log.entries.length).toBeGreaterThan(0))
    expect(tokens.find(createRecord('a').id)).toBeDefined()
    disk.isFull = false
    await vi.waitFor(async () => {
      nextSnapshot()
      expect(await tokens.add(createRecord('b'))).toBe(true)
    })
    expect(await tokens.remove(createRecord('a').id)).toBe(true)
    await close()
    const next = await startSnapshot({ file, clock })
    expect((await next.tokens.list()).map(({ id }) => id)).toEqual([createRecord('b').id])
  })

  it('answers nothing that the next start would not read, where it cannot tell which snapshot is in its place', async () => {
    const { nextSnapshot } = holdTimers()
    const file = newSnapshotFile()
    class LyingDisk extends MortalFiles {
      lies = false

      override async rename(from: string, to: string) {
        await super.rename(from, to)
        if (this.lies) throw new Error('EIO')
      }
    }
    const files = new LyingDisk()
    const { tokens, log } = await startSnapshot({ file, clock, files })
    for (const name of ['a', 'b']) await tokens.add(createRecord(name))
    files.lies = true
    nextSnapshot()
    await vi.waitFor(() => expect(log.entries).not.toEqual([]))
    await expect(tokens.remove(createRecord('a').id)).rejects.toThrow(StoreError)
    files.lies = false
    nextSnapshot()
    await vi.waitFor(async () => expect(await tokens.remove(createRecord('b').id)).toBeTypeOf('boolean'))
    const next = await startSnapshot({ file: await files.remains(file), clock })
    expect(await next.tokens.list()).toEqual([])
  })

  it('revives nothing that was removed while the snapshot heals', async () => {
    const { nextSnapshot } = holdTimers()
    const file = newSnapshotFile()
    const [reached, hold] = [deferred(), deferred()]
    let isFull = false
    class HealingDisk extends MortalFiles {
      override async create(path: string) {
        const created = await super.create(path)
        if (!path.endsWith('.journal')) return created
        const append = async (bytes: Uint8Array): Promise<void> => {
          if (isFull) throw new Error('ENOSPC')
          await created.append(bytes)
        }
        return { ...created, append }
      }

      override async rename(from: string, to: string) {
        if (this.operations.includes('rename')) {
          reached.resolve()
          await hold.promise
        }
        await super.rename(from, to)
      }
    }
    const files = new HealingDisk()
    const { tokens } = await startSnapshot({ file, clock, files })
    for (const name of ['a', 'b']) await tokens.add(createRecord(name))
    isFull = true
    await expect(tokens.add(createRecord('c'))).rejects.toThrow(StoreError)
    isFull = false
    nextSnapshot()
    await reached.promise
    // Its draft is complete, with this token.
    await expect(tokens.remove(createRecord('a').id)).rejects.toThrow(StoreError)
    hold.resolve()
    await vi.waitFor(async () => expect(await tokens.remove(createRecord('a').id)).toBe(false), { interval: 1 })
    const next = await startSnapshot({ file: await files.remains(file, true), clock })
    expect((await next.tokens.list()).map(({ id }) => id)).toEqual([createRecord('b').id])
  })

  it('loses no use of the account for emergencies, whose tokens are to end', async () => {
    const { nextSnapshot } = holdTimers()
    const disk = new FullDisk()
    const { breakGlass } = await startSnapshot({ clock, files: disk })
    const account = { name: 'glass', subject: 'BREAK-GLASS/glass', roles: ['admin'], isAdmin: true, version: '1' }
    await breakGlass.write({ account, at: start }, 60_000)
    disk.isFull = true
    await expect(breakGlass.take()).rejects.toThrow(StoreError)
    disk.isFull = false
    nextSnapshot()
    await vi.waitFor(async () => expect(await breakGlass.take()).toMatchObject({ account }))
    expect(await breakGlass.take()).toBeUndefined()
  })

  it('stops no start', async () => {
    const disk = new FullDisk()
    disk.isFull = true
    await expect(startSnapshot({ clock, files: disk })).rejects.toThrow(StoreError)
  })
})

describe('a process whose files another one has taken over', () => {
  it('writes nothing more', async () => {
    const { nextSnapshot } = holdTimers()
    const file = newSnapshotFile()
    const { tokens, log, close } = await startSnapshot({ file, clock })
    await tokens.add(createRecord('a'))
    writeFileSync(`${file}.lock`, 'of the other one')
    const snapshot = readFileSync(file)
    nextSnapshot()
    await vi.waitFor(() => expect(log.entries.length).toBeGreaterThan(1))
    await expect(tokens.add(createRecord('b'))).rejects.toThrow(StoreError)
    await close()
    expect(readFileSync(file)).toEqual(snapshot)
    expect(readFileSync(`${file}.lock`, 'utf8')).toBe('of the other one')
  })

  it('answers for no change after a pause in which that may have happened', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const file = newSnapshotFile()
    const { tokens } = await startSnapshot({ file, clock })
    await tokens.add(createRecord('a'))
    writeFileSync(`${file}.lock`, 'of the other one')
    vi.advanceTimersByTime(4 * intervalMs)
    await expect(tokens.remove(createRecord('a').id)).rejects.toThrow(StoreError)
  })
})

describe('a revocation', () => {
  it('is synced before it is answered', async () => {
    const [files, file] = [new MortalFiles(), newSnapshotFile()]
    const { tokens, oauth } = await startSnapshot({ file, clock, files })
    for (const name of ['a', 'b', 'c']) await tokens.add(createRecord(name, { subject: name }))
    await oauth.put({ ...grant, expiresAt })
    await oauth.put({ ...refreshToken, expiresAt })
    await tokens.remove(createRecord('a').id)
    expect(await tokens.removeBySubject('b')).toBe(1)
    expect(await oauth.consume('RefreshToken', 'token')).toBe(true)
    // Written, and lost with the power.
    await tokens.add(createRecord('d'))
    const next = await startSnapshot({ file: await files.remains(file, true), clock })
    expect((await next.tokens.list()).map(({ id }) => id)).toEqual([createRecord('c').id])
    expect(await next.oauth.find('RefreshToken', 'token')).toMatchObject({ consumedAt: start })
  })

  it('of a user who has nothing left syncs what was evicted before', async () => {
    const [files, file] = [new MortalFiles(), newSnapshotFile()]
    const { tokens } = await startSnapshot({ file, clock, files, store: { maxSize: 1 } })
    await tokens.add(createRecord('a'))
    await tokens.removeBySubject('nobody')
    await tokens.add(createRecord('b', { subject: 'bob' }))
    await files.untilQuiet()
    expect(await tokens.removeBySubject('alice')).toBe(0)
    const next = await startSnapshot({ file: await files.remains(file, true), clock })
    expect(await tokens.find(createRecord('a').id)).toBeUndefined()
    expect((await next.tokens.list()).map(({ id }) => id)).toEqual([createRecord('b').id])
  })

  it('that is under way when the process stops is answered, and in the last snapshot', async () => {
    const file = newSnapshotFile()
    const hold = deferred()
    let isHeld = false
    class SlowDisk extends MortalFiles {
      override async create(path: string) {
        const created = await super.create(path)
        const sync = async (): Promise<void> => {
          if (isHeld && path.endsWith('.journal')) await hold.promise
          await created.sync()
        }
        return { ...created, sync }
      }
    }
    const files = new SlowDisk()
    const { tokens, close } = await startSnapshot({ file, clock, files })
    for (const name of ['a', 'b', 'c']) await tokens.add(createRecord(name))
    isHeld = true
    const removals = [tokens.remove(createRecord('a').id)]
    await files.untilQuiet()
    removals.push(tokens.remove(createRecord('b').id))
    const closing = close()
    await files.untilQuiet()
    hold.resolve()
    expect(await Promise.all(removals)).toEqual([true, true])
    await closing
    const next = await startSnapshot({ file, clock })
    expect((await next.tokens.list()).map(({ id }) => id)).toEqual([createRecord('c').id])
  })

  it('of what another call is just removing waits for that call', async () => {
    const hold = deferred()
    let isHeld = false
    const create = async (path: string) => {
      const created = await realFiles.create(path)
      const append = async (bytes: Uint8Array): Promise<void> => {
        if (isHeld) await hold.promise
        await created.append(bytes)
      }
      return { ...created, append }
    }
    const files = { ...realFiles, create }
    const { tokens } = await startSnapshot({ clock, files })
    await tokens.add(createRecord('a'))
    isHeld = true
    const answers: string[] = []
    const first = Promise.resolve(tokens.remove(createRecord('a').id)).then((was) => answers.push(`first ${was}`))
    const second = Promise.resolve(tokens.remove(createRecord('a').id)).then((was) => answers.push(`second ${was}`))
    const all = Promise.resolve(tokens.removeBySubject('alice')).then((count) => answers.push(`all ${count}`))
    await new Promise((resolve) => setImmediate(resolve))
    expect(answers).toEqual([])
    isHeld = false
    hold.resolve()
    await Promise.all([first, second, all])
    expect(answers).toEqual(['first true', 'second false', 'all 0'])
  })

  it('of a user while a snapshot is written is in it, whatever was written before', async () => {
    const { nextSnapshot } = holdTimers()
    const file = newSnapshotFile()
    const [reached, hold] = [deferred(), deferred()]
    let isHeld = false
    const create = async (path: string) => {
      const created = await realFiles.create(path)
      if (!isHeld || !path.endsWith('.tmp')) return created
      let count = 0
      const append = async (bytes: Uint8Array): Promise<void> => {
        await created.append(bytes)
        // The first slice is behind it.
        if (++count === 2) {
          reached.resolve()
          await hold.promise
        }
      }
      return { ...created, append }
    }
    const files = { ...realFiles, create }
    const { tokens, close } = await startSnapshot({ file, clock, files, store: { maxSize: 1000 } })
    for (let count = 0; count < 600; count++) {
      await tokens.add(createRecord(`${count}`, { subject: count % 2 === 0 ? 'alice' : 'bob' }))
    }
    isHeld = true
    nextSnapshot()
    await reached.promise
    expect(await tokens.removeBySubject('alice')).toBe(300)
    await tokens.add(createRecord('new', { subject: 'alice' }))
    hold.resolve()
    await close()
    const next = await startSnapshot({ file, clock, store: { maxSize: 1000 } })
    expect(await next.tokens.list({ subject: 'alice' })).toHaveLength(1)
    expect(await next.tokens.list({ subject: 'bob', limit: 1000 })).toHaveLength(300)
  })
})
