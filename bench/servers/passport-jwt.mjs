/**
 * cors and passport-jwt.
 *
 * @module
 */

import { createServer } from 'node:http'
import cors from 'cors'
import express from 'express'
import passport from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { apiRoutes, audience, issuer, makeKeys, serve, signTokens } from './work.mjs'

const { publicKey, privateKey } = makeKeys()
const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken()
const options = { jwtFromRequest, secretOrKey: publicKey, algorithms: ['RS256'], issuer, audience }
passport.use(new Strategy(options, (claims, done) => done(null, { name: claims.sub })))
const authentication = passport.authenticate('jwt', { session: false })
const app = express().use('/management', cors(), authentication, apiRoutes(express))
await serve(createServer(app), await signTokens(privateKey))
