import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

const corporate = {
  name: 'corporate',
  issuer: 'https://login.example.com/realms/staff',
  client_id: 'portals',
  roles_claim: 'groups',
  role_mapping: { sales: 'buyer' },
}

const file = (provider: object, others: object = {}): object => ({
  identity_provider: [{ ...corporate, ...provider }],
  portal: { shop: { sign_in: ['local', 'corporate'] } },
  ...others,
})

const users = { internal_apis: { users: [{ user: { name: 'admin', password: 'x' } }] } }

describe('[[identity_provider]]', () => {
  it('has defaults', () => {
    const [provider] = parseConfig(file({})).identityProviders
    expect(provider).toEqual({
      name: 'corporate',
      title: undefined,
      issuer: 'https://login.example.com/realms/staff',
      clientId: 'portals',
      clientSecret: undefined,
      scopes: ['openid', 'profile'],
      subjectClaim: 'sub',
      rolesClaim: 'groups',
      roleMapping: { sales: ['buyer'] },
      adminRoles: [],
      requiredClaims: {},
      allowUnmapped: false,
      domainName: 'CORPORATE',
      sessionCeilingMs: undefined,
      publicOrigin: undefined,
      origin: { key: 'identity_provider[0]' },
    })
  })

  it('takes every key', () => {
    const written = {
      title: 'Corporate',
      client_secret: 'a secret',
      scopes: ['openid', 'groups'],
      subject_claim: 'oid',
      roles_claim: 'realm_access.roles',
      role_mapping: { sales: ['buyer', 'viewer'], root: 'operator' },
      admin_roles: ['root'],
      required_claims: { tid: ['a', 'b'], hd: 'example.com' },
      allow_unmapped: true,
      domain_name: 'corp',
      session_ceiling: '8h',
      public_origin: 'https://portal.example.com/',
    }
    expect(parseConfig(file(written)).identityProviders[0]).toMatchObject({
      roleMapping: { sales: ['buyer', 'viewer'], root: ['operator'] },
      requiredClaims: { tid: ['a', 'b'], hd: ['example.com'] },
      domainName: 'CORP',
      sessionCeilingMs: 28_800_000,
      publicOrigin: 'https://portal.example.com',
    })
  })

  it.each<[string, object, string, RegExp]>([
    ['a name that sign_in has for itself', { name: 'local' }, 'name', /neither local nor sso/],
    ['an issuer of plain HTTP', { issuer: 'http://login.example.com' }, 'issuer', /http on localhost only/],
    ['an issuer of all tenants', { issuer: 'https://login.microsoftonline.com/common/v2.0' }, 'issuer', /one tenant/],
    ['an issuer with a query', { issuer: 'https://login.example.com/?a' }, 'issuer', /must be the issuer/],
    ['scopes without openid', { scopes: ['groups'] }, 'scopes', /"openid"/],
    ['no group that is a role', { role_mapping: {} }, 'role_mapping', /nobody else signs in/],
    ['groups without their claim', { roles_claim: undefined }, 'roles_claim', /must name the claim/],
    ['the domain of the first store', { domain_name: 'primary' }, 'domain_name', /domains of other users/],
    ['the domain of internal roles', { domain_name: 'Internal' }, 'domain_name', /domains of other users/],
    ['the domain of API tokens', { domain_name: 'api' }, 'domain_name', /domains of other users/],
    ['the domain of OAuth clients', { domain_name: 'CLIENT' }, 'domain_name', /domains of other users/],
    ['a domain with a slash', { domain_name: 'a/b' }, 'domain_name', /letters, digits/],
    [
      'a public origin with a path',
      { public_origin: 'https://a.example/b' },
      'public_origin',
      /must be an https origin/,
    ],
    ['a key that is not known', { admin_role: 'x' }, 'admin_role', /not a known key/],
  ])('refuses %s', (_what, provider, key, rule) => {
    expect(problemsOf(file(provider))[`identity_provider[0].${key}`]).toMatch(rule)
  })

  it('refuses the domain of a user store, and a user of the file in its domain', () => {
    const store = { type: 'database', domain_name: 'PRIMARY', data_source: 'users' }
    const secondary = [{ type: 'database', domain_name: 'CORP', data_source: 'users' }]
    const others = {
      internal_apis: { file_user_store: { enable: false } },
      user_store: { ...store, secondary },
      datasource: [{ id: 'users', url: 'jdbc:postgresql://localhost/users', username: 'u', password: 'p' }],
    }
    expect(Object.keys(problemsOf(file({ domain_name: 'corp' }, others)))).toEqual(['identity_provider[0].domain_name'])
    const named = { internal_apis: { users: [{ user: { name: 'Corporate/alice', password: 'a long password' } }] } }
    expect(Object.keys(problemsOf(file({}, named)))).toEqual(['internal_apis.users[0].user.name'])
  })

  it('refuses two of a name or a domain, and a sign_in of one that is not there, empty or doubled', () => {
    const twice = { ...users, identity_provider: [corporate, { ...corporate, domain_name: 'B' }] }
    expect(Object.keys(problemsOf(twice))).toEqual(['identity_provider[1].name'])
    const places = {
      portal: { shop: { sign_in: ['corporation'] }, desk: { sign_in: [] }, a: { sign_in: ['local', 'local'] } },
    }
    expect(Object.keys(problemsOf(file({}, places))).sort()).toEqual([
      'portal.a.sign_in',
      'portal.desk.sign_in',
      'portal.shop.sign_in[0]',
    ])
    expect(Object.keys(problemsOf(file({}, { portal: { shop: { sign_in: ['corporation'] } } })))).toEqual([
      'portal.shop.sign_in[0]',
    ])
  })

  it('warns of one that nothing names, of claims that pass to others, and of everybody', () => {
    const { warnings } = parseConfig(file({ subject_claim: 'email', allow_unmapped: true }, { portal: {} }))
    expect(warnings.map(({ key }) => key)).toEqual(
      expect.arrayContaining([
        'identity_provider[0]',
        'identity_provider[0].subject_claim',
        'identity_provider[0].allow_unmapped',
      ]),
    )
  })
})

