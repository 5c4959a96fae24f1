/**
 * An identity provider to try `examples/sso.ts` with: `oidc-provider` with users of its own, which that example starts. In its place
 * stands Entra, Keycloak, Okta, Google or WSO2 Identity Server.
 *
 * Run it alone with `APP=http://localhost:9447 PROVIDER_PORT=9448 node --import tsx examples/sso-provider.ts`. ALICE_PASSWORD,
 * BOB_PASSWORD and EVE_PASSWORD are the passwords, CLIENT_SECRET is the secret of the app.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Provider } from 'oidc-provider'

const { APP = 'http://localhost:9447', PROVIDER_PORT = '9448', CLIENT_SECRET = '' } = process.env

const users: Readonly<Record<string, { readonly name: string; readonly groups: readonly string[] }>> = {
  alice: { name: 'Alice Doe', groups: ['staff', 'platform-admins'] },
  bob: { name: 'Bob Roe', groups: ['staff'] },
  eve: { name: 'Eve Poe', groups: ['visitors'] },
}

const app = express()
const server = createServer(app).listen(Number(PROVIDER_PORT), '127.0.0.1')
await once(server, 'listening')
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const provider: Provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portals',
      client_secret: CLIENT_SECRET,
      redirect_uris: [`${APP}/desk/login/corporate/callback`, `${APP}/carbon/login/corporate/callback`],
      post_logout_redirect_uris: [`${APP}/desk/login`, `${APP}/carbon/login`],
      backchannel_logout_uri: `${APP}/desk/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
  ],
  // A dispatcher of oidc-provider refuses addresses of this machine, where the app of the example is.
  fetch: (url, init) => fetch(url, { ...init, dispatcher: undefined } as object),
  claims: { openid: ['sub'], profile: ['name'], groups: ['groups'] },
  // As most providers do: the groups are in the ID token.
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  cookies: { keys: [createHash('sha256').update(CLIENT_SECRET).digest('hex')] },
  findAccount: (_context, id) => {
    const user = users[id]
    return user && { accountId: id, claims: () => ({ sub: id, ...user, groups: [...user.groups] }) }
  },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  // The app belongs to the company: nobody is asked for consent.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client!.clientId, accountId: oidc.session!.accountId! })
    grant.addOIDCScope('openid profile groups')
    await grant.save()
    return grant
  },
})

app.get('/interaction/:uid', async (request, response) => {
  const { uid } = await provider.interactionDetails(request, response)
  response.send(`<!doctype html><html lang="en"><title>Corporate</title><h1>Corporate</h1>
<form method="post" action="/interaction/${uid}">
<label>User <input name="user"></label> <label>Password <input name="password" type="password"></label>
<button>Sign in</button> <button name="cancel" value="yes">Cancel</button></form></html>`)
})

app.post('/interaction/:uid', express.urlencoded({ extended: false }), async (request, response) => {
  const { user = '', password = '', cancel } = request.body as Readonly<Record<string, string>>
  const expected = process.env[`${user.toUpperCase()}_PASSWORD`]
  if (cancel === undefined && (users[user] === undefined || expected === undefined || !isSame(password, expected))) {
    response.status(401).send('Wrong user name or password: go back, and try again.')
    return
  }
  const result = cancel === undefined ? { login: { accountId: user } } : { error: 'access_denied' }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
})

app.use(provider.callback())

function isSame(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left!, right!)
}

provider.on('backchannel.error', (_context: unknown, error: Error) =>
  console.error(`no back-channel logout: ${error.message}`),
)

console.log(`the provider listens on ${issuer}`)
