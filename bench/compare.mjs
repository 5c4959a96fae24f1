/**
 * Compares two builds of the package in paired windows: guarded requests, look-ups among 100 000 tokens, and logins.
 *
 *     node bench/compare.mjs <dist before> <dist after> [--node <program>]... [--only <part of a name>] [--windows <number>]
 *
 * Prints a Markdown table. A ratio above 1: the build after is quicker.
 *
 * @module
 */

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compare } from './paired.mjs'
import { table } from './report.mjs'
import { moveToSecondCore } from './server-process.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', multiple: true, default: [process.execPath] },
    only: { type: 'string', default: '' },
    windows: { type: 'string', default: '7' },
  },
})
if (positionals.length !== 2) throw new TypeError('compare.mjs needs two folders: the build before and the build after')
const [before, after] = positionals.map((folder) => resolve(folder))

const workloads = [
  { name: 'guarded, callers in turn', how: 'create' },
  { name: 'guarded, a connection for each caller', how: 'create', keepsCaller: true },
  { name: 'guarded, app.listen', how: 'listen' },
  { name: 'guarded, 100 000 tokens', how: 'look-ups' },
  // A login takes tens of milliseconds.
  { name: 'login', how: 'logins', path: '/management/login', connections: 4, windowMs: 1500, warmUpRequests: 100 },
].filter(({ name }) => name.includes(values.only))

moveToSecondCore()
const rows = []
for (const node of values.node) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  for (const { name, how, path, ...own } of workloads) {
    const side = (dist) => ({ name: `${name} of ${dist}`, file: 'sallyport', how, path, kind: 'us', dist })
    const options = {
      node,
      processes: 3,
      windows: Number(values.windows),
      windowMs: 350,
      warmUpRequests: 12_000,
      ...own,
    }
    const { cpuRatio, spread, ratio, added, rate, lookUps } = await compare(side(after), side(before), options)
    rows.push([
      version,
      name,
      cpuRatio.toFixed(3),
      spread.map((value) => value.toFixed(3)).join(' - '),
      ratio.toFixed(3),
      added.toFixed(1),
      Math.round(rate),
    ])
    if (how === 'look-ups') {
      const [us, them] = lookUps
      rows.push([version, 'look-up among 100 000 tokens', (them / us).toFixed(3), '', '', (us - them).toFixed(2), ''])
    }
    console.error(rows.at(-1).join('  '))
  }
}
console.log(
  table(
    ['Node', 'what', 'CPU time before / after', 'quartiles', 'rate after / before', 'us more', 'requests/s after'],
    rows,
  ),
)
