/**
 * The cluster benchmark: `npm run bench:cluster` fills one Redis with a million tokens, lets 1, 2 and 8 processes work on it, and
 * writes `bench/results/cluster.md`, in some ten minutes.
 *
 *     node bench/cluster.mjs [--tokens <number>] [--processes 1,2,8] [--rounds <number>] [--node <program>] [--out <folder>]
 *
 * Everything stays on this machine. What counts is processor time, and what Redis says that it has done: all of it shares two cores.
 *
 * @module
 */

import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { atATime, startProcess } from './cluster-process.mjs'
import { startRedis } from './cluster-redis.mjs'
import { clusterReport } from './cluster-report.mjs'
import { load } from './load.mjs'
import { compare } from './paired.mjs'
import { moveToSecondCore } from './server-process.mjs'

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '1000000' },
    processes: { type: 'string', default: '1,2,8' },
    rounds: { type: 'string', default: '500' },
    windows: { type: 'string', default: '10' },
    node: { type: 'string', default: process.execPath },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
})
const [tokenCount, rounds, windows] = [values.tokens, values.rounds, values.windows].map(Number)
const { node } = values
const keyPrefix = 'bench'
const apis = '/management/apis'
const idleMs = 10_000
const warmMs = 2000
/** Operations under way at a time. */
const width = 16

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const loadBefore = loadavg()[0]
const redis = await startRedis(keyPrefix)
const running = []
try {
  const markdown = clusterReport(await measure())
  console.log(`\n${markdown}`)
  mkdirSync(values.out, { recursive: true })
  writeFileSync(join(values.out, 'cluster.md'), markdown)
} finally {
  for (const started of running) await started.stop()
  await redis.stop()
  rmSync(folder, { recursive: true })
}

async function measure() {
  const keyFile = join(folder, 'token-key.pem')
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const settings = { url: redis.url, keyFile, keyPrefix, password: randomUUID(), maxSize: 2 * tokenCount + 1_000_000 }
  const { version } = await redis.info()
  const { bytes, seconds } = await redis.fill(tokenCount)
  console.error(`${tokenCount} tokens in ${seconds.toFixed(0)} s, ${bytes.toFixed(0)} bytes each`)

  const alone = await redis.rates(() => sleep(idleMs))
  const rows = []
  for (const count of values.processes.split(',').map(Number)) {
    for (let started = 0; started < count; started++) running.push(await startProcess(node, settings))
    rows.push(await measureProcesses(settings, alone))
    console.error(`${count} processes are measured`)
    for (const started of running.splice(0)) await started.stop()
  }
  return {
    machine: machine(version),
    tokenCount,
    rounds,
    bytes,
    rows,
    ...(await measureKnown(settings)),
    pair: await compareWithMemory(settings),
  }
}

async function measureProcesses({ password }, alone) {
  const [first] = running
  const idle = await redis.rates(() => sleep(idleMs))
  const known = (await first.ask('issue', rounds)).map((token) => `Bearer ${token}`)
  const each = (work) => atATime(width, known.length, (index) => work(known[index]))
  const meet = () => each((bearer) => Promise.all(running.map((member) => member.call(apis, bearer))))
  const count = rounds * running.length
  const cold = await redis.costs(count, idle, meet)
  const warm = await redis.costs(count, idle, meet)
  const app = await processorTime(known)
  const logout = await redis.costs(rounds, idle, () => each((bearer) => first.call('/management/logout', bearer)))

  const tokens = []
  const logIn = async (index) => {
    const basic = `Basic ${btoa(`user-${1000 + (index % 200)}:${password}`)}`
    const { AccessToken } = JSON.parse(await running[index % running.length].call('/management/login', basic))
    tokens.push(`Bearer ${AccessToken}`)
  }
  const login = await redis.costs(rounds, idle, () => atATime(width, rounds, logIn))
  const sent = {
    login: await redis.sent(20, () => inTurn(20, logIn)),
    cold: await redis.sent(20, () => inTurn(20, (index) => first.call(apis, tokens[index]))),
    warm: await redis.sent(20, () => inTurn(20, (index) => first.call(apis, tokens[index]))),
    logout: await redis.sent(20, () => inTurn(20, (index) => first.call('/management/logout', tokens[index]))),
  }
  const lags = running.length < 2 ? undefined : await measureLags(tokens.slice(20, 20 + rounds))
  const heartbeat = (idle.cpu - alone.cpu) / running.length
  const idleCommands = (idle.commands - alone.commands) / running.length
  return { processes: running.length, heartbeat, idleCommands, cold, warm, login, logout, sent, app, lags }
}

/** Microseconds of a process for a request with a token that it knows. */
async function processorTime(bearers) {
  const requests = bearers.map((bearer) =>
    Buffer.from(`GET ${apis} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${bearer}\r\n\r\n`),
  )
  const [{ port, ask }] = running
  await load({ port, requests, milliseconds: warmMs })
  const before = await ask('cpu')
  const { answers } = await load({ port, requests, milliseconds: warmMs })
  return ((await ask('cpu')) - before) / answers
}

/** Milliseconds from the answer to a logout at the first process to the last admission at any of the others, for each token. */
async function measureLags(bearers) {
  const [first, ...others] = running
  const lags = []
  for (const bearer of bearers) {
    await Promise.all(running.map((member) => member.call(apis, bearer)))
    const admissions = Promise.all(others.map((member) => member.lastAdmission(apis, bearer)))
    admissions.catch(() => {})
    await sleep(5)
    await first.call('/management/logout', bearer)
    const answeredAt = performance.now()
    lags.push(Math.max(...(await admissions)) - answeredAt)
  }
  return lags.sort((left, right) => left - right)
}

/** The bytes of a token that a process knows: there, and in Redis, which remembers whom to tell. */
async function measureKnown(settings) {
  const member = await startProcess(node, settings)
  running.push(member)
  const knownCount = await member.ask('hold', Math.min(100_000, tokenCount))
  const before = await redis.info()
  const heap = await member.ask('heap')
  const after = await redis.info()
  await running.pop().stop()
  return { knownCount, heap, tracked: (after.memory - before.memory) / knownCount }
}

function compareWithMemory({ url }) {
  moveToSecondCore()
  const side = (name, how) => ({ name, file: 'sallyport', how, kind: 'us' })
  const options = { node, processes: 1, windows, windowMs: 350, warmUpRequests: 12_000 }
  return compare(side('tokens in Redis', url), side('tokens in memory', 'create'), options)
}

function inTurn(count, work) {
  return atATime(1, count, work)
}

function machine(redisVersion) {
  const nodeVersion = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1)
  const cpu = `${cpus().length} x ${cpus()[0].model.trim()}`
  const date = new Date().toISOString().slice(0, 10)
  return { text: `Node ${nodeVersion}, Redis ${redisVersion}, ${cpu}`, date, load: loadBefore }
}
