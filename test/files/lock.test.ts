import { spawnSync } from 'node:child_process'
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileLockedError, lockFile, withFileLock } from '../../lib/files/lock.js'
import { folderWith } from '../helpers/key-files.js'

describe('withFileLock', () => {
  it('refuses a second one until the first has ended', async () => {
    const folder = folderWith()
    const file = join(folder, 'a')
    const { promise, end } = openEnded()
    const first = withFileLock(file, () => promise)
    const second = withFileLock(file, () => 'second')
    await expect(second).rejects.toThrow(FileLockedError)
    await expect(second).rejects.toThrow(
      `Process ${process.pid} on ${hostname()} is working on ${file}. Wait for it, or delete ${file}.lock if it has ended.`,
    )
    expect(await withFileLock(join(folder, 'b'), () => 'another file')).toBe('another file')
    end('first')
    expect(await first).toBe('first')
    expect(await withFileLock(file, () => 'third')).toBe('third')
    expect(readdirSync(folder)).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('takes a link for the file that it points to', async () => {
    const folder = folderWith({ a: '' })
    symlinkSync('a', join(folder, 'link'))
    await withFileLock(join(folder, 'link'), async () => {
      await expect(withFileLock(join(folder, 'a'), () => 'second')).rejects.toThrow(FileLockedError)
    })
  })

  it.skipIf(process.platform === 'win32')('takes a dangling link for the file that will be there', async () => {
    const folder = folderWith()
    symlinkSync('a', join(folder, 'link'))
    await withFileLock(join(folder, 'link'), async () => {
      await expect(withFileLock(join(folder, 'a'), () => 'second')).rejects.toThrow(FileLockedError)
    })
  })

  it('ends with the work when that fails', async () => {
    const folder = folderWith()
    const fail = () => {
      throw new Error('failed')
    }
    await expect(withFileLock(join(folder, 'a'), fail)).rejects.toThrow('failed')
    await expect(withFileLock(join(folder, 'a'), async () => fail())).rejects.toThrow('failed')
    expect(readdirSync(folder)).toEqual([])
  })

  it('does nothing in a folder that is not there', async () => {
    const file = join(folderWith(), 'missing', 'a')
    await expect(withFileLock(file, () => 'done')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a lock that was left behind', () => {
  const endedPid = () => spawnSync(process.execPath, ['--eval', '']).pid
  const lockOf = (holder: object) => {
    const file = join(folderWith(), 'a')
    writeFileSync(`${file}.lock`, JSON.stringify({ host: hostname(), startedAt: '', ...holder }))
    return file
  }

  it('by a process of this host that has ended is taken over', async () => {
    const file = lockOf({ pid: endedPid() })
    expect(await withFileLock(file, () => 'done')).toBe('done')
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  it.runIf(process.platform === 'linux')('is taken over when its process id belongs to another process', async () => {
    expect(await withFileLock(lockOf({ pid: process.pid, startedAt: '1' }), () => 'done')).toBe('done')
  })

  it('is taken over also where a process ended while it took the lock over', async () => {
    const file = lockOf({ pid: endedPid() })
    writeFileSync(`${file}.lock.takeover`, JSON.stringify({ host: hostname(), startedAt: '', pid: endedPid() }))
    expect(await withFileLock(file, () => 'done')).toBe('done')
    expect(existsSync(`${file}.lock.takeover`)).toBe(false)
  })

  it('by a process of another host is not taken over', async () => {
    const file = lockOf({ pid: endedPid(), host: 'other.example' })
    const attempt = withFileLock(file, () => 'done')
    await expect(attempt).rejects.toThrow(FileLockedError)
    await expect(attempt).rejects.toThrow('on other.example is working on')
    expect(existsSync(`${file}.lock`)).toBe(true)
  })

  it.each(['', 'no JSON', '{"pid":"1"}'])('with %j in it is not taken over', async (text) => {
    const file = lockOf({})
    writeFileSync(`${file}.lock`, text)
    await expect(withFileLock(file, () => 'done')).rejects.toThrow(`delete ${file}.lock if it has ended`)
    expect(readFileSync(`${file}.lock`, 'utf8')).toBe(text)
  })
})

describe.runIf(process.platform === 'linux')('a lock of a container with the same host name', () => {
  const lockWith = (changes: object) => {
    const file = join(folderWith(), 'a')
    const lock = lockFile(file)
    const holder = JSON.parse(readFileSync(`${file}.lock`, 'utf8')) as object
    lock.release()
    writeFileSync(`${file}.lock`, JSON.stringify({ ...holder, ...changes }))
    return file
  }

  it('is not taken over, whatever its process id means here', async () => {
    const file = lockWith({ namespace: 'pid:[1]', startedAt: '1' })
    await expect(withFileLock(file, () => 'done')).rejects.toThrow(FileLockedError)
  })

  it('is taken over where the machine was started again since', async () => {
    await expect(withFileLock(lockWith({}), () => 'done')).rejects.toThrow(FileLockedError)
    expect(await withFileLock(lockWith({ boot: 'another' }), () => 'done')).toBe('done')
  })
})

describe('a lock with signs of life', () => {
  const elsewhere = { pid: 1, host: 'other.example', startedAt: '', staleAfterMs: 30_000 }
  const lockOf = (ageMs: number, holder: object = elsewhere) => {
    const file = join(folderWith(), 'a')
    writeFileSync(`${file}.lock`, JSON.stringify(holder))
    const at = new Date(Date.now() - ageMs)
    utimesSync(`${file}.lock`, at, at)
    return file
  }

  it('of another host is taken over when it gave none for too long', async () => {
    expect(await withFileLock(lockOf(35_000), () => 'done')).toBe('done')
    const attempt = withFileLock(lockOf(20_000), () => 'done')
    await expect(attempt).rejects.toThrow('Wait for it; if it has ended, start again after 30 seconds, or delete')
    const { staleAfterMs: _, ...silent } = elsewhere
    await expect(withFileLock(lockOf(35_000, silent), () => 'done')).rejects.toThrow(FileLockedError)
  })

  it('gives them by the time of the file system', () => {
    const file = join(folderWith(), 'a')
    const lock = lockFile(file, { staleAfterMs: 30_000 })
    const text = readFileSync(`${file}.lock`, 'utf8')
    utimesSync(`${file}.lock`, 1, 1)
    lock.confirm(3_600_000)
    expect(statSync(`${file}.lock`).mtimeMs).toBe(1000)
    lock.confirm()
    writeFileSync(`${file}.now`, '')
    expect(statSync(`${file}.now`).mtimeMs - statSync(`${file}.lock`).mtimeMs).toBeLessThan(30_000)
    expect(readFileSync(`${file}.lock`, 'utf8')).toBe(text)
    lock.release()
  })

  it('knows that another process has taken it over, and leaves that one alone', () => {
    const file = join(folderWith(), 'a')
    const lock = lockFile(file, { staleAfterMs: 30_000 })
    rmSync(`${file}.lock`)
    expect(() => lock.confirm()).toThrow(FileLockedError)
    writeFileSync(`${file}.lock`, JSON.stringify(elsewhere))
    expect(() => lock.confirm()).toThrow(`Process 1 on other.example has taken ${file}.lock over.`)
    lock.release()
    expect(readFileSync(`${file}.lock`, 'utf8')).toBe(JSON.stringify(elsewhere))
  })
})

/** A promise that is kept when the test says so. */
function openEnded(): { readonly promise: Promise<string>; readonly end: (value: string) => void } {
  let end: (value: string) => void = () => undefined
  const promise = new Promise<string>((resolve) => {
    end = resolve
  })
  return { promise, end }
}
