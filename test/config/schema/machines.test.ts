import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { createApiToken } from '../../../lib/tokens/machines/api-token-text.js'
import { problemsOf } from '../problems-of.js'

const hash = 'a'.repeat(64)
const apiToken = { name: 'deploy', hash, expires: new Date('2030-01-01') }
const issuer = { issuer: 'https://id.example.com', audience: 'my-api', role_mapping: { ops: 'ops' } }

const keysOf = (source: object): string[] => Object.keys(problemsOf(source))
const withTokens = (...api_tokens: object[]): object => ({ management_api: { api_tokens } })
const withIssuer = (more: object, root: object = {}): object => ({
  management_api: { trusted_issuer: { ...issuer, ...more } },
  ...root,
})

describe('[[management_api.api_tokens]]', () => {
  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name'],
    ['a name with a slash', { name: 'a/b' }, 'name'],
    ['no hash', { hash: undefined }, 'hash'],
    ['the token itself', { hash: `sallyport_${'a'.repeat(49)}` }, 'hash'],
    ['no end', { expires: undefined }, 'expires'],
    ['an end that is none', { expires: 'tomorrow' }, 'expires'],
    ['an address that is none', { allow: ['10.0.0.0/33'] }, 'allow[0]'],
    ['no path', { paths: [] }, 'paths'],
    ['a wildcard', { paths: ['/apis/*'] }, 'paths[0]'],
  ])('must not have %s', (_what, more, key) => {
    expect(keysOf(withTokens({ ...apiToken, ...more }))).toEqual([`management_api.api_tokens[0].${key}`])
  })

  it('never shows a token that stands in the place of its hash', () => {
    const token = createApiToken()
    const problems = problemsOf(withTokens({ ...apiToken, hash: token }))
    expect(Object.values(problems)).toEqual([expect.stringContaining('not the token itself')])
    expect(JSON.stringify(problems)).not.toContain(token)
  })

  it('never shows a seed or a key that is none', () => {
    const user = { name: 'admin', password: 'correct horse battery', totp: 'Sesame!' }
    const problems = problemsOf({ internal_apis: { users: [{ user }] }, second_factor: { key: 'Sesame' } })
    expect(Object.keys(problems)).toEqual(['internal_apis.users[0].user.totp', 'second_factor.key'])
    expect(JSON.stringify(problems)).not.toContain('Sesame')
  })

  it('leaves names of other domains to them: no user of the file has one', () => {
    const user = { name: 'BREAK-GLASS/eve', password: 'correct horse battery', is_admin: true }
    expect(keysOf({ internal_apis: { users: [{ user }] } })).toEqual(['internal_apis.users[0].user.name'])
  })

  it('must not share a name or a hash, and the hash is not shown', () => {
    const problems = problemsOf(withTokens(apiToken, { ...apiToken, name: 'Deploy' }))
    expect(Object.keys(problems)).toEqual(['management_api.api_tokens[1].name', 'management_api.api_tokens[1].hash'])
    expect(JSON.stringify(problems)).not.toContain(hash)
  })

  it.each([{ basic_security_handler: { enable: true } }, { jwt_token_security_handler: { enable: false } }])(
    'is a mistake with %j',
    (handler) => {
      expect(keysOf({ management_api: { api_tokens: [apiToken], ...handler } })).toEqual(['management_api.api_tokens'])
    },
  )
})

