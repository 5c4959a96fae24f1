import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../lib/index.js'
import {
  callback,
  confidentialSecret,
  fetchOf,
  issuer,
  type OauthFront,
  oauthFront,
  origin,
  providers,
} from './front.js'

const clientId = 'devportal-app'

/** A confidential client beside the public one. */
async function frontWithServerApp(): Promise<OauthFront> {
  const serverApp = {
    name: 'publisher-app',
    redirect_uris: [`${origin}/publisher/callback`],
    post_logout_redirect_uris: [`${origin}/publisher/`],
    client_secret: await hashPassword(confidentialSecret),
    audience: 'https://api.example.com',
    scopes: ['orders'],
    refresh_tokens: true,
  }
  return oauthFront({ oauth: { service_provider: [...providers, serverApp] } })
}

// Covers: G01 G06 G07 G08
describe('a public client with oauth4webapi', () => {
  it('goes the whole round: discovery, code with PKCE, userinfo, refresh, revocation, end of session', async () => {
    const front = await oauthFront()
    const options = { [oauth.customFetch]: fetchOf(front) }
    const issuerUrl = new URL(issuer)
    const server = await oauth.processDiscoveryResponse(issuerUrl, await oauth.discoveryRequest(issuerUrl, options))
    expect(server).toMatchObject({
      issuer,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      revocation_endpoint: `${issuer}/revoke`,
      introspection_endpoint: `${issuer}/introspect`,
      end_session_endpoint: `${issuer}/logout`,
    })
    const client = { client_id: clientId }
    const verifier = oauth.generateRandomCodeVerifier()
    const state = oauth.generateRandomState()
    const nonce = oauth.generateRandomNonce()
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid profile orders',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const browser = front.browser()
    const back = await browser.signIn(`${server.authorization_endpoint}?${query}`)

    const parameters = oauth.validateAuthResponse(server, client, back, state)
    const codeAnswer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      callback,
      verifier,
      options,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, codeAnswer, {
      expectedNonce: nonce,
      requireIdToken: true,
    })
    await oauth.validateApplicationLevelSignature(server, codeAnswer, options)

    const api = new Request('https://api.example.com/', { headers: { authorization: `Bearer ${tokens.access_token}` } })
    const claims = await oauth.validateJwtAccessToken(server, api, 'https://api.example.com', options)
    expect(claims).toMatchObject({ sub: 'alice', client_id: clientId, scope: 'openid profile orders' })

    const infoAnswer = await oauth.userInfoRequest(server, client, tokens.access_token, options)
    expect(await oauth.processUserInfoResponse(server, client, 'alice', infoAnswer)).toEqual({
      sub: 'alice',
      name: 'alice',
      preferred_username: 'alice',
    })

    const refreshAnswer = await oauth.refreshTokenGrantRequest(
      server,
      client,
      oauth.None(),
      tokens.refresh_token ?? '',
      options,
    )
    const refreshed = await oauth.processRefreshTokenResponse(server, client, refreshAnswer)
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)

    const revocation = await oauth.revocationRequest(
      server,
      client,
      oauth.None(),
      refreshed.refresh_token ?? '',
      options,
    )
    await oauth.processRevocationResponse(revocation)
    expect((await oauth.userInfoRequest(server, client, refreshed.access_token, options)).status).toBe(401)

    const out = await browser.go(
      `${server.end_session_endpoint}?${new URLSearchParams({
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: `${origin}/devportal/`,
        state: 'bye',
      })}`,
    )
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(out.text) ?? []
    const done = await browser.go(`${issuer}/logout/confirm`, {
      method: 'POST',
      body: new URLSearchParams({ xsrf, logout: 'yes' }),
    })
    expect([done.status, done.headers.location]).toEqual([303, `${origin}/devportal/?state=bye`])
    expect(await front.security.tokens.list()).toEqual([])
  })
})

describe('a confidential client with openid-client', () => {
  it('goes the whole round, introspection included', async () => {
    const front = await frontWithServerApp()
    const customFetch = fetchOf(front) as openid.CustomFetch
    const config = await openid.discovery(new URL(issuer), 'publisher-app', confidentialSecret, undefined, {
      [openid.customFetch]: customFetch,
    })
    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const expectedState = openid.randomState()
    const target = openid.buildAuthorizationUrl(config, {
      redirect_uri: `${origin}/publisher/callback`,
      scope: 'openid roles orders',
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      resource: 'https://api.example.com',
    })
    const browser = front.browser()
    const back = await browser.signIn(target.href, 'bob')
    const tokens = await openid.authorizationCodeGrant(
      config,
      back,
      { pkceCodeVerifier, expectedState, idTokenExpected: true },
      { resource: 'https://api.example.com' },
    )
    expect(await openid.fetchUserInfo(config, tokens.access_token, 'bob')).toEqual({ sub: 'bob', roles: [] })
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toMatchObject({
      active: true,
      sub: 'bob',
      username: 'bob',
      client_id: 'publisher-app',
      aud: 'https://api.example.com',
      scope: 'openid roles orders',
      iss: issuer,
      token_type: 'Bearer',
    })
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(await openid.tokenIntrospection(config, refreshed.refresh_token ?? '')).toMatchObject({ active: true })

    await openid.tokenRevocation(config, refreshed.access_token)
    expect(await openid.tokenIntrospection(config, refreshed.access_token)).toEqual({ active: false })
    expect(await openid.tokenIntrospection(config, refreshed.refresh_token ?? '')).toEqual({ active: false })

    const out = await browser.go(
      openid.buildEndSessionUrl(config, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: `${origin}/publisher/`,
      }).href,
    )
    expect(out.text).toContain('Sign out?')
  })
})
