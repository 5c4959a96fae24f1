/**
 * cors and ten lines around `jwtVerify` of jose.
 *
 * @module
 */

import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import { jwtVerify } from 'jose'
import { apiRoutes, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const options = { algorithms: ['RS256'], issuer, audience }

async function authentication(request, response, next) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  try {
    if (scheme !== 'Bearer') throw new TypeError('no token')
    const { payload } = await jwtVerify(token, publicKey, options)
    request.auth = payload
  } catch {
    response.status(401).set('WWW-Authenticate', 'Bearer').end()
    return
  }
  next()
}

const app = express().use('/management', cors(), authentication, apiRoutes(express))
await serve(createServer(app), await signTokens(privateKey))
