import { describe, expect, it } from 'vitest'
import { isRedirectAllowed } from '../../lib/oauth/service-providers.js'
import { authorizeUrl, exchange, oauthFront, pkce, providers } from './front.js'

const redirectUris = ['http://127.0.0.1/callback', 'http://[::1]:7777/callback?app=1', 'http://localhost/callback']
const native = { ...providers[0], name: 'native-app', redirect_uris: redirectUris, native: true }

// Covers: G03 G33
describe('a redirect URI of a native app', () => {
  it('is good with any port of this machine, and its code for that port alone', async () => {
    const front = await oauthFront({ oauth: { service_provider: [native] } })
    const redirect_uri = 'http://127.0.0.1:51004/callback'
    const { verifier, challenge } = pkce()
    const client = { client_id: 'native-app', redirect_uri }
    const back = await front.browser().signIn(authorizeUrl(challenge, client))
    expect(`${back.origin}${back.pathname}`).toBe(redirect_uri)
    const code = back.searchParams.get('code')!
    const other = await exchange(front, code, verifier, { ...client, redirect_uri: 'http://127.0.0.1:51005/callback' })
    expect(other.json()['error']).toBe('invalid_grant')
    expect((await exchange(front, code, verifier, client)).status).toBe(200)
  })

  it('of another path gets a page, and no redirect', async () => {
    const front = await oauthFront({ oauth: { service_provider: [native] } })
    for (const redirect_uri of ['http://127.0.0.1:51004/other', 'http://localhost:51004/callback']) {
      const answer = await front.send(
        authorizeUrl(pkce().challenge, { client_id: 'native-app', redirect_uri }).slice(22),
      )
      expect([answer.status, answer.headers.location]).toEqual([400, undefined])
    }
  })

  const provider = { redirectUris, isNative: true } as never

  it.each([
    'http://127.0.0.1/callback',
    'http://127.0.0.1:1/callback',
    'http://127.0.0.1:65535/callback',
    'http://[::1]:8080/callback?app=1',
    'http://[::1]/callback?app=1',
    'http://localhost/callback',
  ])('is %s', (uri) => {
    expect(isRedirectAllowed(provider, uri)).toBe(true)
  })

  it.each([
    'http://127.0.0.1:8080/callback/',
    'http://127.0.0.1:8080/Callback',
    'http://127.0.0.1:8080/callback?more=1',
    'http://127.0.0.1:8080/callback#x',
    'http://127.0.0.1:8080/x/../callback',
    'http://127.0.0.1:8080/%63allback',
    'http://127.0.0.1:8080',
    'http://127.0.0.1:8080/',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:080/callback',
    'http://127.0.0.1:123456/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1:80@evil.example.com/callback',
    'http://user@127.0.0.1:8080/callback',
    'http://127.0.0.1.evil.example.com:8080/callback',
    'http://127.0.0.2:8080/callback',
    'http://127.1:8080/callback',
    'http://2130706433:8080/callback',
    'http://[::ffff:127.0.0.1]:8080/callback',
    'http://[::1]:8080/callback',
    'http://[::1]:8080/callback?app=2',
    'http://localhost:8080/callback',
    'https://127.0.0.1:8080/callback',
    'HTTP://127.0.0.1:8080/callback',
    'http:\\\\127.0.0.1:8080/callback',
    ' http://127.0.0.1:8080/callback',
    'http://127.0.0.1:8080/callback\n',
    'com.example.app:/callback',
  ])('is not %j', (uri) => {
    expect(isRedirectAllowed(provider, uri)).toBe(false)
  })

  it('is exact where the file does not say that the app is native', () => {
    expect(isRedirectAllowed({ redirectUris, isNative: false } as never, 'http://127.0.0.1:1/callback')).toBe(false)
  })
})
