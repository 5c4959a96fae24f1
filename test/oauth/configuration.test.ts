import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../lib/config.js'
import { ConfigError } from '../../lib/index.js'
import { callback, issuer } from './front.js'

const provider = {
  name: 'app',
  redirect_uris: [callback],
  pkce_mandatory: true,
  allow_without_client_secret: true,
}
const hash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'

function configOf(oauth: object, tables: object = {}) {
  const users = [{ user: { name: 'alice', password: 'correct horse battery' } }]
  return parseConfig({ internal_apis: { users }, oauth: { enable: true, issuer, ...oauth }, ...tables })
}

/** The mistakes that are found, each as its key and its rule. */
function mistakesOf(oauth: object, tables?: object): readonly string[] {
  try {
    configOf(oauth, tables)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ key, rule }) => `${key}: ${rule}`)
  }
}

const withProvider = (changes: object): object => ({ service_provider: [{ ...provider, ...changes }] })

it('is off, and then nothing of it is checked', () => {
  expect(parseConfig({ internal_apis: { users: [{ user: { name: 'a', password: 'b' } }] } }).oauth).toBe(undefined)
  expect(configOf({ enable: false, issuer: undefined }).oauth).toBe(undefined)
})

it('has a default for everything but the issuer', () => {
  expect(configOf({}).oauth).toEqual({
    issuer,
    maxTokens: 10_000,
    algorithm: 'RS256',
    accessTokenMs: 900_000,
    refreshTokenMs: 28_800_000,
    refreshReuseMs: 0,
    backchannelLogoutAllow: [],
    serviceProviders: [],
    signIn: ['local'],
    secondFactor: 'optional',
    signOnIdleMs: 30 * 60_000,
    signOnAbsoluteMs: 12 * 60 * 60_000,
    cookiePrefix: 'sallyport',
  })
  expect(mistakesOf({ issuer: undefined })).toEqual([
    'oauth.issuer: must be the https URL that security.oauth() is mounted at, got nothing',
  ])
})

it('takes the times of portals', () => {
  const tables = {
    tomcat: { global: { session_timeout: 10 } },
    portal: { absolute_timeout: '2h', publisher: { absolute_timeout: '3h' } },
  }
  expect(configOf({}, tables).oauth).toMatchObject({ signOnIdleMs: 600_000, signOnAbsoluteMs: 3 * 60 * 60_000 })
})

describe('the issuer', () => {
  it.each([
    'http://portal.example/oauth2',
    'http://localhost.example:9443/oauth2',
    'http://localhost:9443',
    'https://localhost:9443',
    'https://localhost:9443/',
    'https://localhost:9443/oauth2/',
    'https://localhost:9443//oauth2',
    'https://localhost:9443/oauth2?',
    'https://localhost:9443/oauth2?x=1',
    'https://localhost:9443/oauth2#',
    'https://user@localhost:9443/oauth2',
    'https://LOCALHOST:9443/oauth2',
    'https://localhost:443/oauth2',
    'https://localhost:9443/a/../oauth2',
    'localhost',
    '',
    9443,
  ])('must not be %j', (value) => {
    expect(mistakesOf({ issuer: value })).toEqual([expect.stringMatching(/^oauth\.issuer: must be the https URL/)])
  })
})

