import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canonicalPath } from '../../lib/files/replace-file.js'

function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-links-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'other', 'deep'), { recursive: true })
  return folder
}

describe.skipIf(process.platform === 'win32')('the canonical path', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['of a file', {}],
    ['of a relative link', { link: 'other/file' }],
    ['of a chain', { link: 'first', first: 'other/second', 'other/second': 'file' }],
    ['of a link that goes up', { link: 'other/deep/up', 'other/deep/up': '../file' }],
    ['below a link to a folder', { link: 'folder/file', folder: 'other' }],
    [
      'below a link to a folder, by a link in it that goes up',
      { link: 'folder/up', folder: 'other/deep', 'other/deep/up': '../file' },
    ],
  ])('%s is the same whether the file is there or not', (_what, links) => {
    const folder = newFolder()
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name))
    const file = join(folder, 'other', 'file')
    const from = 'link' in links ? join(folder, 'link') : file
    expect(canonicalPath(from)).toBe(file)
    writeFileSync(file, '')
    expect(canonicalPath(from)).toBe(file)
  })

  it('of an absolute link is its target, and of what is in no folder that path', () => {
    const folder = newFolder()
    symlinkSync(join(folder, 'other', 'file'), join(folder, 'link'))
    expect(canonicalPath(join(folder, 'link'))).toBe(join(folder, 'other', 'file'))
    expect(canonicalPath(join(folder, 'no', 'folder'))).toBe(join(folder, 'no', 'folder'))
  })

  it('does not end where links go round: it throws', () => {
    const folder = newFolder()
    symlinkSync('two', join(folder, 'one'))
    symlinkSync('one', join(folder, 'two'))
    expect(() => canonicalPath(join(folder, 'one'))).toThrow(expect.objectContaining({ code: 'ELOOP' }))
  })
})
