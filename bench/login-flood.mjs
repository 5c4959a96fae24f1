/**
 * Authenticated calls while wrong logins pour in: how long the slowest per cent of them waits, and whether one is refused.
 *
 * @module
 */

import http from 'node:http'
import { contenders } from './contenders.mjs'
import { startServer } from './server-process.mjs'

const loginsPerSecond = 500
const callsPerSecond = 400
const tickMs = 20

/**
 * @param {{ node: string, warmUpRequests: number, floodMs: number }} options
 * @returns milliseconds `p50`, `p99` and `longest` of the calls; how many there were and how many were refused; the
 * statuses with which the logins were answered
 */
export async function loginFlood(options) {
  // On all cores: hashing is made to leave one to the event loop.
  const server = await startServer(contenders[0], { ...options, isPinned: false })
  const { port, requests } = server
  const authorizations = requests.map((bytes) => /Authorization: (.*)\r\n/.exec(bytes.toString('latin1'))[1])
  const agents = { logins: new http.Agent({ keepAlive: true }), calls: new http.Agent({ keepAlive: true }) }
  const latencies = []
  const logins = {}
  const pending = new Set()
  let refused = 0
  let sent = 0

  const call = async () => {
    const begin = performance.now()
    const authorization = authorizations[sent++ % authorizations.length]
    const status = await statusOf({ port, path: '/management/apis', agent: agents.calls, headers: { authorization } })
    latencies.push(performance.now() - begin)
    if (status !== 200) refused++
  }
  const login = async () => {
    // Sources and names that nothing is known of, in part; locks on pairs of both would make it easy.
    const localAddress = `127.0.${random(200)}.${1 + random(200)}`
    const name = random(2) === 0 ? `user-${random(200)}` : `nobody-${random(1e6)}`
    const authorization = `Basic ${Buffer.from(`${name}:wrong-${random(1e6)}`).toString('base64')}`
    const path = '/management/login'
    const status = await statusOf({ port, path, agent: agents.logins, localAddress, headers: { authorization } })
    logins[status] = (logins[status] ?? 0) + 1
  }
  const start = (work) => {
    const done = work().finally(() => pending.delete(done))
    pending.add(done)
  }

  const begin = performance.now()
  let [loginsDue, callsDue] = [0, 0]
  while (performance.now() - begin < options.floodMs) {
    const seconds = (performance.now() - begin) / 1000
    for (; loginsDue < seconds * loginsPerSecond; loginsDue++) start(login)
    for (; callsDue < seconds * callsPerSecond; callsDue++) start(call)
    await new Promise((resolve) => setTimeout(resolve, tickMs))
  }
  await Promise.all(pending)
  agents.logins.destroy()
  agents.calls.destroy()
  await server.stop()

  latencies.sort((left, right) => left - right)
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))]
  return { p50: at(0.5), p99: at(0.99), longest: at(1), calls: latencies.length, refused, logins }
}

function random(count) {
  return Math.floor(Math.random() * count)
}

/** @param {http.RequestOptions} options */
function statusOf(options) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', ...options }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })
}