// Covers: G01 G03
describe('a service provider', () => {
  it('has the name for its client id, unless it has one', () => {
    const [first] = configOf(withProvider({})).oauth!.serviceProviders
    expect(first).toEqual({
      name: 'app',
      clientId: 'app',
      redirectUris: [callback],
      postLogoutRedirectUris: [],
      secretHashes: [],
      grants: ['authorization_code'],
      audience: undefined,
      scopes: [],
      scopeRoles: undefined,
      adminScopes: [],
      claimsIn: ['id_token'],
      issueRefreshTokens: false,
      isNative: false,
      responseModes: ['query'],
      backchannelLogoutUri: undefined,
    })
    expect(configOf(withProvider({ client_id: 'x1' })).oauth!.serviceProviders[0]!.clientId).toBe('x1')
  })

  it.each([
    [
      'no PKCE, which RFC 9700 demands',
      { pkce_mandatory: false },
      'oauth.service_provider[0].pkce_mandatory: must not be false: without PKCE a stolen code can be used by whoever has it, ' +
        'with a client secret too (RFC 9700 section 2.1.1), got false',
    ],
    [
      'plain challenges',
      { pkce_support_plain: 'true' },
      'oauth.service_provider[0].pkce_support_plain: must not be true: a plain challenge is the verifier itself, and ' +
        'protects nobody whose request is read (RFC 9700 section 2.1.1), got "true"',
    ],
    [
      'neither secret nor PKCE',
      { pkce_mandatory: undefined },
      'oauth.service_provider[0].pkce_mandatory: must be true beside allow_without_client_secret: without it that will not ' +
        'work, because nothing ties a code to its client, got nothing',
    ],
    [
      'a secret that it may leave out',
      { client_secret: hash },
      'oauth.service_provider[0].client_secret: must not be there beside allow_without_client_secret = true; write only ' +
        'one, got a text that is not shown',
    ],
    [
      'a secret in the clear',
      { allow_without_client_secret: false, client_secret: 'not a hash' },
      'oauth.service_provider[0].client_secret: must be a hash from "npx sallyport hash-password", or a list of two, not the secret itself, got ' +
        'a text that is not shown',
    ],
    [
      'the audience of the management API',
      { audience: 'management-api' },
      'oauth.service_provider[0].audience: must not name the management API: OAuth tokens never open it, got "management-api"',
    ],
    [
      'two audiences',
      { audience: 'https://a.example.com', resource: 'https://b.example.com' },
      'oauth.service_provider[0].resource: must not contradict audience; write only one of them, got "https://b.example.com"',
    ],
    [
      'the scope of administrators',
      { scopes: ['admin'] },
      'oauth.service_provider[0].scopes[0]: must not be one of admin, default, openid, profile, roles, offline_access, got "admin"',
    ],
    [
      'no redirect URI',
      { redirect_uris: [] },
      'oauth.service_provider[0].redirect_uris: must list at least one URI, got a list',
    ],
    [
      'a wildcard',
      { redirect_uris: ['https://*.example.com/callback'] },
      'oauth.service_provider[0].redirect_uris[0]: must not have a "*": redirect URIs are compared exactly, because a ' +
        'pattern lets codes go astray (RFC 9700 section 2.1), got "https://*.example.com/callback"',
    ],
  ])('must not have %s', (_case, changes, mistake) => {
    expect(mistakesOf(withProvider(changes))).toEqual([mistake])
  })

  it.each([
    ['name', 'must be a list of "id_token" and "access_token", got "name"'],
    [['userinfo'], 'must be one of id_token, access_token, got "userinfo"'],
  ])('must not have claims = %j', (claims, rule) => {
    expect(mistakesOf(withProvider({ claims }))[0]).toMatch(/^oauth\.service_provider\[0\]\.claims/)
    expect(mistakesOf(withProvider({ claims }))[0]).toContain(rule)
  })

  it('has one mistake for a misspelled flag, and none for what would follow without that flag', () => {
    const misspelled = { allow_without_client_secret: undefined, allow_without_client_secrt: true }
    const typo = 'oauth.service_provider[0].allow_without_client_secrt: is not a known key'
    expect(mistakesOf(withProvider(misspelled))).toEqual([typo])
    // What is wrong in itself, or in another table, is told all the same.
    const others = [
      { ...provider, ...misspelled, redirect_uris: [] },
      { ...provider, name: 'other', allow_without_client_secret: false },
    ]
    expect(mistakesOf({ service_provider: others })).toEqual([
      'oauth.service_provider[0].redirect_uris: must list at least one URI, got a list',
      typo,
      expect.stringMatching(/^oauth\.service_provider\[1\]\.client_secret: must be a hash/),
    ])
  })

  it.each([undefined, false])('must have a secret or do without (allow_without_client_secret: %j)', (flag) => {
    expect(mistakesOf(withProvider({ allow_without_client_secret: flag }))).toEqual([
      expect.stringMatching(/^oauth\.service_provider\[0\]\.client_secret: must be a hash from .*; an app/),
    ])
    expect(mistakesOf(withProvider({ allow_without_client_secret: flag, client_secret: hash }))).toEqual([])
  })

  it.each([
    ['http to another machine', 'http://portal.example.com/callback'],
    ['a fragment', `${callback}#x`],
    ['an empty fragment', `${callback}#`],
    ['a user', 'https://me@localhost/callback'],
    ['a host in capitals', 'https://Portal.example.com/callback'],
    ['a default port', 'https://portal.example.com:443/callback'],
    ['dot segments', 'https://portal.example.com/a/../callback'],
    ['a scheme of its own', 'com.example.app:/callback'],
    ['a script', 'javascript:alert(1)'],
    ['a path alone', '/callback'],
    ['no text', 1],
  ])('must not be sent back to %s', (_case, uri) => {
    for (const key of ['redirect_uris', 'post_logout_redirect_uris']) {
      const [mistake, ...others] = mistakesOf(withProvider({ [key]: [uri] }))
      expect(mistake).toMatch(`oauth.service_provider[0].${key}[0]: must `)
      expect(others).toEqual([])
    }
  })

  it.each(['http://127.0.0.1:8080/callback', 'http://[::1]:8080/callback', 'http://localhost:8080/callback?x=1'])(
    'may be sent back to %s',
    (uri) => {
      expect(mistakesOf(withProvider({ redirect_uris: [uri] }))).toEqual([])
    },
  )

  it('must not have the client id of another', () => {
    const service_provider = [provider, { ...provider, name: 'other', client_id: 'app' }]
    expect(mistakesOf({ service_provider })).toEqual([
      'oauth.service_provider[1]: must not have the client id of another service provider, got a table',
    ])
  })

  it('is told which key was meant', () => {
    expect(() => configOf(withProvider({ redirect_urls: [] }))).toThrow(
      'did you mean oauth.service_provider[0].redirect_uris?',
    )
  })
})

