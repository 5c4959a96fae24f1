/**
 * Starts one of the servers in a process of its own, pinned to the first core where the system can do that.
 *
 * @module
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { load } from './load.mjs'

const apisPath = '/management/apis'

const warmUpWindowMs = 200

/** A server that is silent for so long is ended. */
const replyTimeoutMs = 30_000

const availableCores = cpus().length

const canPin = process.platform === 'linux' && spawnSync('taskset', ['-p', String(process.pid)]).status === 0

/** Leaves the first core to the servers, if that can be had. Whether it could. */
export function moveToSecondCore() {
  return canPin && spawnSync('taskset', ['-acp', '1', String(process.pid)]).status === 0
}

/** Program and arguments that run a script under a version of Node, on the first core if possible. */
export function pinned(node, ...parameters) {
  return canPin ? ['taskset', ['-c', '0', node, ...parameters]] : [node, parameters]
}

/** Program and arguments that run a script on all cores, as servers run, whose collector has threads of its own. */
export function onAllCores(node, ...parameters) {
  return canPin ? ['taskset', ['-c', `0-${availableCores - 1}`, node, ...parameters]] : [node, parameters]
}

/**
 * Starts a server, sees that it guards what it should, and warms it up.
 *
 * @param {import('./contenders.mjs').Contender} contender
 * @param {{ node: string, warmUpRequests: number, isPinned?: boolean, keepsCaller?: boolean, connections?: number }} options
 */
export async function startServer(
  { name, file, how, kind, dist, path = apisPath },
  { node, warmUpRequests, isPinned = true, keepsCaller, connections },
) {
  const env = { ...process.env, NODE_ENV: 'production', ...(dist && { BENCH_DIST: dist }) }
  const script = fileURLToPath(new URL(`servers/${file}.mjs`, import.meta.url))
  const parameters = [script, ...(how === undefined ? [] : [how])]
  const [command, all] = isPinned ? pinned(node, ...parameters) : [node, parameters]
  const child = spawn(command, all, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env })
  // Some print a refusal or a warning; it is of interest only when the server fails.
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed = (printed + text).slice(-5000)
  })
  const exited = once(child, 'exit')
  const hasEnded = exited.then(() => Promise.reject(new Error(`${name}: the server has ended\n${printed}`)))
  hasEnded.catch(() => {})
  const reply = async () => {
    const isStuck = setTimeout(() => child.kill('SIGKILL'), replyTimeoutMs)
    const [message] = await Promise.race([once(child, 'message'), hasEnded])
    clearTimeout(isStuck)
    return message
  }
  const processorTime = async () => {
    child.send('cpu')
    const { user, system } = await reply()
    return user + system
  }
  const { port, credentials, lookUp } = await reply()
  if (path === apisPath) await checkAnswers(name, port, credentials[0], kind !== 'unguarded')

  const requests = credentials.map((credential) => Buffer.from(`${requestHead(path)}${credential}\r\n\r\n`))
  const window = async (milliseconds) => {
    const before = await processorTime()
    const { answers, seconds } = await load({ port, requests, milliseconds, keepsCaller, connections })
    const after = await processorTime()
    return { answers, rate: answers / seconds, microseconds: (after - before) / answers }
  }
  // By requests, not by time: a compiler that has seen too few of them would decide the comparison.
  for (let answers = 0; answers < warmUpRequests; ) answers += (await window(warmUpWindowMs)).answers
  return {
    port,
    requests,
    lookUp,
    /** Requests per second, and processor time of each, in a window of this length. */
    window,
    async stop() {
      child.disconnect()
      await exited
    },
  }
}

/** A login with a password is refused to scripts of other origins. */
function requestHead(path) {
  const origin = path === apisPath ? ['Origin: https://portal.example.org'] : []
  return [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Accept: application/json', ...origin, ''].join('\r\n')
}

/** A server that lets everybody in, or that does not answer with CORS headers, does not do the same work. */
async function checkAnswers(name, port, credential, isGuarded) {
  const url = `http://127.0.0.1:${port}${apisPath}`
  const [field, value] = credential.split(': ')
  const good = await fetch(url, { headers: { [field]: value, Origin: 'https://portal.example.org' } })
  const { count } = await good.json()
  if (good.status !== 200 || count !== 6) throw new Error(`${name} answers ${good.status} to a good request`)
  if (!isGuarded) return
  if (good.headers.get('access-control-allow-origin') === null) throw new Error(`${name} sends no CORS headers`)

  const forged = value.slice(0, -20) + 'A'.repeat(20)
  for (const headers of [{}, { [field]: forged }]) {
    const refused = await fetch(url, { headers })
    await refused.text()
    if (refused.status !== 401) throw new Error(`${name} answers ${refused.status} without good credentials`)
  }
}
