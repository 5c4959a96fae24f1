// An API with express-jwt and jsonwebtoken. after.js is the same API with Sallyport.
// PORT, PASSWORD and JWT_SECRET are the port, the password of both users and the key of the tokens;
// docs/migrate-jwt.md compares the two.

import express from 'express'
import { expressjwt } from 'express-jwt'
import jwt from 'jsonwebtoken'

const secret = process.env.JWT_SECRET
const users = { alice: { admin: false }, root: { admin: true } }

const api = express.Router()
api.get('/login', (request, response) => {
  const [name, password] = Buffer.from(request.get('authorization')?.split(' ')[1] ?? '', 'base64')
    .toString()
    .split(':')
  if (!Object.hasOwn(users, name) || password !== process.env.PASSWORD) return response.sendStatus(401)
  response.json({ AccessToken: jwt.sign({ sub: name, ...users[name] }, secret, { expiresIn: '1h' }) })
})
api.use(expressjwt({ secret, algorithms: ['HS256'] }))
// The client forgets the token; whoever has a copy of it stays in until it expires.
api.get('/logout', (_request, response) => response.sendStatus(200))

api.get('/whoami', (request, response) => response.json({ name: request.auth.sub }))
api.use('/reports', (request, response, next) => (request.auth.admin ? next() : response.sendStatus(403)))
api.get('/reports', (_request, response) => response.json({ reports: [] }))

const app = express()
app.use('/management', api)
app.use((error, _request, response, next) => (error.status ? response.sendStatus(error.status) : next(error)))
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