it.each([
  [{ access_token_expiry: '25h' }, 'oauth.access_token_expiry: must be at most a day, got a text that is not shown'],
  [
    { refresh_token_expiry: '31d' },
    'oauth.refresh_token_expiry: must be at most 30 days, got a text that is not shown',
  ],
  [{ max_tokens: 0 }, 'oauth.max_tokens: must be a whole number from 1 to 10000000, got a number that is not shown'],
  [{ algorithm: 'HS256' }, 'oauth.algorithm: must be one of RS256, ES256, EdDSA, got "HS256"'],
])('refuses %j', (oauth, mistake) => {
  expect(mistakesOf(oauth)).toEqual([mistake])
})

describe('the portals of WSO2', () => {
  const publisher = { callback: 'https://localhost:9443/publisher/services/auth/callback/login' }

  it('are service providers with both flags set, once their callback is known', () => {
    expect(configOf({}, { portal: { publisher } }).oauth!.serviceProviders).toEqual([
      {
        name: 'apim_publisher',
        clientId: 'apim_publisher',
        redirectUris: [publisher.callback],
        postLogoutRedirectUris: [publisher.callback.replace(/login$/, 'logout'), publisher.callback],
        secretHashes: [],
        grants: ['authorization_code'],
        audience: undefined,
        scopes: expect.arrayContaining(['apim:api_publish', 'apim:api_create', 'apim:publisher_settings']),
        scopeRoles: undefined,
        adminScopes: ['apim:admin'],
        claimsIn: ['id_token'],
        issueRefreshTokens: true,
        isNative: false,
        responseModes: ['query'],
        backchannelLogoutUri: undefined,
      },
    ])
    const devportal = { callback }
    const ids = configOf({}, { portal: { publisher, devportal } }).oauth!.serviceProviders.map(
      ({ clientId }) => clientId,
    )
    expect(ids).toEqual(['apim_publisher', 'apim_devportal'])
  })

  it('are what the file says, if it does', () => {
    const oauth = withProvider({ name: 'apim_publisher', refresh_tokens: true })
    const { serviceProviders } = configOf(oauth, { portal: { publisher } }).oauth!
    expect(serviceProviders.map(({ issueRefreshTokens }) => issueRefreshTokens)).toEqual([true])
  })

  it('must have a callback that codes may go to', () => {
    const tables = { portal: { publisher: { callback: 'http://portal.example.com/callback' } } }
    expect(mistakesOf({}, tables)).toEqual([
      expect.stringMatching(/^portal\.publisher\.callback: must be an absolute https URI/),
    ])
  })
})

describe('the edges', () => {
  it.each<[object, object]>([
    [{ refresh_reuse_window: '0s' }, { refreshReuseMs: 0 }],
    [{ refresh_reuse_window: '10s' }, { refreshReuseMs: 10_000 }],
    [{ refresh_reuse_window: '30s' }, { refreshReuseMs: 30_000 }],
    [{ backchannel_logout_allow: ['10.0.0.0/8', '::1'] }, { backchannelLogoutAllow: ['10.0.0.0/8', '::1'] }],
  ])('take %j', (oauth, expected) => {
    expect(configOf(oauth).oauth).toMatchObject(expected)
  })

  it.each([[30_001], ['31s'], ['1m'], ['10'], [10], ['-1s']].map(([value]) => value))(
    'take no refresh_reuse_window of %j',
    (refresh_reuse_window) => {
      expect(mistakesOf({ refresh_reuse_window })).toEqual([
        expect.stringContaining('oauth.refresh_reuse_window: must be a duration of at most 30 seconds'),
      ])
    },
  )

  it.each<[object, string]>([
    [{ native: true }, 'native: needs one of redirect_uris at http://127.0.0.1 or http://[::1]'],
    [{ native: true, redirect_uris: ['http://localhost/cb'] }, 'native: needs one of redirect_uris'],
    [
      { native: true, redirect_uris: ['http://127.0.0.1.example.com/cb'] },
      'redirect_uris[0]: must be an absolute https',
    ],
    [{ response_modes: [] }, 'response_modes: must list at least one'],
    [{ response_modes: ['web_message'] }, 'response_modes[0]: must be one of query, fragment, form_post'],
    [{ response_modes: 'form_post' }, 'response_modes: must be a list of query, fragment, form_post'],
    [
      { backchannel_logout_uri: 'http://rp.example.com/logout' },
      'backchannel_logout_uri: must be an absolute https URI',
    ],
    [{ backchannel_logout_uri: 'https://rp.example.com/#x' }, 'backchannel_logout_uri: must not have a fragment'],
    [{ backchannel_logout_uri: 'file:///etc/passwd' }, 'backchannel_logout_uri: must be an absolute https URI'],
  ])('of a service provider are not %j', (changes, mistake) => {
    expect(mistakesOf(withProvider(changes))).toEqual([expect.stringContaining(`oauth.service_provider[0].${mistake}`)])
  })
})
