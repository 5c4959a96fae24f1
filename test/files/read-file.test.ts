import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readRegularFile } from '../../lib/files/read-file.js'
import { folderWith } from '../helpers/key-files.js'

const isWindows = process.platform === 'win32'

describe('readRegularFile', () => {
  it('reads a file of at most so many bytes', async () => {
    const file = join(folderWith({ a: 'text' }), 'a')
    expect(String(await readRegularFile(file, 4))).toBe('text')
    expect(await readRegularFile(file, 3)).toBeUndefined()
  })

  it.skipIf(isWindows)('reads a file through a link: Kubernetes lays secrets out in this way', async () => {
    const folder = folderWith({ a: 'text' })
    symlinkSync('a', join(folder, 'link'))
    expect(String(await readRegularFile(join(folder, 'link'), 10))).toBe('text')
  })

  it('does not read a folder, nor what is not there', async () => {
    const folder = folderWith()
    mkdirSync(join(folder, 'a'))
    await expect(readRegularFile(join(folder, 'a'), 10)).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(readRegularFile(join(folder, 'b'), 10)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.skipIf(isWindows)('neither waits for a pipe nor reads a device without an end', async () => {
    const pipe = join(folderWith(), 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const path of [pipe, '/dev/zero']) {
      await expect(readRegularFile(path, 10)).rejects.toMatchObject({ code: 'ENOTFILE' })
    }
  })
})
