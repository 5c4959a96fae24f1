import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'
import { managementApiOf, problemsOf, warningsOf } from './problems-of.js'

describe('an empty configuration', () => {
  it('has every default', () => {
    expect(parseConfig({}, { env: {} })).toEqual({
      path: undefined,
      warnings: [],
      managementApi: {
        protocols: ['https', 'http'],
        areProtocolsExplicit: false,
        isJwtEnabled: true,
        isBasicEnabled: false,
        tokenStore: { maxSize: 200, cleanUpIntervalMs: 600_000, removeOldestOnOverflow: true, maxPerUser: undefined },
        token: {
          expiryMs: 3_600_000,
          rsaBits: 2048,
          algorithm: 'RS256',
          issuer: 'urn:sallyport:management',
          audience: 'management-api',
          keyFile: undefined,
        },
        authorization: {
          isEnabled: true,
          resources: ['/users', '/roles', '/configs'].map((path) => ({
            path,
            origin: { key: 'management_api.authorization_handler.resources' },
          })),
          defaultPolicy: 'authenticated',
          applyToFileUsers: true,
        },
        publicPaths: [],
        cors: {
          isEnabled: true,
          allowedOrigins: ['*'],
          allowedHeaders: 'Authorization, Content-Type',
          origin: { key: 'management_api.cors' },
        },
        allowedNetworks: undefined,
        breakGlass: undefined,
        trustedIssuer: undefined,
        apiTokens: [],
        loginThrottle: { isEnabled: true, maxFailures: 5, windowMs: 900_000, lockoutMs: 60_000 },
      },
      makeNonAdminUsersReadOnly: false,
      fileUsers: { isEnabled: true, allowDefaultCredentials: false, users: [] },
      userStore: undefined,
      secondaryUserStores: [],
      recheckIntervalMs: 60_000,
      recheckGraceMs: 300_000,
      servletFilters: [],
      portals: ['management_console', 'publisher', 'devportal', 'admin'].map((name) => ({
        name,
        sessionTimeoutMs: name === 'management_console' ? 900_000 : 1_800_000,
        absoluteTimeoutMs: 43_200_000,
        roles: name === 'management_console' ? [] : undefined,
        callback: undefined,
        secondFactor: 'optional',
        allow: undefined,
        signIn: ['local'],
        origin: { key: `portal.${name}` },
      })),
      identityProviders: [],
      portalDefaults: {
        origins: [],
        allowInsecureHttp: false,
        cookiePrefix: 'sallyport',
        languages: ['en', 'de'],
        maxSessions: 10_000,
      },
      auditTrail: expect.objectContaining({ file: undefined, onFailure: 'continue' }),
      health: { allowedNetworks: undefined },
      metrics: { allowedNetworks: [] },
      isOperatorConsoleEnabled: false,
      enabledControls: [],
      tlsTables: [],
      keyStores: expect.objectContaining({ tls: undefined, internalApi: undefined, custom: {} }),
      tls: {
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.3',
        cipherSuites: [
          'TLS_AES_256_GCM_SHA384',
          'TLS_CHACHA20_POLY1305_SHA256',
          'TLS_AES_128_GCM_SHA256',
          'ECDHE-ECDSA-AES256-GCM-SHA384',
          'ECDHE-RSA-AES256-GCM-SHA384',
          'ECDHE-ECDSA-CHACHA20-POLY1305',
          'ECDHE-RSA-CHACHA20-POLY1305',
          'ECDHE-ECDSA-AES128-GCM-SHA256',
          'ECDHE-RSA-AES128-GCM-SHA256',
        ],
        clientCertificates: 'none',
        hostName: 'localhost',
      },
    })
  })

  it('is frozen all the way down', () => {
    const config = parseConfig({}, { env: {} })
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))
    expect(isFrozen(config)).toBe(true)
  })
})

