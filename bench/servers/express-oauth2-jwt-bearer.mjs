/**
 * cors and express-oauth2-jwt-bearer, with a JWK Set on the loopback address that it reads once.
 *
 * @module
 */

import { once } from 'node:events'
import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { apiRoutes, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const key = { ...publicKey.export({ format: 'jwk' }), kid: 'Cxw1HxmS3b3rc1TzE3Vj0sYbwvLwUg5c5rhkA4ZeV0E', alg: 'RS256' }
const jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: [key] })))
jwks.listen(0, '127.0.0.1')
await once(jwks, 'listening')

const jwksUri = `http://127.0.0.1:${jwks.address().port}/`
const authentication = auth({ issuer, jwksUri, audience, tokenSigningAlg: 'RS256', cacheMaxAge: 3_600_000 })
const app = express().use('/management', cors(), authentication, apiRoutes(express))
await serve(createServer(app), await signTokens(privateKey))
