/**
 * A portal on a server of its own: it signs its users in at the authorization server of examples/devportal, without a secret.
 *
 * Start that one first. Then run
 * `NODE_EXTRA_CA_CERTS=examples/devportal/sallyport-tryout.pem node --import tsx examples/publisher.ts` and open
 * http://localhost:9445/: who has signed in at the other one needs no password here, and a sign-out at one ends both. ISSUER is the
 * authorization server, and PORT the port of this one.
 */

import { randomBytes } from 'node:crypto'
import express, { type Request, type Response } from 'express'
import * as openid from 'openid-client'

const port = Number(process.env['PORT'] ?? 9445)
const issuer = new URL(process.env['ISSUER'] ?? 'https://localhost:9443/oauth2')
const base = `http://localhost:${port}`
const redirect_uri = `${base}/callback`

const config = await openid.discovery(issuer, 'apim_publisher', undefined, openid.None())

/** Who is signed in, and who is on the way, by the cookie of the browser. A real app keeps a bounded store. */
const sessions = new Map<string, { name: string; tokens: openid.TokenEndpointResponse }>()
const begun = new Map<string, { pkceCodeVerifier: string; expectedState: string }>()

function cookieOf({ headers }: Request): string {
  return /(?:^|; )publisher=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? ''
}

/** A new name for each step: one that was known before is worth nothing after. */
function newCookie(response: Response): string {
  const id = randomBytes(32).toString('base64url')
  response.setHeader('Set-Cookie', `publisher=${id}; Path=/; HttpOnly; SameSite=Lax`)
  return id
}

const app = express()

app.get('/', async (request, response) => {
  const session = sessions.get(cookieOf(request))
  if (session === undefined) return response.redirect(303, '/login')
  // A token that has been revoked is refused from that moment on: so is this session.
  const isLive = await openid
    .fetchUserInfo(config, session.tokens.access_token, openid.skipSubjectCheck)
    .then(() => true)
    .catch(() => false)
  if (!isLive) {
    sessions.delete(cookieOf(request))
    return response.redirect(303, '/login')
  }
  return response.send(`Publisher: signed in as ${encodeURIComponent(session.name)}. <a href="/logout">Sign out</a>`)
})

app.get('/login', async (_request, response) => {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  begun.set(newCookie(response), { pkceCodeVerifier, expectedState })
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid profile',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  response.redirect(303, url.href)
})

app.get('/callback', async (request, response) => {
  const signIn = begun.get(cookieOf(request))
  if (signIn === undefined) return response.redirect(303, '/login')
  begun.delete(cookieOf(request))
  const tokens = await openid.authorizationCodeGrant(config, new URL(request.url, base), signIn)
  const { sub, preferred_username } = await openid.fetchUserInfo(
    config,
    tokens.access_token,
    tokens.claims()?.sub ?? '',
  )
  sessions.set(newCookie(response), { name: String(preferred_username ?? sub), tokens })
  return response.redirect(303, '/')
})

app.get('/logout', async (request, response) => {
  const session = sessions.get(cookieOf(request))
  sessions.delete(cookieOf(request))
  if (session === undefined) return response.redirect(303, '/')
  await openid.tokenRevocation(config, session.tokens.access_token)
  return response.redirect(
    303,
    openid.buildEndSessionUrl(config, { id_token_hint: session.tokens.id_token ?? '' }).href,
  )
})

app.listen(port, '127.0.0.1', () => console.log(`${base}/ is open`))
