import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config.js'
import { readBlocks, withTables } from './fenced-blocks.js'
import { markdownFiles } from './pages.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-blocks-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Loads a block as a file, with a value for each placeholder. */
async function load(text: string) {
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets, { recursive: true })
  for (const [, name = ''] of text.matchAll(/\$file\{\/run\/secrets\/([\w.-]+)\}/g))
    writeFileSync(join(secrets, name), 'made-up')
  const env = Object.fromEntries(
    [...text.matchAll(/\$env\{(\w+)\}/g)].map(([, name = '']) => [name, 'made-up, and long enough for a key']),
  )
  const file = join(folder, 'deployment.toml')
  writeFileSync(file, text.replaceAll('/run/secrets', secrets))
  return loadConfig(file, { env })
}

const blocks = markdownFiles
  .flatMap(readBlocks)
  .filter(({ language, notes }) => language === 'toml' && !notes.has('not run'))

it('are found', () => {
  expect(blocks.length).toBeGreaterThan(20)
})

it.each(blocks)('the file at $place can be loaded', async (block) => {
  await expect(load(withTables(block.text, block))).resolves.toMatchObject({ managementApi: {} })
})

it.each([
  ['a key that is not known', '[management_api.cors]\nallowed_orgins = ["*"]'],
  ['a value of another type', '[portal]\norigins = 1'],
  ['what is no TOML', '[portal'],
])('%s makes a block fail', async (_name, text) => {
  await expect(load(text)).rejects.toThrow('deployment.toml:')
})
