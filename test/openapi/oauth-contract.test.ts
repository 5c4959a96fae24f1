import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../lib/users/passwords/password-hash.js'
import { fileUser, fileUsers } from '../helpers/front.js'
import {
  authorizeUrl,
  Browser,
  callback,
  issuer,
  origin,
  passwords,
  pkce,
  providers,
  type TokenAnswer,
} from '../oauth/front.js'
import { startWhole } from './whole-stage.js'

const secret = 'a-secret-of-the-client-with-40-characters'

const posts = [
  ['getTokens', '/token'],
  ['introspectToken', '/introspect'],
  ['revokeToken', '/revoke'],
] as const
const wrongSecret = { grant_type: 'client_credentials', token: 'x', client_id: 'program', client_secret: 'wrong' }

const audience = 'https://api.example.com/v1/orders'

describe('the answers of the authorization server', () => {
  it('are as documented, each of them', async () => {
    const program = {
      name: 'program',
      grants: ['client_credentials'],
      client_secret: [await hashPassword(secret)],
      audience,
      scopes: ['orders'],
    }
    const oauth = {
      enable: true,
      issuer,
      algorithm: 'ES256',
      service_provider: [{ ...providers[0], audience }, program],
    }
    const stage = await startWhole({
      root: { oauth },
      internalApis: { users: [...fileUsers, fileUser('alice', passwords.alice)] },
    })
    const { ask } = stage
    const at = '/oauth2'
    const browser = new Browser(stage.send)
    const { verifier, challenge } = pkce()
    const url = authorizeUrl(challenge, { scope: 'openid roles orders' }).slice(origin.length)
    await ask('authorize', url)
    await ask('authorize', `${at}/authorize?client_id=nobody`)
    const form = Object.fromEntries(new URLSearchParams(url.split('?')[1]))
    await ask('authorizeByForm', `${at}/authorize`, { form })
    await ask('authorizeByForm', `${at}/authorize`, { form: { client_id: 'nobody' } })

    const back = await browser.signIn(authorizeUrl(challenge, { scope: 'openid roles orders' }))
    const exchange = {
      grant_type: 'authorization_code',
      client_id: 'devportal-app',
      redirect_uri: callback,
      code_verifier: verifier,
    }
    const take = async (code: string): Promise<string> =>
      (await ask('getTokens', `${at}/token`, { form: { ...exchange, code } })).json<TokenAnswer>().access_token
    const access_token = await take(back.searchParams.get('code')!)
    const withoutOpenId = await browser.signIn(authorizeUrl(challenge, { scope: 'orders' }))
    const narrow = await take(withoutOpenId.searchParams.get('code')!)
    await ask('getTokens', `${at}/token`, { form: { ...exchange, code: 'none' } })
    const asProgram = { client_id: 'program', client_secret: secret }
    const forItself = { grant_type: 'client_credentials', ...asProgram, scope: 'orders' }
    const own = (await ask('getTokens', `${at}/token`, { form: forItself })).json<TokenAnswer>()

    for (const id of ['getUserInfo', 'getUserInfoByPost']) {
      await ask(id, `${at}/userinfo`, { headers: [`Authorization: Bearer ${access_token}`] })
      await ask(id, `${at}/userinfo`)
      await ask(id, `${at}/userinfo`, { headers: ['Authorization: Bearer none'] })
      await ask(id, `${at}/userinfo?access_token=none`, { headers: [`Authorization: Bearer ${access_token}`] })
      await ask(id, `${at}/userinfo`, { headers: [`Authorization: Bearer ${narrow}`] })
    }
    await ask('introspectToken', `${at}/introspect`, { form: { ...asProgram, token: access_token } })
    await ask('introspectToken', `${at}/introspect`, { form: { ...asProgram, token: 'none' } })
    await ask('introspectToken', `${at}/introspect`, { form: asProgram })
    await ask('revokeToken', `${at}/revoke`, { form: { client_id: 'devportal-app' } })
    await ask('revokeToken', `${at}/revoke`, { form: { client_id: 'devportal-app', token: access_token } })
    for (const [id, path] of posts) await ask(id, at + path, { form: wrongSecret })
    await ask('listServiceProviders', '/management/service-providers', { headers: [stage.token] })
    await ask('getOauthKeys', `${at}/jwks`)
    await ask('getOpenIdConfiguration', `${at}/.well-known/openid-configuration`)
    await ask('getAuthorizationServerMetadata', '/.well-known/oauth-authorization-server/oauth2')
    await ask('getResourceMetadata', '/.well-known/oauth-protected-resource/v1/orders')
    await ask('oauthSignOut', `${at}/logout`)
    await ask('oauthSignOutByForm', `${at}/logout`, { form: { client_id: 'devportal-app' } })
    await ask('oauthSignOut', `${at}/logout?client_id=nobody`)
    await ask('oauthSignOutByForm', `${at}/logout`, { form: { client_id: 'nobody' } })
    const cookie = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`).join('; ')
    await ask('oauthSignOut', `${at}/logout`, { headers: [`Cookie: ${cookie}`] })
    await ask('oauthSignOutByForm', `${at}/logout`, { headers: [`Cookie: ${cookie}`], form: {} })

    stage.tokenStore.isBroken = true
    const live = { grant_type: 'client_credentials', scope: 'orders', token: own.access_token, ...asProgram }
    for (const [id, path] of posts) await ask(id, at + path, { form: live })
    stage.tokenStore.isBroken = false
    for (let attempt = 0; attempt < 12; attempt++) await ask('getTokens', `${at}/token`, { form: wrongSecret })
    for (const [id, path] of posts) await ask(id, at + path, { form: wrongSecret })
    expect(stage.unchecked('oauth')).toEqual([])
  })
})
