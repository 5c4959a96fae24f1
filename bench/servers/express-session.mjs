/**
 * cors and express-session with its store in memory: a cookie in place of a token.
 *
 * @module
 */

import { createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import session from 'express-session'
import { apiRoutes, serve, tokenCount } from './work.mjs'

const secret = randomBytes(32).toString('base64url')
const store = new session.MemoryStore()

/** Puts a session into the store, and signs its id as express-session does. */
function cookieOf(number) {
  const id = randomBytes(24).toString('base64url')
  const cookie = { originalMaxAge: 3_600_000, expires: new Date(Date.now() + 3_600_000), httpOnly: true, path: '/' }
  store.set(id, { cookie, user: `user-${number}` })
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
  return `Cookie: connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`
}

function demandUser(request, response, next) {
  if (request.session.user === undefined) response.sendStatus(401)
  else next()
}

const sessions = session({ secret, store, resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 } })
const app = express().use('/management', cors(), sessions, demandUser, apiRoutes(express))
await serve(
  createServer(app),
  Array.from({ length: tokenCount }, (_, number) => cookieOf(number)),
)
