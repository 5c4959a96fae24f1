// The API of before.js in CommonJS for Express 4, with passport-jwt. after.cjs is the same API with Sallyport.

const express = require('express')
const jwt = require('jsonwebtoken')
const passport = require('passport')
const { ExtractJwt, Strategy } = require('passport-jwt')

const secret = process.env.JWT_SECRET
const users = { alice: { admin: false }, root: { admin: true } }

passport.use(
  new Strategy(
    { secretOrKey: secret, algorithms: ['HS256'], jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken() },
    ({ sub, admin }, done) => done(null, { name: sub, admin }),
  ),
)

const api = express.Router()
api.get('/login', (request, response) => {
  const [name, password] = Buffer.from((request.get('authorization') || '').split(' ')[1] || '', 'base64')
    .toString()
    .split(':')
  if (!Object.hasOwn(users, name) || password !== process.env.PASSWORD) return response.sendStatus(401)
  response.json({ AccessToken: jwt.sign({ sub: name, ...users[name] }, secret, { expiresIn: '1h' }) })
})
api.use(passport.authenticate('jwt', { session: false }))
// The client forgets the token; whoever has a copy of it stays in until it expires.
api.get('/logout', (_request, response) => response.sendStatus(200))

api.get('/whoami', (request, response) => response.json({ name: request.user.name }))
api.use('/reports', (request, response, next) => (request.user.admin ? next() : response.sendStatus(403)))
api.get('/reports', (_request, response) => response.json({ reports: [] }))

const app = express()
app.use('/management', api)
const server = app.listen(Number(process.env.PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
