/**
 * Writes the table of docs/security-requirements.md that says which tests cover which requirement.
 *
 * The requirements are in test/security-requirements.json. A test names those it covers in a comment, for example
 * `// Covers: A10 A12`, above its `it` or `describe`. A requirement without a test has a reason there (`untested`).
 * With `--check` nothing is written: the exit code is 1 when the table is not what it would be.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/security-requirements.md')
const begin = '<!-- security-table: npm run security-table -->'
const end = '<!-- /security-table -->'

const requirements = JSON.parse(readFileSync(join(root, 'test/security-requirements.json'), 'utf8'))
const coverage = coverageOf(join(root, 'test'))
const mistakes = mistakesIn(requirements, coverage)

const text = readFileSync(page, 'utf8')
const [before, rest] = text.split(begin)
const after = rest?.split(end)[1]
if (after === undefined) mistakes.push(`docs/security-requirements.md has no "${begin}" and "${end}"`)
const next = `${before}${begin}\n${tableOf(requirements, coverage)}\n${end}${after}`
if (process.argv.includes('--check')) {
  if (next !== text) mistakes.push('the table of docs/security-requirements.md is old: npm run security-table')
} else if (mistakes.length === 0) {
  writeFileSync(page, next)
}
for (const mistake of mistakes) console.error(mistake)
process.exitCode = mistakes.length === 0 ? 0 : 1

/** The test files that cover each requirement, in the order of their paths. */
function coverageOf(folder) {
  const covering = new Map()
  const files = readdirSync(folder, { recursive: true }).map((file) => file.replaceAll('\\', '/'))
  for (const file of files.filter((name) => name.endsWith('.test.ts')).sort()) {
    for (const [, ids] of readFileSync(join(folder, file), 'utf8').matchAll(/^ *\/\/ Covers: (.+)$/gm)) {
      for (const id of ids.trim().split(/\s+/)) covering.set(id, (covering.get(id) ?? new Set()).add(file))
    }
  }
  return covering
}

function mistakesIn(rows, covering) {
  const known = new Set(rows.map(({ id }) => id))
  const unknown = [...covering.keys()].filter((id) => !known.has(id))
  return [
    ...unknown.map((id) => `${id} is covered by ${[...covering.get(id)]}, but is no requirement`),
    ...rows.flatMap(({ id, untested }) => {
      if (covering.has(id) && untested !== undefined) return [`${id} has a test: its reason for having none is old`]
      return covering.has(id) || untested !== undefined ? [] : [`${id} has neither a test nor a reason`]
    }),
  ]
}

function tableOf(rows, covering) {
  const lines = rows.map(({ id, requirement, source, untested }) => {
    const tests = [...(covering.get(id) ?? [])].map((file) => `[${nameOf(file)}](../test/${file})`)
    const origin = source === undefined ? '' : ` (${source})`
    return `| ${id} | ${requirement}${origin} | ${untested === undefined ? tests.join(', ') : `none: ${untested}`} |`
  })
  return ['| | what must hold | tests |', '|---|---|---|', ...lines].join('\n')
}

function nameOf(file) {
  return file.replace(/\.test\.ts$/, '')
}
