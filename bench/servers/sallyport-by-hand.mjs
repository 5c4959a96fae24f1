/**
 * The same parts of Sallyport composed by hand, as four middlewares.
 *
 * @module
 */

import { createServer } from 'node:http'
import express from 'express'
import { createExpressServer } from '../../dist/create-server.js'
import {
  bearerAuthentication,
  corsPolicy,
  createKeyRing,
  createTokens,
  errorResponses,
  ipAllowList,
  MemoryTokenStore,
  pathAuthorization,
} from '../../dist/index.js'
import { hundredThousandNetworks } from './networks.mjs'
import { apiRoutes, audience, bearer, issuer, serve, tokenCount } from './work.mjs'

const store = new MemoryTokenStore({ maxSize: tokenCount })
const tokens = createTokens({ store, keys: await createKeyRing(), issuer, audience, expirySeconds: 3600 })
const app = express()
app.use(
  '/management',
  ipAllowList({ networks: hundredThousandNetworks() }),
  corsPolicy(),
  bearerAuthentication({ tokens }),
  pathAuthorization({ rules: ['/users', '/roles', '/configs'].map((path) => ({ path })) }),
  apiRoutes(express),
)
app.use(errorResponses())

const credentials = []
for (let number = 0; number < tokenCount; number++) {
  const account = { subject: `user-${number}`, roles: [], isAdmin: false, version: '1' }
  credentials.push(bearer((await tokens.issue(account)).token))
}
await serve(process.argv[2] === 'create' ? createExpressServer(app) : createServer(app), credentials)
