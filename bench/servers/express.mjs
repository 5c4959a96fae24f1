/**
 * Express without any guard: the base of all comparisons. `listen` is what `app.listen` does, `create` is our server.
 *
 * @module
 */

import { createServer } from 'node:http'
import express from 'express'
import { createExpressServer } from '../../dist/http/express/create-server.js'
import { apiRoutes, makeKeys, serve, signTokens } from './work.mjs'

const app = express().use('/management', apiRoutes(express))
const server = process.argv[2] === 'create' ? createExpressServer(app) : createServer(app)
// The requests carry tokens all the same.
await serve(server, await signTokens(makeKeys().privateKey))
