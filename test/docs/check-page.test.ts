import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, expect, it, vi } from 'vitest'
import { checkCommand } from '../../lib/cli/check.js'
import type { CommandProcess } from '../../lib/cli/command.js'
import { coverageCommand } from '../../lib/cli/coverage.js'
import { diffCommand } from '../../lib/cli/diff.js'
import { explainCommand } from '../../lib/cli/explain.js'
import { type FencedBlock, readBlocks } from './fenced-blocks.js'
import { root } from './pages.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'))
const directory = process.cwd()
afterAll(() => {
  process.chdir(directory)
  rmSync(folder, { recursive: true })
})

const blocks = readBlocks('docs/check.md')
const create: Readonly<Record<string, (process: CommandProcess) => Command>> = {
  check: checkCommand,
  explain: explainCommand,
  diff: diffCommand,
  coverage: coverageCommand,
}

/** A command with the output that the page shows. */
const shown = blocks.filter(({ language, text }) => language === 'text' && text.startsWith('$ npx sallyport '))
const mine = shown.filter(({ text }) => create[text.split(' ')[3]!] !== undefined)

/** The files of the page; the module imports what the tests import. */
function writeFiles(server: string): void {
  for (const { notes, text } of blocks) {
    const name = notes.get('file')
    if (name === undefined) continue
    const express = join(root, 'node_modules/express/index.js')
    const own = text
      .replace("from 'sallyport'", `from '${root}lib/index.ts'`)
      .replace(
        "import express, { type RequestHandler } from 'express'",
        `import express from '${express}'\ntype RequestHandler = express.RequestHandler`,
      )
    writeFileSync(join(folder, name === 'server.ts' ? server : name), own)
  }
}

async function outputOf(
  { text }: FencedBlock,
  server: string,
): Promise<{ readonly output: string; readonly code: unknown }> {
  const [line = ''] = text.split('\n', 1)
  const words = [...line.slice('$ npx sallyport '.length).matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain!,
  )
  const [name = '', ...args] = words.map((word) => (word === 'server.js' ? server : word))
  const written: string[] = []
  const fake = {
    stdout: { write: (part: string) => written.push(part) },
    stderr: { write: (part: string) => written.push(part) },
    exitCode: undefined,
  } as unknown as CommandProcess
  await create[name]!(fake).parseAsync(args, { from: 'user' })
  return { output: written.join('').trimEnd(), code: fake.exitCode ?? 0 }
}

it.each(mine)('the command at $place prints what the page shows', async (block) => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  // A module is loaded once.
  const server = `server-${mine.indexOf(block)}.ts`
  writeFiles(server)
  process.chdir(folder)
  const { output, code } = await outputOf(block, server)
  process.chdir(directory)
  vi.restoreAllMocks()
  expect(output).toBe(block.text.slice(block.text.indexOf('\n') + 1).trimEnd())
  expect(code).toBe(/--fail-on|^\$ npx sallyport (?:check|diff)/.test(block.text) ? 1 : 0)
})

it('shows each command', () => {
  expect(mine.length).toBeGreaterThanOrEqual(6)
})