describe('[management_api.trusted_issuer]', () => {
  it('has a default for all but issuer, audience and roles', () => {
    expect(parseConfig(withIssuer({}), { env: {} }).managementApi.trustedIssuer).toEqual({
      issuer: 'https://id.example.com',
      jwksUri: undefined,
      audience: 'my-api',
      type: 'at+jwt',
      domainName: 'TRUSTED',
      rolesClaim: 'roles',
      roleMapping: expect.objectContaining({ ops: ['ops'] }),
      adminRoles: [],
      allowUnmapped: false,
      maxTokenAgeMs: 86_400_000,
    })
  })

  it.each<[string, object, string]>([
    ['an issuer without TLS', { issuer: 'http://id.example.com' }, 'issuer'],
    ['an issuer with a password', { issuer: 'https://a:b@id.example.com' }, 'issuer'],
    ['no audience', { audience: undefined }, 'audience'],
    ['keys without TLS', { jwks_uri: 'http://id.example.com/keys' }, 'jwks_uri'],
    ['another type', { typ: 'logout+jwt' }, 'typ'],
    ['the domain of local users', { domain_name: 'primary' }, 'domain_name'],
    ['the domain of API tokens', { domain_name: 'Api' }, 'domain_name'],
    ['a domain with a slash', { domain_name: 'a/b' }, 'domain_name'],
    ['no rule that gives a role', { role_mapping: {} }, 'role_mapping'],
    ['an age without end', { max_token_age: '31d' }, 'max_token_age'],
    ['our own issuer', { issuer: 'https://localhost:9443/oauth2' }, 'issuer'],
    ['a client id as the audience', { typ: 'JWT', audience: 'app' }, 'audience'],
    ['a client id there as the audience', { typ: 'JWT', audience: 'portals' }, 'audience'],
    ['the domain of another issuer', { domain_name: 'corporate' }, 'domain_name'],
  ])('must not have %s', (_what, more, key) => {
    const oauth = {
      enable: true,
      issuer: 'https://localhost:9443/oauth2',
      service_provider: [{ name: 'app', grants: ['client_credentials'], client_secret: '$argon2id$x' }],
    }
    const provider = {
      name: 'corporate',
      issuer: 'https://login.example.com',
      client_id: 'portals',
      allow_unmapped: true,
    }
    expect(keysOf(withIssuer(more, { oauth, identity_provider: [provider] }))).toEqual([
      `management_api.trusted_issuer.${key}`,
    ])
  })

  it.each(['API/deploy', 'icp/key', 'Client/app', 'trusted/alice'])('leaves no user of the file named %s', (name) => {
    const internal_apis = { users: [{ user: { name, password: 'a-password' } }] }
    expect(keysOf(withIssuer({}, { internal_apis }))).toEqual(['internal_apis.users[0].user.name'])
  })
})

describe('[icp_config]', () => {
  const icpOf = (icp_config: object) => parseConfig({ icp_config }, { env: {} }).icp

  it('is split at the first dot', () => {
    const material = `${'x'.repeat(31)}.y`
    expect(icpOf({ enabled: true, secret: `key-1.${material}` })).toMatchObject({ kid: 'key-1', material })
    expect(icpOf({ enabled: 'false', secret: '' })).toBeUndefined()
    expect(icpOf({ icp_url: 'https://icp.example.com:9445' })).toBeUndefined()
  })

  it.each([undefined, '', 'key-1', `.${'x'.repeat(32)}`, `key-1.${'x'.repeat(31)}`, `a key.${'x'.repeat(32)}`])(
    'must not have the secret %j, which is not shown',
    (secret) => {
      const problems = problemsOf({ icp_config: { enabled: true, secret } })
      expect(Object.keys(problems)).toEqual(['icp_config.secret'])
      expect(JSON.stringify(problems)).not.toContain('xxx')
    },
  )
})

describe('[[oauth.service_provider]] with client_credentials', () => {
  const problems = (more: object) =>
    keysOf({
      oauth: {
        enable: true,
        issuer: 'https://localhost:9443/oauth2',
        service_provider: [{ name: 'job', grants: ['client_credentials'], client_secret: '$argon2id$x', ...more }],
      },
    })

  it('needs no redirect URI, and takes two hashes', () => {
    expect(problems({})).toEqual([])
    expect(problems({ client_secret: ['$argon2id$x', '$argon2id$y'] })).toEqual([])
  })

  it.each<[string, object, string]>([
    ['no grant', { grants: [] }, 'grants'],
    ['another grant', { grants: ['password'] }, 'grants[0]'],
    ['no redirect URI for people', { grants: ['authorization_code'] }, 'redirect_uris'],
    ['refresh tokens', { refresh_tokens: true }, 'refresh_tokens'],
    ['no secret', { client_secret: undefined, allow_without_client_secret: true, pkce_mandatory: true }, 'grants'],
    ['three hashes', { client_secret: ['$argon2id$x', '$argon2id$y', '$argon2id$z'] }, 'client_secret'],
    ['a plain secret', { client_secret: ['secret'] }, 'client_secret[0]'],
  ])('must not have %s', (_what, more, key) => {
    expect(problems(more)).toContain(`oauth.service_provider[0].${key}`)
  })
})
