import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replaceFile } from '../../lib/files/replace-file.js'
import { folderWith } from '../helpers/key-files.js'

const isRoot = process.getuid?.() === 0

describe('replaceFile', () => {
  it('writes a file that only its owner can read, whatever it was before', () => {
    const folder = folderWith({ 'a.txt': 'old' })
    for (const name of ['a.txt', 'new.txt']) {
      replaceFile(join(folder, name), 'new')
      expect(readFileSync(join(folder, name), 'utf8')).toBe('new')
      if (process.platform !== 'win32') expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    }
    expect(readdirSync(folder).toSorted()).toEqual(['a.txt', 'new.txt'])
  })

  it.skipIf(process.platform === 'win32')('replaces a link, and leaves alone what it pointed to', () => {
    const folder = folderWith({ target: 'kept' })
    symlinkSync(join(folder, 'target'), join(folder, 'link'))
    replaceFile(join(folder, 'link'), 'new')
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(false)
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('kept')
  })

  it.skipIf(process.platform === 'win32')('writes a file for everybody where it is told so', () => {
    const file = join(folderWith(), 'a')
    replaceFile(file, 'x', { mode: 0o644 })
    expect(statSync(file).mode & 0o777).toBe(0o644)
  })

  it.skipIf(!isRoot)('gives the file to another owner where it may', () => {
    const file = join(folderWith(), 'a')
    replaceFile(file, 'x', { owner: { uid: 12_345, gid: 23_456 } })
    expect(statSync(file)).toMatchObject({ uid: 12_345, gid: 23_456 })
  })

  it('leaves nothing behind when it fails', () => {
    const folder = folderWith()
    expect(() => replaceFile(join(folder, 'missing', 'a'), 'x')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    mkdirSync(join(folder, 'taken'))
    writeFileSync(join(folder, 'taken', 'file'), '')
    expect(() => replaceFile(join(folder, 'taken'), 'x')).toThrow()
    expect(readdirSync(folder)).toEqual(['taken'])
  })
})
