/**
 * An MCP server whose tools are called in the name of a user, who signs in in the browser.
 *
 * Run it with `node --import tsx examples/mcp.ts`, and connect an MCP client to http://localhost:9446/mcp with the client id mcp-client:
 * it finds the sign-in by itself. Sign in as alice. The port is that of the issuer in mcp.toml, 9446; ALICE_PASSWORD is the user's
 * password, random unless it is set.
 */

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'
import { bearerAuthentication, errorResponses } from 'sallyport/middleware'

process.env['ALICE_PASSWORD'] ??= randomBytes(12).toString('base64url')

const file = process.argv[2] ?? new URL('mcp.toml', import.meta.url)
const security = await createSecurity(file)
const { tokens, config } = security
const origin = new URL(config.oauth?.issuer ?? '').origin

/** The tools of one caller. */
function createTools(caller: string): McpServer {
  const tools = new McpServer({ name: 'orders', version: '1.0.0' })
  tools.registerTool('orders', { description: 'Lists the orders of who is signed in.' }, () => ({
    content: [{ type: 'text', text: `${caller} has ordered two books.` }],
  }))
  return tools
}

const app = express()
app.use('/oauth2', security.oauth())
// The two lines: where tokens come from, and that they are needed.
app.use(security.wellKnown())
app.use('/mcp', bearerAuthentication({ tokens, audience: `${origin}/mcp`, scope: 'tools' }))

app.post('/mcp', express.json(), async (request, response) => {
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.once('close', () => void transport.close())
  await createTools(getAuth(request).subject).connect(transport)
  // The SDK gives request.auth another type. Tools learn the caller from the line above.
  const message: IncomingMessage = request
  await transport.handleRequest(message, response, request.body)
})
// No streams from the server: each call is answered by itself.
app.all('/mcp', (_request, response) => void response.status(405).set('Allow', 'POST').end())
// Last: it answers and reports the refusals of bearerAuthentication.
app.use(errorResponses({ events: security.events }))

const server = security.createServer(app, { protocol: 'http' })
server.listen(Number(new URL(origin).port), '127.0.0.1', () => {
  console.log(`${origin}/mcp is open to alice, whose password is ${process.env['ALICE_PASSWORD']}`)
})
// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => security.shutdown(server))
}
