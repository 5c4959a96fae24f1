/**
 * Runs histories: `npm run simulate -- --seeds 1000000 --from 1`. One of them, to the letter: `npm run simulate -- --seed 7 --trace`.
 * See README.md.
 */

import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadCompiled } from './compiled.js'
import { deliberateFaults } from './deliberate-faults.js'
import type { Result } from './run-seed.js'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    /** Puts a fault into the code: its name in deliberate-faults.ts. */
    fault: { type: 'string' },
    processes: { type: 'string', default: String(availableParallelism()) },
  },
})
const from = Number(values.seed ?? values.from)
const seeds = values.seed === undefined ? Number(values.seeds) : 1
const processes = values.trace || values.fault !== undefined ? 1 : Math.min(Number(values.processes), seeds)
if (![from, seeds, processes].every((value) => Number.isSafeInteger(value) && value > 0)) {
  throw new TypeError('--seeds, --from, --seed and --processes must be whole numbers above 0')
}

/** Events that are shown before a violation. */
const shownLines = 40

const begin = performance.now()
const isGood = processes === 1 ? await runHere() : await runInProcesses()
if (isGood && !values.trace && process.env['SIMULATION_PART'] === undefined) {
  console.log(`${seeds} seeds, nothing found, ${((performance.now() - begin) / 1000).toFixed(1)} s`)
}
process.exitCode = isGood ? 0 : 1

async function runInProcesses(): Promise<boolean> {
  const size = Math.ceil(seeds / processes)
  const parts = Array.from({ length: processes }, (_, index) => {
    const first = from + index * size
    const count = Math.min(size, from + seeds - first)
    return count > 0 ? runPart(first, count) : true
  })
  return (await Promise.all(parts)).every(Boolean)
}

function runPart(first: number, count: number): Promise<boolean> {
  const options = ['--processes', '1', '--from', String(first), '--seeds', String(count)]
  const command = [...process.execArgv, fileURLToPath(import.meta.url), ...options]
  const env = { ...process.env, SIMULATION_PART: '1' }
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'], env })
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)))
}

/** Ends with the first seed that breaks a promise. */
async function runHere(): Promise<boolean> {
  const fault = deliberateFaults.find(({ name }) => name === values.fault)
  if (values.fault !== undefined && fault === undefined) throw new TypeError(`--fault: there is no ${values.fault}`)
  const inTurn = await (await loadCompiled(fault === undefined ? [] : [fault.change])).prepareRuns()
  // An outage is thousands of errors, whose stacks nobody reads.
  if (!values.trace) Error.stackTraceLimit = 0
  let failed: Result | undefined
  await inTurn((run) => {
    for (let seed = from; seed < from + seeds && failed === undefined; seed++) {
      const lines: string[] | undefined = values.trace ? [] : undefined
      const result = run(seed, lines)
      if (lines !== undefined) console.log(lines.join('\n'))
      if (result.violations.length > 0) failed = result
    }
    if (failed !== undefined && !values.trace) show(failed, run)
  })
  return failed === undefined
}

/** Runs it once more for its history. */
function show({ seed, violations }: Result, run: (seed: number, lines: string[]) => Result): void {
  const lines: string[] = []
  run(seed, lines)
  const end = lines.findIndex((line) => line.includes('VIOLATION'))
  console.log([lines[0], ...lines.slice(Math.max(1, end - shownLines), end)].join('\n'))
  for (const { property, message, at } of violations)
    console.log(`property (${property}) at ${at.toFixed(3)} ms: ${message}`)
  console.log(`seed ${seed} breaks a promise; to repeat it: npm run simulate -- --seed ${seed} --trace`)
}
