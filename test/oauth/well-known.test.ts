import type express from 'express'
import { describe, expect, it } from 'vitest'
import { createSecurity, type Security } from '../../lib/index.js'
import { bearerAuthentication, errorResponses } from '../../lib/middleware.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { issuer, type OauthFront, oauthFront, origin, providers } from './front.js'

const app = { ...providers[1], redirect_uris: [`${origin}/callback`] }
const serviceProviders = [
  { ...app, name: 'one', audience: `${origin}/mcp`, scopes: ['tools'] },
  { ...app, name: 'two', audience: `${origin}/mcp`, scopes: ['tools', 'files'] },
  { ...app, name: 'root', audience: 'https://api.example.com' },
  { ...app, name: 'a', audience: 'https://a.example.com/shared', scopes: ['a'] },
  { ...app, name: 'b', audience: 'https://b.example.com/shared', scopes: ['b'] },
  { ...app, name: 'no-url', audience: 'orders' },
  { ...app, name: 'with-query', audience: `${origin}/query?tenant=1` },
  { ...app, name: 'plain', audience: 'http://api.example.com/plain' },
]

async function front(mount = '/'): Promise<OauthFront> {
  const before = (app: express.Express, security: Security): void => {
    app.use(mount, security.wellKnown())
    for (const { audience } of serviceProviders) {
      const path = `/of/${encodeURIComponent(audience)}`
      app.use(path, bearerAuthentication({ tokens: security.tokens, audience, scope: 'tools' }))
    }
    app.use('/of', errorResponses({ events: security.events }))
    app.get(
      '/.well-known/oauth-protected-resource/of-the-app',
      (_request, response) => void response.json({ own: true }),
    )
  }
  return oauthFront({ oauth: { service_provider: serviceProviders }, before })
}

const prefix = '/.well-known/oauth-protected-resource'

describe('security.wellKnown()', () => {
  it.each([
    ['/mcp', `${origin}/mcp`, ['tools', 'files']],
    ['', 'https://api.example.com', ['openid']],
  ])(
    'tells of the resource at %j who gives tokens for it, and what may be asked for',
    async (path, resource, scopes) => {
      const answer = await (await front()).send(prefix + path)
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'access-control-allow-origin': '*',
        'cache-control': 'public, max-age=300',
      })
      expect(answer.json()).toEqual({
        resource,
        authorization_servers: [issuer],
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
      })
    },
  )

  it.each(['oauth-authorization-server', 'openid-configuration'])('tells of the server at %s/oauth2', async (name) => {
    const one = await front()
    const answer = await one.send(`/.well-known/${name}/oauth2`)
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual((await one.send('/oauth2/.well-known/openid-configuration')).json())
    expect((await one.send(`/.well-known/${name}/oauth2`, { method: 'HEAD' })).text).toBe('')
  })

  it('lets everything else through, and answers other methods with 405', async () => {
    const one = await front()
    expect((await one.send(`${prefix}/of-the-app`)).json()).toEqual({ own: true })
    for (const path of ['/shared', '/query', '/plain', '/orders', '/MCP', '/mcp/', '/mcp/../mcp', '/unknown']) {
      expect((await one.send(prefix + path)).status).toBe(404)
    }
    expect((await one.send(`${prefix}/mcp`, { method: 'POST' })).status).toBe(405)
    expect((await one.send(`${prefix}/mcp`, { method: 'TRACE' })).status).toBe(405)
  })

  it('chooses by the name that the client uses among two hosts with one path, and believes no other name', async () => {
    const one = await front()
    for (const name of ['a', 'b']) {
      const answer = await one.send(`${prefix}/shared`, { headers: { host: `${name}.example.com` } })
      expect(answer.json()).toMatchObject({ resource: `https://${name}.example.com/shared`, scopes_supported: [name] })
    }
    const forged = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' }
    expect((await one.send(`${prefix}/shared`, { headers: forged })).status).toBe(404)
    const answer = await one.send(`${prefix}/mcp`, { headers: forged })
    expect(answer.text).not.toContain('evil')
  })

  it('answers the preflight of a page with headers of its own', async () => {
    const answer = await (await front()).send(`${prefix}/mcp`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://inspector.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' })
  })

  it('answers the same at its own folder', async () => {
    expect((await (await front('/.well-known')).send(`${prefix}/mcp`)).status).toBe(200)
  })

  it('needs an authorization server', async () => {
    const users = [{ user: { name: 'alice', password: 'correct horse battery' } }]
    const security = await createSecurity({ internal_apis: { users } }, { logger: recordedLog().logger })
    expect(() => security.wellKnown()).toThrow('oauth.enable: must be true for security.wellKnown()')
    await security.close()
    expect(() => security.wellKnown()).toThrow()
  })
})

describe('the challenge of bearerAuthentication', () => {
  it.each([
    [`${origin}/mcp`, `${origin}${prefix}/mcp`],
    ['https://api.example.com', `https://api.example.com${prefix}`],
  ])('for %s names its metadata, and the scope', async (audience, url) => {
    const one = await front()
    const path = `/of/${encodeURIComponent(audience)}`
    const more = `scope="tools", resource_metadata="${url}"`
    const none = await one.send(path)
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, `Bearer realm="Sallyport", ${more}`])
    const wrong = await one.send(path, { headers: { authorization: 'Bearer wrong' } })
    expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([
      401,
      `Bearer realm="Sallyport", error="invalid_token", error_description="The access token is not valid", ${more}`,
    ])
  })

  it.each(['orders', `${origin}/query?tenant=1`, 'http://api.example.com/plain'])(
    'for %s, which can have no metadata, names none',
    async (audience) => {
      const { headers } = await (await front()).send(`/of/${encodeURIComponent(audience)}`)
      expect(headers['www-authenticate']).toBe('Bearer realm="Sallyport", scope="tools"')
    },
  )
})
