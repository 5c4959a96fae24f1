/**
 * The benchmark: `npm run bench` takes some minutes and writes `bench/results/`, `npm run bench -- quick` takes two and
 * prints only.
 *
 *     node bench/run.mjs [quick] [--node <program>] [--only <part of a name>] [--out <folder>]
 *
 * Everything stays on this machine: servers on the first core, the load on the second, on the loopback address.
 *
 * @module
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { base, contenders, pairs } from './contenders.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', default: process.execPath },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
  },
})
const isQuick = positionals.includes('quick')
const { node } = values

if (!existsSync(join(folder, 'node_modules'))) {
  const options = ['--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, ...options], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
// They need what was just installed.
const { compare } = await import('./paired.mjs')
const { loginFlood } = await import('./login-flood.mjs')
const { barChart, markdownReport } = await import('./report.mjs')
const { moveToSecondCore, onAllCores, pinned } = await import('./server-process.mjs')

const isPinned = moveToSecondCore()
const options = isQuick
  ? { node, processes: 1, windows: 2, windowMs: 300, warmUpRequests: 5000, floodMs: 2000, roundMs: 100 }
  : { node, processes: 3, windows: 4, windowMs: 400, warmUpRequests: 12_000, floodMs: 10_000, roundMs: 1000 }

const about = machine()
const fileName = `node-${about.major}`
console.log(' ratio   medians of requests per second, each to its base in the same windows')
const results = {
  machine: about,
  isQuick,
  rows: await serverRows(),
  pairs: await pairRows(),
  pieces: await readRows(pinned, 'pieces.ts', String(options.roundMs)),
  flood: await loginFlood(options),
  tokenStore: isQuick ? undefined : await readRows(onAllCores, 'token-store.ts'),
  chartName: `${fileName}.svg`,
}
const markdown = markdownReport(results)
console.log(`\n${markdown}`)

const out = values.out ?? (isQuick ? undefined : join(folder, 'results'))
if (out !== undefined) {
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, `${fileName}.md`), markdown)
  writeFileSync(join(out, results.chartName), barChart(results))
}

function machine() {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1)
  return {
    title: `Benchmark on Node ${version.split('.')[0]}`,
    node: `Node ${version}`,
    major: version.split('.')[0],
    cpu: `${cpus().length} x ${cpus()[0].model.trim()}`,
    pinning: isPinned ? 'servers on one core, load on another' : 'without pinning to cores',
    date: new Date().toISOString().slice(0, 10),
  }
}

async function serverRows() {
  const rows = []
  for (const contender of contenders.filter(({ name }) => name.includes(values.only))) {
    const result = await compare(contender, base, options)
    rows.push({ ...contender, ...result })
    progress(contender.name, result)
  }
  const middle = rows[rows.length >> 1]
  const { baseRate } = middle
  return [{ ...base, ratio: 1, cpuRatio: 1, spread: [1, 1], added: 0, rate: baseRate, baseRate }, ...rows]
}

async function pairRows() {
  const rows = []
  for (const pair of pairs.filter(({ contender }) => contender.name.includes(values.only))) {
    const { contender, against, keepsCaller, floor } = pair
    const result = await compare(contender, against, { ...options, keepsCaller })
    const name = contender.name + (keepsCaller ? ', each caller on a connection of its own' : '')
    rows.push({ name, against: against.name, floor, ...result })
    progress(`${name} / ${against.name}`, result)
  }
  return rows
}

function progress(name, { ratio, rate }) {
  console.log(`${ratio.toFixed(2).padStart(6)} ${rate.toFixed(0).padStart(8)} req/s  ${name}`)
}

/** What a script in TypeScript sends. `place`: {@link pinned}, or {@link onAllCores}. */
async function readRows(place, script, ...parameters) {
  const [command, all] = place(node, '--import', 'tsx', '--expose-gc', join(folder, script), ...parameters)
  const child = spawn(command, all, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: join(folder, '..') })
  const failed = once(child, 'exit').then(([status]) => Promise.reject(new Error(`${script} ended with ${status}`)))
  failed.catch(() => {})
  const [rows] = await Promise.race([once(child, 'message'), failed])
  return rows
}
