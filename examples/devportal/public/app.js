/**
 * A public client: it has no secret, because a page cannot keep one. PKCE ties the code to this browser.
 *
 * Tokens live in memory only. After a reload, the sign-on at the authorization server gives new ones without a password.
 */

import * as oauth from 'oauth4webapi'

const issuer = new URL('/oauth2', location.href)
const redirectUri = new URL('/devportal/callback', location.href).href
const client = { client_id: 'apim_devportal' }

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer))

async function signIn() {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  sessionStorage.setItem('sign-in', JSON.stringify({ verifier, state, nonce }))
  const query = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile apis',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  location.assign(`${server.authorization_endpoint}?${query}`)
}

async function finishSignIn() {
  const { verifier, state, nonce } = JSON.parse(sessionStorage.getItem('sign-in') ?? '{}')
  sessionStorage.removeItem('sign-in')
  const parameters = oauth.validateAuthResponse(server, client, new URL(location.href), state)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
  )
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  // The code is spent: nothing of it should stay in the history.
  history.replaceState(undefined, '', '/devportal/')
  return tokens
}

async function show(tokens) {
  const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? {}
  const info = await oauth.processUserInfoResponse(
    server,
    client,
    sub,
    await oauth.userInfoRequest(server, client, tokens.access_token),
  )
  document.getElementById('state').textContent = `Signed in as ${info.preferred_username}.`
  await showApis(tokens)

  let current = tokens
  const refresh = document.getElementById('refresh')
  refresh.hidden = false
  refresh.onclick = async () => {
    const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), current.refresh_token)
    current = await oauth.processRefreshTokenResponse(server, client, response)
    await showApis(current)
    document.getElementById('state').textContent = `Signed in as ${info.preferred_username}, with a new token.`
  }

  const signOut = document.getElementById('sign-out')
  signOut.hidden = false
  signOut.onclick = async () => {
    await oauth.revocationRequest(server, client, oauth.None(), current.refresh_token)
    const query = new URLSearchParams({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: new URL('/devportal/', location.href).href,
    })
    location.assign(`${server.end_session_endpoint}?${query}`)
  }
}

async function showApis({ access_token: token }) {
  const response = await oauth.protectedResourceRequest(token, 'GET', new URL('/api/apis', location.href))
  const { list } = await response.json()
  const items = list.map(({ name }) => {
    const item = document.createElement('li')
    item.textContent = name
    return item
  })
  document.getElementById('apis').replaceChildren(...items)
}

const button = document.getElementById('sign-in')
button.onclick = signIn
if (new URLSearchParams(location.search).has('code')) await show(await finishSignIn())
else button.hidden = false
