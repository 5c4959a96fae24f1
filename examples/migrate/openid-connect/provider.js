// The provider that before.js signs in at: an authorization server of Sallyport, with the user alice.
// ISSUER is its address, such as http://127.0.0.1:3001/oauth2, and BASE_URL that of the app.

import express from 'express'
import { createSecurity } from 'sallyport'

const security = await createSecurity(new URL('provider.toml', import.meta.url))
const app = express()
const { port, pathname } = new URL(process.env.ISSUER)
app.use(pathname, security.oauth())
security.createServer(app, { protocol: 'http' }).listen(Number(port), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${port}`)
})
