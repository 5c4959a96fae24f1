/**
 * Soak: logins, calls, logouts, expiries and invalid tokens for five minutes (or the seconds given). It ends with the heap
 * where it began and the token store empty, or exits with 1.
 *
 * npm run soak            five minutes
 * npm run soak -- 60      one minute
 */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { createSecurity } from '../dist/index.js'

const seconds = Number(process.argv[2] ?? 300)
const clients = 8
const maxGrowth = 1.15
const quiet = { info() {}, warn() {}, error() {} }
const user = { name: 'soak', password: 'soak-soak-soak' }

const security = await createSecurity(
  {
    internal_apis: { users: [{ user: { ...user, is_admin: true } }] },
    management_api: {
      login_throttle: { enable: false },
      jwt_token_security_handler: {
        token_config: { expiry: 2, algorithm: 'ES256' },
        token_store_config: { max_size: 5000, clean_up_interval: 1 },
      },
    },
  },
  { logger: quiet },
)
const app = express()
app.use('/management', security.managementApi(), (_request, response) => response.json({}))
const server = security.createServer(app).listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `http://127.0.0.1:${server.address().port}/management`
const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`

const counts = { logins: 0, calls: 0, logouts: 0, expired: 0, invalid: 0 }
let wrong = 0

async function call(path, authorization, expected) {
  const response = await fetch(base + path, { headers: { authorization } })
  if (response.status !== expected) wrong++
  return response.json().catch(() => undefined)
}

async function client(until) {
  for (let round = 0; Date.now() < until; round++) {
    const { AccessToken } = await call('/login', basic, 200)
    const bearer = `Bearer ${AccessToken}`
    counts.logins++
    for (let index = 0; index < 5; index++, counts.calls++) await call('/apis', bearer, 200)
    for (let index = 0; index < 3; index++, counts.invalid++)
      await call('/apis', `Bearer ${round}.x.${Math.random()}`, 401)
    if (round % 3 === 0) continue // left to expire
    await call('/logout', bearer, 200)
    await call('/apis', bearer, 401)
    counts.logouts++
  }
}

async function heap() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    await sleep(100)
  }
  return process.memoryUsage().heapUsed
}

async function run(duration) {
  const until = Date.now() + duration * 1000
  await Promise.all(Array.from({ length: clients }, () => client(until)))
  await sleep(4000)
  counts.expired = counts.logins - counts.logouts
  return { heap: await heap(), live: (await security.tokens.list()).length }
}

const before = await run(Math.min(20, seconds / 4)) // warm: code, caches and pools are there
const after = await run(seconds)
const growth = after.heap / before.heap
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
console.log(
  `${seconds} s: ${Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')}; ${wrong} wrong answers`,
)
console.log(
  `heap ${mebibytes(before.heap)} -> ${mebibytes(after.heap)} (${growth.toFixed(2)}), ${after.live} tokens left`,
)

server.closeAllConnections()
server.close()
await security.close()
if (wrong > 0 || after.live > 0 || growth > maxGrowth) process.exitCode = 1
