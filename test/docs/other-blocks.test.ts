import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { blocksIn, type FencedBlock, readBlocks } from './fenced-blocks.js'
import { markdownFiles } from './pages.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-blocks-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Throws what is wrong with a block, by its language. */
const checks: Readonly<Record<string, (block: FencedBlock) => void>> = {
  json: ({ text }) => void JSON.parse(text),
  yaml: ({ text }) => {
    const { errors, warnings } = parseDocument(text)
    for (const problem of [...errors, ...warnings]) throw problem
  },
  js: ({ text }) => {
    const file = join(folder, 'block.mjs')
    writeFileSync(file, text)
    const { status, stderr } = spawnSync(process.execPath, ['--check', file])
    if (status !== 0) throw new Error(stderr.toString())
  },
}

/** Blocks that others check, and those that only a reader can: output, a unit file, a form, an image. */
const elsewhere = ['sh', 'ts', 'toml', 'nginx', 'text', 'ini', 'html', 'dockerfile']

const blocks = markdownFiles.flatMap(readBlocks)

it.each(blocks.filter(({ language }) => language in checks))('the $language at $place is well formed', (block) => {
  checks[block.language]!(block)
})

it.each(Object.entries({ json: '{"a":1,}', yaml: 'a: [1', js: 'const a = (1' }))(
  'a mistake in a block of %s is found',
  (language, text) => {
    const [block] = blocksIn(`\`\`\`${language}\n${text}\n\`\`\``, 'broken.md')
    expect(() => checks[language]!(block!)).toThrow()
  },
)

it('there are no blocks of other languages', () => {
  const known = [...Object.keys(checks), ...elsewhere]
  expect(blocks.filter(({ language }) => !known.includes(language)).map(({ place }) => place)).toEqual([])
})