describe('[sso]', () => {
  const sso = {
    enable: true,
    client_id: 'dashboard',
    base_url: 'https://localhost:9743',
    jwt_issuer: 'https://is.example.com/oauth2/token',
    well_known_endpoint: 'https://is.example.com/oauth2/token/.well-known/openid-configuration',
    admin_group_attribute: 'groups',
    admin_groups: ['ops'],
    scope: 'openid groups',
    token_endpoint: 'https://is.example.com/oauth2/token',
    sign_in_redirect_URL: '/sso',
  }

  it('says nothing before a portal names it, whatever is in it, but a warning', () => {
    const config = parseConfig({ sso: { enable: true, storage: 'x' } })
    expect(config.identityProviders).toEqual([])
    expect(config.warnings.map(({ key }) => key)).toContain('sso')
  })

  it('is a provider where a portal names it: administrators by group', () => {
    const { identityProviders } = parseConfig({ sso, portal: { management_console: { sign_in: ['local', 'sso'] } } })
    expect(identityProviders).toEqual([
      expect.objectContaining({
        name: 'sso',
        issuer: 'https://is.example.com/oauth2/token',
        clientId: 'dashboard',
        clientSecret: undefined,
        scopes: ['openid', 'groups'],
        adminRoles: ['ops'],
        allowUnmapped: false,
        domainName: 'SSO',
        publicOrigin: 'https://localhost:9743',
        origin: { key: 'sso' },
      }),
    ])
  })

  it('finds the issuer by the discovery document alone', () => {
    const { jwt_issuer: _, ...others } = sso
    const { identityProviders } = parseConfig({ sso: others, portal: { shop: { sign_in: ['sso'] } } })
    expect(identityProviders[0]!.issuer).toBe('https://is.example.com/oauth2/token')
  })

  it.each<[string, object, string]>([
    ['is not enabled', { enable: false }, 'enable'],
    ['has no client id', { client_id: undefined }, 'client_id'],
    ['has no issuer', { jwt_issuer: undefined, well_known_endpoint: undefined }, 'jwt_issuer'],
    [
      'has a document elsewhere',
      { well_known_endpoint: 'https://evil.example/.well-known/openid-configuration' },
      'well_known_endpoint',
    ],
    ['has no PKCE', { enable_PKCE: false }, 'enable_PKCE'],
    ['has no group of administrators', { admin_groups: [] }, 'admin_groups'],
  ])('is refused where a portal names it and it %s', (_what, changes, key) => {
    const problems = problemsOf({ sso: { ...sso, ...changes }, portal: { shop: { sign_in: ['sso'] } } })
    expect(Object.keys(problems)).toEqual([`sso.${key}`])
  })
})
