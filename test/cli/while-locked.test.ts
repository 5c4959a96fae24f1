import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CommandError } from '../../lib/cli/read-password.js'
import { whileLocked } from '../../lib/cli/while-locked.js'
import { folderWith } from '../helpers/key-files.js'

describe('whileLocked', () => {
  it('refuses a second one until the first has ended', async () => {
    const folder = folderWith()
    const file = join(folder, 'a')
    const { promise, end } = openEnded()
    const first = whileLocked(file, () => promise)
    const second = whileLocked(file, () => 'second')
    await expect(second).rejects.toThrow(CommandError)
    await expect(second).rejects.toThrow(`working on ${file}. If none is, one was killed: delete ${file}.lock`)
    expect(await whileLocked(join(folder, 'b'), () => 'another file')).toBe('another file')
    end('first')
    expect(await first).toBe('first')
    expect(await whileLocked(file, () => 'third')).toBe('third')
    expect(readdirSync(folder)).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('takes a link for the file that it points to', async () => {
    const folder = folderWith({ a: '' })
    symlinkSync('a', join(folder, 'link'))
    await whileLocked(join(folder, 'link'), async () => {
      await expect(whileLocked(join(folder, 'a'), () => 'second')).rejects.toThrow(CommandError)
    })
  })

  it.skipIf(process.platform === 'win32')('takes a dangling link for the file that will be there', async () => {
    const folder = folderWith()
    symlinkSync('a', join(folder, 'link'))
    await whileLocked(join(folder, 'link'), async () => {
      await expect(whileLocked(join(folder, 'a'), () => 'second')).rejects.toThrow(CommandError)
    })
  })

  it('ends with the work when that fails', async () => {
    const folder = folderWith()
    const fail = () => {
      throw new Error('failed')
    }
    await expect(whileLocked(join(folder, 'a'), fail)).rejects.toThrow('failed')
    await expect(whileLocked(join(folder, 'a'), async () => fail())).rejects.toThrow('failed')
    expect(readdirSync(folder)).toEqual([])
  })

  it('does nothing in a folder that is not there', async () => {
    const file = join(folderWith(), 'missing', 'a')
    await expect(whileLocked(file, () => 'done')).rejects.toMatchObject({ code: 'ENOENT' })
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
