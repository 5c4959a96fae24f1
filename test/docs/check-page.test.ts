/** docs/check.md shows what the command prints. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { checkCommand } from '../../lib/cli/check.js'
import type { CommandProcess } from '../../lib/cli/command.js'
import { readBlocks } from './fenced-blocks.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-page-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('docs/check.md shows what sallyport check prints for its file', async () => {
  const blocks = readBlocks('docs/check.md')
  const source = blocks.find(({ notes }) => notes.get('file') === 'shop.toml')!
  const shown = blocks.find(({ mark }) => mark === 'check')!
  const file = join(folder, 'shop.toml')
  writeFileSync(file, source.text)
  const lines: string[] = []
  const process = { stdout: { write: (text: string) => lines.push(text) }, stderr: { write() {} } }
  await checkCommand(process as unknown as CommandProcess).parseAsync([file], { from: 'user' })
  const printed = lines.join('').replaceAll(file, 'shop.toml').trimEnd()

  // A line of three dots stands for any lines.
  const parts = shown.text.split(/^\.\.\.$/m).map((part) => part.trim())
  let from = 0
  for (const part of parts) {
    const at = printed.indexOf(part, from)
    expect(at, `${part}\n\nis not in\n\n${printed}`).toBeGreaterThanOrEqual(0)
    from = at + part.length
  }
  expect(printed.startsWith(parts[0]!)).toBe(true)
  expect(printed.endsWith(parts.at(-1)!)).toBe(true)
})
