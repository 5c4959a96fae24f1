/**
 * The Redis server of the cluster benchmark: filled with tokens, and asked what it has done.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { openAt, RedisLink, RedisTokenStore } from '../dist/redis.js'

const tokensPerUser = 5
const lifeMs = 6 * 3_600_000

/** Tokens that are added at a time. */
const inFlight = 256

/** Of a command meanwhile: the machine may be busy. */
const fillTimeoutMs = 60_000

/** Starts it on a free port. `keyPrefix`: of the tokens that are added, and of the commands that are counted. */
export async function startRedis(keyPrefix) {
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', settings, { stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  const client = createClient({ url })
  // Until it listens.
  client.on('error', () => {})
  await client.connect()

  async function info() {
    const text = String(await client.sendCommand(['INFO', 'everything']))
    const field = (name) => Number(new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)[1])
    const calls = [...text.matchAll(/^cmdstat_(?!info)\S+:calls=(\d+)/gm)].map(([, count]) => Number(count))
    return {
      /** Microseconds. */
      cpu: (field('used_cpu_user') + field('used_cpu_sys')) * 1e6,
      commands: calls.reduce((sum, count) => sum + count, 0),
      memory: field('used_memory'),
      version: /^redis_version:(\S+)/m.exec(text)[1],
      at: performance.now(),
    }
  }

  /** What it does in the meantime, a second. */
  async function rates(work) {
    const before = await info()
    await work()
    const after = await info()
    const seconds = (after.at - before.at) / 1000
    return { cpu: (after.cpu - before.cpu) / seconds, commands: (after.commands - before.commands) / seconds, seconds }
  }

  return {
    url,
    info,
    rates,
    /** What it does for each of `count` operations, besides what it does anyway. */
    async costs(count, idle, work) {
      const { cpu, commands, seconds } = await rates(work)
      return { cpu: ((cpu - idle.cpu) * seconds) / count, commands: ((commands - idle.commands) * seconds) / count }
    },
    /** How many commands clients send for each of `count` operations, without those that prove that a connection is there. */
    async sent(count, work) {
      const monitor = client.duplicate()
      await monitor.connect()
      let commands = 0
      await monitor.monitor((line) => {
        const isOurs = line.includes(`{${keyPrefix}}:`) && !/^\S+ \[\d+ lua\]/.test(line)
        if (isOurs && !line.includes(':news-number"')) commands++
      })
      await work()
      await sleep(100)
      monitor.destroy()
      return commands / count
    },
    /** Adds live tokens through the store. Answers with the bytes of each. */
    async fill(count) {
      const logger = { info() {}, warn() {}, error() {} }
      const link = new RedisLink({ open: openAt({ url }), keyPrefix, commandTimeoutMs: fillTimeoutMs, logger })
      const store = new RedisTokenStore({ link, maxSize: count })
      await link.start()
      const before = await info()
      let next = 0
      const add = async () => {
        while (next < count) await store.add(createRecord(next++, link.now()))
      }
      await Promise.all(Array.from({ length: inFlight }, add))
      const after = await info()
      await store.close()
      return { bytes: (after.memory - before.memory) / count, seconds: (after.at - before.at) / 1000 }
    },
    async stop() {
      client.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

function createRecord(number, now) {
  return {
    id: hash('sha256', `token ${number}`, 'base64url'),
    kind: 'management',
    subject: `user-${Math.floor(number / tokensPerUser)}`,
    roles: ['operator'],
    isAdmin: false,
    accountVersion: hash('sha256', `version ${number}`, 'base64url'),
    scope: 'default',
    issuedAt: now,
    expiresAt: now + lifeMs,
    lastAccessAt: now,
    address: `192.0.2.${number % 256}`,
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
