// The app of before.js with Sallyport: the login, the logout and the guard are those of a portal. The routes are unchanged,
// request.user included; express-session keeps the basket, and no longer who is signed in.

import express from 'express'
import session from 'express-session'
import { createSecurity, getAuth } from 'sallyport'

const security = await createSecurity(new URL('deployment.toml', import.meta.url), {
  requestUser: ({ subject }) => ({ id: subject, username: subject }),
})

const shop = express.Router()
shop.use(express.json())
shop.use(session({ secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false }))
// The two sessions end at different times: what one user left behind is not for the next.
shop.use((request, _response, next) => {
  const { tokenId } = getAuth(request)
  if (request.session.signedInAs === tokenId) return next()
  request.session.regenerate((error) => {
    if (!error) request.session.signedInAs = tokenId
    next(error)
  })
})

shop.get('/', (request, response) => response.json({ hello: request.user.username }))
shop.get('/basket', (request, response) => response.json({ items: request.session.items ?? [] }))
shop.post('/basket', (request, response) => {
  request.session.items = [...(request.session.items ?? []), String(request.body.item)]
  response.json({ items: request.session.items })
})

const app = express()
app.use('/shop', security.portal('shop'), shop)
const server = security
  .createServer(app, { protocol: 'http' })
  .listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`)
  })
