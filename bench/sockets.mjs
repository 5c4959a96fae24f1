/**
 * Opens many WebSockets at a guarded app, and measures what they cost and how long the end of all sockets of a user takes.
 *
 *     node bench/sockets.mjs [--sockets 10000]
 *
 * The server and the client are two processes. One tenth of the sockets belongs to the user who is revoked.
 *
 * @module
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import express from 'express'
import { WebSocket, WebSocketServer } from 'ws'
import { createSecurity } from '../dist/index.js'

const { values } = parseArgs({ options: { sockets: { type: 'string', default: '10000' }, role: { type: 'string' } } })
if (values.role === 'client') await runClient()
else await runServer()

async function runServer() {
  const users = ['alice', 'bob'].map((name) => ({ user: { name, password: 'correct horse battery staple' } }))
  const security = await createSecurity(
    {
      management_api: { jwt_token_security_handler: { token_config: { algorithm: 'ES256' } } },
      internal_apis: { users },
    },
    { logger: { info() {}, warn() {}, error: console.error } },
  )
  const app = express()
  app.use('/management', security.managementApi())
  const server = security.createServer(app, { protocol: 'http' })
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.on('upgrade', async (request, socket, head) => {
    const connection = await security.authenticateUpgrade(request, socket)
    if (connection === undefined) return
    sockets.handleUpgrade(request, socket, head, (ws) => connection.end(ws))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()

  const count = Number(values.sockets)
  const client = fork(fileURLToPath(import.meta.url), ['--role', 'client'], { execArgv: [] })
  const ask = async (message) => {
    client.send(message)
    const [answer] = await once(client, 'message')
    return answer
  }
  global.gc?.()
  const before = process.memoryUsage()
  const opening = process.cpuUsage()
  await ask({ open: count, port })
  const opened = process.cpuUsage(opening)
  global.gc?.()
  const after = process.memoryUsage()

  const idle = process.cpuUsage()
  await delay(10_000)
  const used = process.cpuUsage(idle)
  const waiting = ask({ wait: 'bob' })
  const revokedAt = performance.now()
  await security.tokens.revokeUser('bob')
  const { closed, codes } = await waiting
  const lastMs = performance.now() - revokedAt
  const left = sockets.clients.size
  client.kill()

  const kb = (bytes) => `${(bytes / count / 1024).toFixed(1)} KB`
  const percent = (usage) => `${((usage.user + usage.system) / 1e5).toFixed(1)} %`
  console.log(`sockets: ${count}, Node ${process.version}`)
  console.log(
    `memory a socket at the server: ${kb(after.heapUsed - before.heapUsed)} heap, ${kb(after.rss - before.rss)} resident`,
  )
  console.log(`CPU a handshake: ${((opened.user + opened.system) / count).toFixed(0)} us`)
  console.log(`CPU of the server while nothing happens: ${percent(used)} of a core`)
  console.log(
    `revokeUser to the last of ${closed} closed sockets: ${lastMs.toFixed(0)} ms, codes ${codes}, others open: ${left}`,
  )
  for (const socket of sockets.clients) socket.terminate()
  server.closeAllConnections()
  server.close()
  await security.close()
}

async function runClient() {
  const open = { alice: new Set(), bob: new Set() }
  process.on('message', async (message) => {
    if (message.open) {
      const tokens = {}
      for (const name of Object.keys(open)) tokens[name] = await login(message.port, name)
      for (let start = 0; start < message.open; start += 100) {
        await Promise.all(
          Array.from({ length: Math.min(100, message.open - start) }, async (_, index) => {
            const name = index % 10 === 0 ? 'bob' : 'alice'
            const headers = { authorization: `Bearer ${tokens[name]}` }
            const ws = new WebSocket(`ws://127.0.0.1:${message.port}/management/live`, {
              headers,
              perMessageDeflate: false,
            })
            await once(ws, 'open')
            open[name].add(ws)
          }),
        )
      }
      process.send({ opened: message.open })
    } else {
      const codes = new Set()
      const ends = [...open[message.wait]].map(async (ws) => codes.add((await once(ws, 'close'))[0]))
      await Promise.all(ends)
      process.send({ closed: ends.length, codes: [...codes] })
    }
  })
}

async function login(port, name) {
  const authorization = `Basic ${Buffer.from(`${name}:correct horse battery staple`).toString('base64')}`
  const answer = await fetch(`http://127.0.0.1:${port}/management/login`, { headers: { authorization } })
  return (await answer.json()).AccessToken
}
