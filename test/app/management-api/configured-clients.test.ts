import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PageOf } from '../../../lib/admin-api/page.js'
import type { ApiTokenEntry, ServiceProviderEntry } from '../../../lib/admin-api/schemas/configuration.js'
import { createApiToken, hashApiToken } from '../../../lib/tokens/machines/api-token-text.js'
import { bearer, document, type Front, startFront, users } from '../../helpers/front.js'
import { folderWith } from '../../helpers/key-files.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const start = Date.parse('2026-03-01T12:00:00Z')

async function list<Entry>(front: Front, path: string, token: string): Promise<PageOf<Entry>> {
  const answer = await front.call('GET', path, [token])
  expect(answer.status, answer.body).toBe(200)
  return answer.json<PageOf<Entry>>()
}

const userTables = `
[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
`

describe('the list of API tokens', () => {
  const token = secret(createApiToken())
  const hash = hashApiToken(token)
  let clock = start

  async function serve(): Promise<{ front: Front; file: string; admin: string }> {
    clock = start
    const tables = `
[[management_api.api_tokens]]
name = "deploy"
hash = "${hash}"
expires = 2026-04-01
roles = ["ops"]
allow = ["10.0.0.0/8", "127.0.0.1"]
paths = ["/whoami"]
[[management_api.api_tokens]]
name = "old"
hash = "${hashApiToken(createApiToken())}"
expires = 2026-02-01
admin = true
`
    const file = join(folderWith({ 'deployment.toml': userTables + tables }), 'deployment.toml')
    const front = await startFront(oneSetUp, { source: file, options: { clock: () => clock } })
    return { front, file, admin: bearer(await front.login()) }
  }

  it('has what each may do and where it is written, and neither the token nor its hash', async () => {
    const { front, file, admin } = await serve()
    const answer = await front.call('GET', '/api-tokens', [admin])
    expect(answer.json()).toEqual({
      count: 2,
      total: 2,
      list: [
        {
          id: expect.stringMatching(/^[\w-]{43}$/),
          name: 'deploy',
          subject: 'API/deploy',
          isAdmin: false,
          roles: ['ops'],
          addresses: ['10.0.0.0/8', '127.0.0.1'],
          paths: ['/whoami'],
          expiresAt: '2026-04-01T00:00:00.000Z',
          lastUsedAt: null,
          rule: { key: 'management_api.api_tokens[0]', file, line: 9 },
        },
        expect.objectContaining({ id: null, name: 'old', isAdmin: true, addresses: null, paths: null }),
      ],
    })
    expect(answer.body).not.toContain(hash)
  })

  it('tells of the last use, and that one was revoked by its id', async () => {
    const { front, admin } = await serve()
    clock += 5000
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
    const [used] = (await list<ApiTokenEntry>(front, '/api-tokens?limit=1', admin)).list
    expect(used).toMatchObject({ name: 'deploy', lastUsedAt: '2026-03-01T12:00:05.000Z' })
    expect((await front.call('DELETE', `/sessions/${used!.id}`, [admin])).status).toBe(200)
    expect((await list<ApiTokenEntry>(front, '/api-tokens?limit=1', admin)).list).toMatchObject([{ id: null }])
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(401)
  })

  it('is that of the configuration in effect', async () => {
    const { front, file, admin } = await serve()
    writeFileSync(file, userTables)
    expect((await list(front, '/api-tokens', admin)).total).toBe(2)
    await front.security.reload(file)
    expect(await list(front, '/api-tokens', admin)).toEqual({ count: 0, total: 0, list: [] })
  })
})

/** The authorization server is not mounted: nothing here asks it. */
const withoutChecks = { ...oneSetUp, usesCreateServer: false }

describe('the list of service providers', () => {
  const secretHash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'
  const tables = `
[oauth]
enable = true
issuer = "https://localhost:9443/oauth2"
[[oauth.service_provider]]
name = "app"
client_id = "app-1"
redirect_uris = ["https://app.example/callback"]
post_logout_redirect_uris = ["https://app.example/"]
allow_without_client_secret = true
pkce_mandatory = true
scopes = ["read"]
[[oauth.service_provider]]
name = "job"
grants = ["client_credentials"]
client_secret = "${secretHash}"
audience = "https://api.example"
backchannel_logout_uri = "https://job.example/logout"
[portal.publisher]
callback = "https://localhost:9443/publisher/services/auth/callback/login"
`

  it('has them as the console of WSO2 shows them, those of the portals too, and no hash of a secret', async () => {
    const file = join(folderWith({ 'deployment.toml': userTables + tables }), 'deployment.toml')
    const front = await startFront(withoutChecks, { source: file })
    const answer = await front.call('GET', '/service-providers', [bearer(await front.login())])
    const { list: providers, ...counts } = answer.json<PageOf<ServiceProviderEntry>>()
    expect(counts).toEqual({ count: 3, total: 3 })
    expect(providers[0]).toEqual({
      clientId: 'app-1',
      name: 'app',
      type: 'public',
      pkce: 'mandatory',
      hasSecret: false,
      grants: ['authorization_code'],
      redirectUris: ['https://app.example/callback'],
      postLogoutRedirectUris: ['https://app.example/'],
      scopes: ['read'],
      audience: 'https://localhost:9443/oauth2',
      backchannelLogoutUri: null,
      rule: { key: 'oauth.service_provider[0]', file, line: 12 },
    })
    expect(providers[1]).toMatchObject({
      clientId: 'job',
      type: 'confidential',
      hasSecret: true,
      grants: ['client_credentials'],
      redirectUris: [],
      audience: 'https://api.example',
      backchannelLogoutUri: 'https://job.example/logout',
    })
    expect(providers[2]).toMatchObject({
      clientId: 'apim_publisher',
      type: 'public',
      rule: { key: 'portal.publisher.callback', file, line: 27 },
    })
    expect(answer.body).not.toContain('argon2id')
  })

  it('is that of the start, as the authorization server is', async () => {
    const file = join(folderWith({ 'deployment.toml': userTables + tables }), 'deployment.toml')
    const front = await startFront(withoutChecks, { source: file })
    const admin = bearer(await front.login())
    writeFileSync(file, userTables)
    await front.security.reload(file)
    expect((await list(front, '/service-providers', admin)).total).toBe(3)
  })

  it('is empty without an authorization server', async () => {
    const front = await startFront(oneSetUp, { source: document() })
    const admin = bearer(await front.login())
    expect(await list(front, '/service-providers', admin)).toEqual({ count: 0, total: 0, list: [] })
  })
})
