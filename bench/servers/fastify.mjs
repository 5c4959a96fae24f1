/**
 * Fastify with @fastify/cors and @fastify/jwt.
 *
 * @module
 */

import cors from '@fastify/cors'
import jwt from '@fastify/jwt'
import fastify from 'fastify'
import { apis, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const [publicText, privateText] = [
  publicKey.export({ type: 'spki', format: 'pem' }),
  privateKey.export({ type: 'pkcs8', format: 'pem' }),
]
const app = fastify()
await app.register(cors)
await app.register(jwt, {
  secret: { public: publicText, private: privateText },
  verify: { algorithms: ['RS256'], allowedIss: issuer, allowedAud: audience, cache: 1000 },
})
await app.register(
  async (routes) => {
    routes.addHook('onRequest', (request) => request.jwtVerify())
    routes.get('/apis', async () => apis)
  },
  { prefix: '/management' },
)
await app.ready()
await serve(app.server, await signTokens(privateKey))