describe('the source object', () => {
  it('is neither changed nor kept', () => {
    const source = { management_api: { cors: { allowed_origins: ['https://$env{H}'] } } }
    const before = structuredClone(source)
    const config = parseConfig(source, { env: { H: 'a.example' } })
    expect(source).toEqual(before)
    source.management_api.cors.allowed_origins.push('*')
    expect(config.managementApi.cors.allowedOrigins).toEqual(['https://a.example'])
  })

  it('may be without a prototype', () => {
    const source = Object.assign(Object.create(null), {
      management_api: Object.assign(Object.create(null), { protocols: 'http' }),
    })
    expect(parseConfig(source).managementApi.protocols).toEqual(['http'])
  })

  it.each(['{"__proto__":{"x":1}}', '{"management_api":{"__proto__":{"protocols":"http"}}}'])(
    'does not get a prototype from %s',
    (json) => {
      expect(Object.values(problemsOf(JSON.parse(json)))[0]).toMatch(/^is not a known (?:key|table)$/)
      expect({}).not.toHaveProperty('x')
    },
  )

  it('may hold itself, and is refused', () => {
    const source: Record<string, unknown> = { a: {} }
    source['management_api'] = source
    expect(problemsOf(source)).not.toEqual({})
  })

  it('may repeat itself without end, and is refused', () => {
    let source: object = {}
    for (let level = 0; level < 40; level++) source = { a: source, b: source }
    expect(problemsOf({ x: source, management_api: { port: 1 } })).toEqual({ x: 'has more than 20000 values' })
  })

  it('may have a list of a hundred thousand networks', () => {
    const allow = Array.from(
      { length: 100_000 },
      (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    )
    expect(problemsOf({ management_api: { control_access: { enable: true, allow } } })).toEqual({})
  })

  it.each([null, 'x', 7, undefined, []])('is not %j', (source) => {
    expect(() => parseConfig(source as unknown as object)).toThrow(ConfigError)
  })

  it('has relative paths that start from home', () => {
    const source = { management_api: { jwt_token_security_handler: { token_config: { key_file: 'a/b.pem' } } } }
    expect(parseConfig(source, { home: '/srv' }).managementApi.token.keyFile).toBe('/srv/a/b.pem')
  })
})

const jwt = (table: string, key: string, value: unknown) => ({
  jwt_token_security_handler: { [table]: { [key]: value } },
})

// Covers: B18
describe('whole numbers', () => {
  const cases: [string, string, (value: unknown) => object, number, number][] = [
    ['max_size', 'token_store_config', (value) => jwt('token_store_config', 'max_size', value), 1, 10_000_000],
    ['clean_up_interval', '', (value) => jwt('token_store_config', 'clean_up_interval', value), 1, 86_400],
    ['expiry', '', (value) => jwt('token_config', 'expiry', value), 1, 2_592_000],
    ['size', '', (value) => jwt('token_config', 'size', value), 2048, 4096],
    ['max_failures', '', (value) => ({ login_throttle: { max_failures: value } }), 1, 100],
  ]

  it.each(cases)('%s is taken at both ends of its range, in quotes or not', (_name, _table, keys, min, max) => {
    for (const value of [min, max, String(min), String(max)]) {
      expect(problemsOf({ management_api: keys(value) })).toEqual({})
    }
  })

  it.each(cases)('%s is refused beyond its range and as anything else', (name, _table, keys, min, max) => {
    const others = [
      min - 1,
      max + 1,
      `${max + 1}`,
      min + 0.5,
      `${min}.0`,
      `+${min}`,
      ` ${min}`,
      '',
      'x',
      '0x10',
      true,
      [min],
      {},
      null,
      Number.NaN,
      new Date(),
    ]
    for (const value of others) {
      const problems = problemsOf({ management_api: keys(value) })
      expect(Object.keys(problems), String(value)).toEqual([expect.stringMatching(new RegExp(`\\.${name}$`))])
      expect(Object.values(problems)[0]).toMatch(new RegExp(`^must be a whole number from ${min} to ${max}.*, got `))
    }
  })

  it('max_per_user is at most max_size', () => {
    const store = (max_per_user: number) => ({
      management_api: { jwt_token_security_handler: { token_store_config: { max_size: '10', max_per_user } } },
    })
    expect(parseConfig(store(10)).managementApi.tokenStore.maxPerUser).toBe(10)
    expect(problemsOf(store(11))).toEqual({
      'management_api.jwt_token_security_handler.token_store_config.max_per_user':
        'must be a whole number from 1 to 10 (max_size), got 11',
    })
  })
})

describe('flags', () => {
  it.each([
    [true, true],
    [false, false],
    ['true', true],
    ['TRUE', true],
    ['False', false],
  ])('take %j for %j', (written, value) => {
    expect(managementApiOf({ basic_security_handler: { enable: written } }).isBasicEnabled).toBe(value)
  })

  it.each(['', 'yes', 'no', '1', 1, 0, ' true', 'on', null, []])('do not take %j', (written) => {
    const problems = problemsOf({ management_api: { basic_security_handler: { enable: written } } })
    expect(problems['management_api.basic_security_handler.enable']).toMatch(/^must be true or false, got /)
  })
})

describe('durations', () => {
  it('demand a unit', () => {
    const login_throttle = { window: '15', lockout: 60 }
    expect(
      Object.keys(problemsOf({ management_api: { login_throttle }, user_store: { recheck_grace: '0s' } })),
    ).toEqual([
      'management_api.login_throttle.window',
      'management_api.login_throttle.lockout',
      'user_store.recheck_grace',
    ])
  })

  it('keep parts of a second', () => {
    const config = parseConfig({ user_store: { recheck_interval: '500ms', recheck_grace: '1.5 m' } })
    expect([config.recheckIntervalMs / 1000, config.recheckGraceMs / 1000]).toEqual([0.5, 90])
    expect(config.warnings).toEqual([])
  })
})

describe('protocols', () => {
  it.each([
    ['https', ['https']],
    ['https http', ['https', 'http']],
    [' http,https  http ', ['http', 'https']],
    [['https'], ['https']],
  ])('%j are %j', (protocols, expected) => {
    expect(managementApiOf({ protocols })).toMatchObject({ protocols: expected, areProtocolsExplicit: true })
  })

  it.each(['', ' ', 'HTTPS', 'ws', 'https;http', 7, []])('are not %j', (protocols) => {
    expect(problemsOf({ management_api: { protocols } })).toHaveProperty(['management_api.protocols'])
  })
})

describe('controls', () => {
  it('are listed when the file switches them on, in quotes too', () => {
    const control_access = { enable: 'true', allow: ['10.0.0.1'] }
    const { enabledControls } = parseConfig({
      management_api: { control_access },
      admin_console: { control_access },
      web_app: { control_access },
      servlet_access_control_filter: [{ filter_name: 'f', allow_ip_regex: '10\\..*', url_pattern: '/x' }],
      oauth: { enable: true, issuer: 'https://localhost:9443/oauth2' },
    })
    expect(enabledControls).toEqual([
      { key: 'management_api.control_access.enable', mount: 'managementApi' },
      { key: 'admin_console.control_access.enable', mount: 'portal', portal: 'management_console' },
      { key: 'web_app.control_access.enable', mount: 'webApps', orMount: 'portal' },
      { key: 'servlet_access_control_filter', mount: 'webApps', orMount: 'portal' },
      { key: 'oauth.enable', mount: 'oauth' },
    ])
  })

  it('are not listed when they are off or not there', () => {
    const control_access = { enable: 'false' }
    expect(parseConfig({ admin_console: { control_access }, oauth: { grant_type: {} } }).enabledControls).toEqual([])
  })

  it('name the tables with key material', () => {
    const source = {
      keystore: { tls: {}, primary: {} },
      internal_api_ssl_config: { parameter: { sslProtocol: 'TLS' } },
    }
    expect(parseConfig(source).tlsTables).toEqual(['keystore.tls', 'internal_api_ssl_config'])
  })
})

describe('the address list of the management API', () => {
  it('checks every entry', () => {
    const control_access = { enable: true, allow: ['10.0.0.0/8', '300.1.1.1', 7, '::1'] }
    const problems = problemsOf({ management_api: { control_access } })
    expect(Object.keys(problems)).toEqual([
      'management_api.control_access.allow[1]',
      'management_api.control_access.allow[2]',
    ])
    expect(Object.values(problems)[0]).toMatch(/^must be an address or a CIDR block, in quotes .*, got "300.1.1.1"$/)
  })

  it('shows an entry of up to 60 characters, and of a longer one how long it is', () => {
    const allow = ['x'.repeat(60), 'y'.repeat(61)]
    const [shown, described] = Object.values(problemsOf({ management_api: { control_access: { allow } } }))
    expect(shown).toMatch(/, got "x{60}"$/)
    expect(described).toMatch(/, got a text of 61 characters$/)
  })

  it('does not show what an environment variable holds', () => {
    const allow = ['$env{NETWORK}']
    const problems = problemsOf({ management_api: { control_access: { allow } } }, { env: { NETWORK: 'hunter2' } })
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    expect(Object.values(problems)[0]).toContain('got the value of "$env{NETWORK}"')
  })

  it('is demanded when access control is enabled, refuses everybody when it is empty', () => {
    expect(problemsOf({ management_api: { control_access: { enable: true } } })).toEqual({
      'management_api.control_access.allow':
        'must list the networks that may call, such as ["10.0.0.0/8", "127.0.0.1"], got nothing',
    })
    const source = { management_api: { control_access: { enable: true, allow: [] } } }
    expect(parseConfig(source).managementApi.allowedNetworks).toEqual([])
    expect(warningsOf(source)['management_api.control_access.allow']).toMatch(/^refuses everybody/)
  })

  it('without enable is not in effect, and a warning says so', () => {
    const source = { management_api: { control_access: { allow: ['10.0.0.1'] } } }
    expect(parseConfig(source).managementApi.allowedNetworks).toBeUndefined()
    expect(warningsOf(source)['management_api.control_access.allow']).toMatch(/^has no effect/)
  })
})

describe('any object', () => {
  const names = fc.constantFrom(
    'management_api',
    'cors',
    'enable',
    'users',
    'internal_apis',
    'user',
    'password',
    'name',
    'resources',
    'path',
    'authorization_handler',
    'control_access',
    'allow',
    'user_store',
    'datasource',
    'keystore',
    'tomcat',
    'x',
    '__proto__',
  )
  const { document } = fc.letrec((tie) => ({
    document: fc.dictionary(names, tie('value'), { maxKeys: 5, noNullPrototype: false }),
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.double(),
      fc.date(),
      fc.bigInt(),
      fc.constant(null),
      fc.constantFrom('true', '*', ',', '/users', '10.0.0.0/8', '$env{A}', '$ref{user_store.type}', '$secret{x}'),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('document'),
    ),
  }))

  it('gives a configuration or a ConfigError, and nothing else', () => {
    fc.assert(
      fc.property(document, (source) => {
        try {
          expect(Object.isFrozen(parseConfig(source as object, { env: { A: 'a' } }))).toBe(true)
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
          expect(error.problems.length).toBeGreaterThan(0)
          for (const { rule } of error.problems)
            expect(rule).toMatch(rule.startsWith('must ') ? /., got .+$/s : /^[a-z](?:(?!, got ).)+$/s)
        }
      }),
      { numRuns: 500 },
    )
  })
})
