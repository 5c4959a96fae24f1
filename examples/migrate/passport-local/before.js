// A shop's account page with passport, passport-local and express-session. after.js is the same app with Sallyport.
// PORT is the port, PASSWORD alice's password, SESSION_SECRET signs the cookie; docs/migrate-passport.md compares the two.

import { scryptSync, timingSafeEqual } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { Strategy } from 'passport-local'

const users = { alice: scryptSync(process.env.PASSWORD, 'salt', 32) }

passport.use(
  new Strategy((name, password, done) => {
    const expected = Object.hasOwn(users, name) ? users[name] : undefined
    const isRight = expected !== undefined && timingSafeEqual(scryptSync(password, 'salt', 32), expected)
    done(null, isRight && { id: name, username: name })
  }),
)
passport.serializeUser((user, done) => done(null, user.id))
passport.deserializeUser((id, done) => done(null, { id, username: id }))

const shop = express.Router()
shop.use(express.urlencoded({ extended: false }), express.json())
shop.use(session({ secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false }))
shop.use(passport.session())

shop.post('/login', passport.authenticate('local'), (_request, response) => response.redirect(303, '/shop/'))
shop.post('/logout', (request, response, next) => {
  request.logout((error) => (error ? next(error) : response.sendStatus(204)))
})
shop.use((request, response, next) => (request.isAuthenticated() ? next() : response.sendStatus(401)))

shop.get('/', (request, response) => response.json({ hello: request.user.username }))
shop.get('/basket', (request, response) => response.json({ items: request.session.items ?? [] }))
shop.post('/basket', (request, response) => {
  request.session.items = [...(request.session.items ?? []), String(request.body.item)]
  response.json({ items: request.session.items })
})

const app = express()
app.use('/shop', shop)
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
