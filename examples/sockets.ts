/**
 * WebSockets and an event stream behind a portal, which end with the session.
 *
 * Run it with `node --import tsx examples/sockets.ts`. Sign in at the page that it prints, open it in two tabs, and sign out in one: the
 * other one says within a second that its connections have ended. PORT is the port, 9202 unless it is set; ADMIN_PASSWORD is the
 * password, random unless it is set.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'
import { WebSocketServer } from 'ws'

const password = process.env['ADMIN_PASSWORD'] ?? randomBytes(12).toString('base64url')
const security = await createSecurity({
  internal_apis: { users: [{ user: { name: 'admin', password, is_admin: true } }] },
  portal: { desk: { title: 'Desk' } },
})

const page = `<!doctype html><meta charset="utf-8"><title>Desk</title><script type="module" src="/desk/live.js"></script>
<h1>Desk</h1><pre id="log"></pre><form method="post" action="/desk/logout"><button>Sign out</button></form>`

const script = `const log = (text) => document.querySelector('#log').append(text + '\\n')
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/desk/socket')
socket.onmessage = ({ data }) => log('socket: ' + data)
socket.onclose = ({ code }) => log('socket ended: ' + code)
const events = new EventSource('/desk/events')
events.onmessage = ({ data }) => log('event: ' + data)
events.onerror = () => { events.close(); log('events ended') }
`

const app = express()
app.use('/desk', security.portal('desk'))
app.get('/desk', (_request, response) => void response.send(page))
app.get('/desk/live.js', (_request, response) => void response.type('text/javascript').send(script))
app.get('/desk/events', (request, response) => {
  security.endWhenRefused(response)
  response.type('text/event-stream').flushHeaders()
  response.write(`data: hello, ${getAuth(request).subject}\n\n`)
})

const server = security.createServer(app, { protocol: 'http' })
const webSockets = new WebSocketServer({ noServer: true })
server.on('upgrade', async (request, socket, head) => {
  const connection = await security.authenticateUpgrade(request, socket)
  if (connection === undefined) return
  webSockets.handleUpgrade(request, socket, head, (ws) => {
    connection.end(ws)
    ws.send(`hello, ${connection.auth?.subject}`)
  })
})

server.listen(Number(process.env['PORT'] ?? 9202), '127.0.0.1')
await once(server, 'listening')
console.log(`Sign in at http://127.0.0.1:${(server.address() as AddressInfo).port}/desk as admin with ${password}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => security.shutdown(server))
