/** Libraries of apps on the user's machine: AppAuth and MSAL. */

import { type INetworkModule, ProtocolMode, PublicClientApplication } from '@azure/msal-node'
import { describe, expect, it } from 'vitest'
import { callback, fetchOf, issuer, type OauthFront, oauthFront, pkce, providers, userinfo } from './front.js'

// Its declarations are for bundlers as well: to the compiler here it exports nothing.
// biome-ignore lint/suspicious/noExplicitAny: see above
const library: Record<string, any> = { ...(await import('@openid/appauth')) }
const { NodeBasedHandler, NodeCrypto } = await import('@openid/appauth/built/src/node_support/index.js' as string)

const frontFor = (name: string, changes: object): Promise<OauthFront> =>
  oauthFront({ oauth: { service_provider: [{ ...providers[0], name, ...changes }] } })

describe('AppAuth, as a native app', () => {
  const redirect_uri = 'http://127.0.0.1:41999/callback'

  it('signs in on a port of its own, refreshes and revokes', async () => {
    const front = await frontFor('native-app', { native: true, redirect_uris: ['http://127.0.0.1/callback'] })
    const send = fetchOf(front)
    const requestor = {
      async xhr({ url, data, ...options }: { url: string; data?: string; method?: string; headers?: object }) {
        const answer = await send(url, { ...options, body: data })
        if (!answer.ok) throw new Error(await answer.text())
        return JSON.parse(await answer.text())
      },
    }
    const configuration = await library['AuthorizationServiceConfiguration'].fetchFromIssuer(issuer, requestor)
    const client = { client_id: 'native-app', redirect_uri }
    const asked = { ...client, scope: 'openid orders', response_type: 'code' }
    const request = new library['AuthorizationRequest'](asked, new NodeCrypto())
    await request.setupCodeVerifier()
    const handler = new NodeBasedHandler()
    const back = await front.browser().signIn(handler.buildRequestUrl(configuration, request))
    expect(`${back.origin}${back.pathname}`).toBe(redirect_uri)
    expect(back.searchParams.get('state')).toBe(request.state)

    const tokens = new library['BaseTokenRequestHandler'](requestor)
    const exchange = (fields: object) =>
      tokens.performTokenRequest(configuration, new library['TokenRequest']({ ...client, ...fields }))
    const first = await exchange({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code'),
      extras: { code_verifier: request.internal.code_verifier },
    })
    expect((await userinfo(front, first.accessToken)).json()).toMatchObject({ sub: 'alice' })
    const second = await exchange({ grant_type: 'refresh_token', refresh_token: first.refreshToken })
    expect(second.refreshToken).not.toBe(first.refreshToken)
    const revocation = { client_id: 'native-app', token: second.refreshToken }
    await tokens.performRevokeTokenRequest(configuration, new library['RevokeTokenRequest'](revocation))
    expect((await userinfo(front, second.accessToken)).status).toBe(401)
  })
})

describe('MSAL for Node', () => {
  function networkOf(front: OauthFront): INetworkModule {
    const send = fetchOf(front)
    const call =
      (method: string) =>
      async (url: string, options: { headers?: unknown; body?: string } = {}) => {
        const answer = await send(url, { method, ...options })
        const headers = Object.fromEntries(answer.headers)
        return { status: answer.status, headers, body: JSON.parse(await answer.text()) }
      }
    return { sendGetRequestAsync: call('GET'), sendPostRequestAsync: call('POST') } as INetworkModule
  }

  it.each(['query', 'form_post', 'fragment'] as const)(
    'signs in with %s, and gets a token in the background by a refresh',
    async (mode) => {
      const front = await frontFor('msal-app', { response_modes: ['query', 'form_post', 'fragment'] })
      const app = new PublicClientApplication({
        auth: { clientId: 'msal-app', authority: issuer, knownAuthorities: [new URL(issuer).host] },
        system: { networkClient: networkOf(front), protocolMode: ProtocolMode.OIDC },
      })
      const { verifier, challenge } = pkce()
      const asked = { scopes: ['orders'], redirectUri: callback }
      const target = await app.getAuthCodeUrl({
        ...asked,
        responseMode: mode,
        codeChallenge: challenge,
        codeChallengeMethod: 'S256',
      })
      expect(new URL(target).searchParams.get('response_mode')).toBe(mode)
      const code = await codeFrom(front, target)
      const result = await app.acquireTokenByCode({ ...asked, code, codeVerifier: verifier })
      expect(result.account?.username).toBe('alice')
      const silent = await app.acquireTokenSilent({ account: result.account!, scopes: ['orders'], forceRefresh: true })
      expect(silent.accessToken).not.toBe(result.accessToken)
      expect((await userinfo(front, silent.accessToken)).json()).toMatchObject({ sub: 'alice' })
    },
  )
})

/** However it comes. */
async function codeFrom(front: OauthFront, target: string): Promise<string> {
  const browser = front.browser()
  try {
    const { searchParams, hash } = await browser.signIn(target)
    return searchParams.get('code') ?? new URLSearchParams(hash.slice(1)).get('code') ?? ''
  } catch (error) {
    // No redirect: a page with a form.
    return /name="code" value="([^"]+)"/.exec(String(error))?.[1] ?? ''
  }
}
