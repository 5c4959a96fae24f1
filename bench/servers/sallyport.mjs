/**
 * Sallyport's facet as a deployment.toml wires it: 100 000 networks, CORS, the token store, path rules, fresh rights.
 *
 * @module
 */

import { createServer } from 'node:http'
import express from 'express'
import { createSecurity } from '../../dist/index.js'
import { hundredThousandNetworks } from './networks.mjs'
import { apiRoutes, bearer, serve, tokenCount } from './work.mjs'

// The passwords below are in plain text, and the run tries out refusals: nothing that anybody should read.
const logger = { info() {}, warn() {}, error: console.error }
const names = Array.from({ length: tokenCount }, (_, number) => `user-${number}`)
const document = {
  management_api: {
    jwt_token_security_handler: { enable: true, token_store_config: { max_size: tokenCount } },
    authorization_handler: { enable: true, resources: ['/users', '/roles', '/configs'].map((path) => ({ path })) },
    cors: { enabled: true, allowed_origins: '*' },
    control_access: { enable: true, allow: hundredThousandNetworks() },
  },
  internal_apis: {
    users: names.map((name) => ({ user: { name, password: crypto.randomUUID(), is_admin: name === 'user-0' } })),
  },
}
const security = await createSecurity(document, { logger })
const app = express().use('/management', security.managementApi(), apiRoutes(express))
const how = process.argv[2]
// Express makes strong ones in the same way as the weak ones that an app has by default, and the front leaves them alone.
if (how === 'create-with-etags') app.set('etag', 'strong')
const server = how === 'listen' ? createServer(app) : security.createServer(app)

const credentials = []
for (const name of names) {
  const account = await security.users.find(name)
  const { token } = await security.tokens.issue(account)
  credentials.push(bearer(token))
}
await serve(server, credentials)
