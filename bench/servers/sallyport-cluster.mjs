/**
 * One of several processes over one Redis. `BENCH_CLUSTER`: the URL, the file of the key and the prefix of the keys, as JSON.
 *
 * It answers what it is asked: `issue` makes tokens and `hold` keeps them, `heap` looks those up and tells the bytes of each, `cpu`
 * tells the time used so far.
 *
 * @module
 */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { createSecurity } from '../../dist/index.js'
import { atATime } from '../cluster-process.mjs'
import { apiRoutes } from './work.mjs'

const { url, keyFile, keyPrefix, password, maxSize } = JSON.parse(process.env.BENCH_CLUSTER)
const userCount = 200
/** Tokens that are worked on at a time. */
const width = 64
const users = Array.from({ length: userCount }, (_, number) => ({ name: `user-${1000 + number}`, password }))
const security = await createSecurity(
  {
    management_api: {
      jwt_token_security_handler: {
        enable: true,
        token_config: { algorithm: 'EdDSA', key_file: keyFile },
        token_store_config: { max_size: maxSize },
      },
      authorization_handler: { enable: true, resources: ['/users', '/roles', '/configs'].map((path) => ({ path })) },
    },
    internal_apis: {
      users: [{ user: { name: 'admin', password, is_admin: true } }, ...users.map((user) => ({ user }))],
    },
    shared_store: { type: 'redis', url, key_prefix: keyPrefix },
  },
  // The passwords are in plain text, and that Redis keeps nothing is intended.
  { logger: { info() {}, warn() {}, error: console.error } },
)
const accounts = await Promise.all(users.map(({ name }) => security.users.find(name)))

let held = []

async function issue(count) {
  const tokens = []
  await atATime(width, count, async (index) => {
    tokens.push((await security.tokens.issue(accounts[index % userCount])).token)
  })
  return tokens
}

async function heapInUse() {
  for (let round = 0; round < 4; round++) {
    globalThis.gc()
    await sleep(50)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const answers = {
  issue,
  async hold(count) {
    held = await issue(count)
    return count
  },
  async heap() {
    const before = await heapInUse()
    await atATime(width, held.length, (index) => security.tokens.verify(held[index]))
    return ((await heapInUse()) - before) / held.length
  },
  cpu() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
}

const server = security.createServer(express().use('/management', security.managementApi(), apiRoutes(express)))
await once(server.listen(0, '127.0.0.1'), 'listening')
process.on('message', async ({ ask, count }) => process.send(await answers[ask](count)))
process.on('disconnect', () => process.exit())
process.send(server.address().port)
