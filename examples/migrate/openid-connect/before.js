// A page with express-openid-connect, which signs in at provider.js. after.js is the same page with Sallyport.
// ISSUER is the provider, BASE_URL this app, CLIENT_SECRET what CLIENT_SECRET_HASH is the hash of, SESSION_SECRET the key of the cookie.

import express from 'express'
import openidConnect from 'express-openid-connect'

const app = express()
app.use(
  openidConnect.auth({
    issuerBaseURL: process.env.ISSUER,
    baseURL: process.env.BASE_URL,
    clientID: 'shop',
    clientSecret: process.env.CLIENT_SECRET,
    secret: process.env.SESSION_SECRET,
    authorizationParams: { response_type: 'code', response_mode: 'query', scope: 'openid profile' },
  }),
)
app.get('/', (request, response) => response.json({ hello: request.oidc.user.sub }))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
