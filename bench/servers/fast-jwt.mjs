/**
 * cors and a few lines around fast-jwt, with its cache: a token that was good is not verified again.
 *
 * @module
 */

import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import { createVerifier } from 'fast-jwt'
import { apiRoutes, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const key = publicKey.export({ type: 'spki', format: 'pem' })
const verify = createVerifier({ key, cache: 1000, algorithms: ['RS256'], allowedIss: issuer, allowedAud: audience })

function authentication(request, response, next) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  try {
    if (scheme !== 'Bearer') throw new TypeError('no token')
    request.auth = verify(token)
  } catch {
    response.status(401).set('WWW-Authenticate', 'Bearer').end()
    return
  }
  next()
}

const app = express().use('/management', cors(), authentication, apiRoutes(express))
await serve(createServer(app), await signTokens(privateKey))
