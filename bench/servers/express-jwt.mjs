/**
 * cors and express-jwt.
 *
 * @module
 */

import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import { expressjwt } from 'express-jwt'
import { apiRoutes, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const authentication = expressjwt({ secret: publicKey, algorithms: ['RS256'], issuer, audience })
const app = express().use('/management', cors(), authentication, apiRoutes(express))
await serve(createServer(app), await signTokens(privateKey))
