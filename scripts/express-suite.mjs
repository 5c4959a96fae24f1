/**
 * Runs the tests of Express, or of a middleware, with every server for an Express app made by `createExpressServer`.
 *
 *     npm run express-suite -- <folder of a checkout> [--plain | --handlers] [file ...]
 *
 * The folder is a checkout with its packages installed, as the packages of Express on npm have no tests. Its mocha runs
 * `test/` and, where there is one, `test/acceptance/`, or the files that are named.
 *
 * - `--plain`: servers are made as ever. A test that fails here too says nothing about `createExpressServer`.
 * - `--handlers`: for a middleware whose tests serve plain handlers, which are then served as though they were apps.
 *
 * The exit code is 1 when a test failed or none passed, and when no request came to a server of `createExpressServer`.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const flags = { plain: { type: 'boolean', default: false }, handlers: { type: 'boolean', default: false } }
const { values, positionals } = parseArgs({ options: flags, allowPositionals: true })
const [checkout, ...files] = positionals
const madeBy = values.plain ? 'http.createServer' : 'createExpressServer'
const mocha = resolve(checkout ?? '', 'node_modules/mocha/bin/_mocha')
if (checkout === undefined || !existsSync(mocha)) {
  console.error(
    'usage: npm run express-suite -- <folder of a checkout, after npm install> [--plain | --handlers] [file ...]',
  )
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'express-suite-'))
try {
  const countsFile = join(folder, 'counts')
  const { exitCode, output } = await runMocha(countsFile)
  process.exitCode = report(exitCode, mochaCounts(output), serverCounts(countsFile))
} finally {
  rmSync(folder, { recursive: true })
}

/** Runs mocha in the checkout; what it prints is shown and kept. */
async function runMocha(countsFile) {
  const preload = values.plain ? [] : ['--import', new URL('express-suite-preload.mjs', import.meta.url).href]
  const handlers = values.handlers ? { EXPRESS_SUITE_HANDLERS: '1' } : {}
  const env = { ...process.env, ...handlers, EXPRESS_SUITE_COUNTS: countsFile }
  const parameters = [...preload, mocha, '--check-leaks', '--reporter', 'dot', ...setUp(), ...testFiles()]
  const child = spawn(process.execPath, parameters, { cwd: checkout, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  const exitCode = await new Promise((done, fail) => {
    child.on('error', fail).on('close', done)
  })
  return { exitCode, output }
}

/** Express and most of its middlewares set their environment up in this file. */
function setUp() {
  return existsSync(resolve(checkout, 'test/support/env.js')) ? ['--require', './test/support/env'] : []
}

function testFiles() {
  if (files.length > 0) return files
  return ['test/', 'test/acceptance/'].filter((name) => existsSync(resolve(checkout, name)))
}

/** The last lines of mocha's reporter: `12 passing (3s)`, `1 failing`, `2 pending`. */
function mochaCounts(output) {
  const last = (word) => Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}\\b`, 'gm'))].at(-1)?.[1] ?? 0)
  return { passed: last('passing'), failed: last('failing'), skipped: last('pending') }
}

/** The sums over mocha and the processes that it started. */
function serverCounts(file) {
  const sums = { servers: 0, otherServers: 0, requests: 0, bornAsExpress: 0 }
  if (!existsSync(file)) return sums
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    for (const [name, count] of Object.entries(JSON.parse(line))) sums[name] += count
  }
  return sums
}

/** Prints the sums, and returns the exit code. */
function report(mochaExitCode, { passed, failed, skipped }, { servers, otherServers, requests, bornAsExpress }) {
  console.log(`Node ${process.version}, servers for Express apps by ${madeBy}`)
  if (!values.plain) {
    console.log(`${servers} servers by createExpressServer, ${otherServers} others (no Express app, or with options)`)
    console.log(`${bornAsExpress} of ${requests} requests born with the prototypes of an app`)
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  if (mochaExitCode !== 0 || failed > 0 || passed === 0) return 1
  if (values.plain || bornAsExpress > 0) return 0
  console.error('No request came to a server of createExpressServer: this run says nothing about it.')
  return 1
}
