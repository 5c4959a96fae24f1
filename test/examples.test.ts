/** The list of examples, and that each of them is run. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { filesBelow } from './helpers/static-imports.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const list = readFileSync(`${root}examples/README.md`, 'utf8')
const tests = filesBelow(`${root}test`, '.test.ts').map((name) => readFileSync(`${root}test/${name}`, 'utf8'))

/** An app is a file, or a folder with one. */
const examples = readdirSync(`${root}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
  .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))

it.each(examples)('%s is in examples/README.md, and a test runs it', (name) => {
  expect(list).toContain(`[${name}](`)
  expect(tests.filter((text) => text.includes(`examples/${name}`))).not.toEqual([])
})

it.each(examples.filter((name) => name.endsWith('.ts')))('%s says how to run it', (name) => {
  const [comment] = readFileSync(`${root}examples/${name}`, 'utf8').split('*/')
  expect(comment).toMatch(/`.*(?:npm start|node --import tsx)/)
})
