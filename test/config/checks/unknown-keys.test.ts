import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { problemsOf, warningsOf } from '../problems-of.js'

/** Tables that are ours alone. */
const ownTables = [
  'management_api',
  'management_api.cors',
  'management_api.login_throttle',
  'management_api.control_access',
  'management_api.jwt_token_security_handler',
  'management_api.jwt_token_security_handler.token_config',
  'internal_apis',
  'internal_apis.file_user_store',
  'user_access',
  'internal_api_ssl_config',
  'internal_api_ssl_config.parameter',
  'tomcat.management_console',
  'tomcat.global',
  'admin_console.control_access',
  'web_app.control_access',
  'portal.publisher',
]

/** Tables in which WSO2's products have keys of their own, more with each release. */
const sharedTables = [
  'admin_console',
  'keystore.primary',
  'keystore.tls',
  'oauth',
  'realm_manager',
  'super_admin',
  'truststore',
  'user_store',
  'web_app',
]

describe('an unknown key', () => {
  it.each(ownTables)('of [%s] is a mistake', (name) => {
    expect(problemsOf(parse(`[${name}]\nzzzz_zzzz = 1`))).toEqual({
      [`${name}.zzzz_zzzz`]: 'is not a known key',
    })
  })

  it.each(['servlet_access_control_filter', 'internal_apis.users', 'oauth.service_provider'])(
    'of [[%s]] is a mistake',
    (name) => {
      expect(problemsOf(parse(`[[${name}]]\nzzzz_zzzz = 1`))).toHaveProperty([`${name}[0].zzzz_zzzz`])
    },
  )

  it.each(sharedTables)('of [%s] is left alone, and counted', (name) => {
    expect(warningsOf(parse(`[${name}]\nzzzz_zzzz = 1`))).toMatchObject({
      [`${name}.zzzz_zzzz`]: 'is not known here and has no effect',
    })
  })

  it('makes one warning with all others', () => {
    const toml =
      '[[datasource]]\nid = "x"\nzzzz = 1\n[my_app]\nx = 1\n[oauth]\nyyyy = 1\nwwww.v = 1\n[keystore]\nuuuu = 1'
    expect(warningsOf(parse(toml))).toMatchObject({
      'datasource[0].zzzz':
        'and 4 more are not known here and have no effect: oauth.yyyy, oauth.wwww, keystore.uuuu, my_app',
    })
  })

  it.each([
    ['[oauth]\nacces_token_expiry = "5m"', 'oauth.acces_token_expiry', 'oauth.access_token_expiry'],
    ['[oauth]\nisuer = "x"', 'oauth.isuer', 'oauth.issuer'],
    ['[oauth]\nservice_providers = []', 'oauth.service_providers', 'oauth.service_provider'],
    ['[server]\nhostnme = "x"', 'server.hostnme', 'server.hostname'],
    [
      '[transport.https.sslHostConfig.properties]\ncertificateVerificaton = "required"',
      'transport.https.sslHostConfig.properties.certificateVerificaton',
      'transport.https.sslHostConfig.properties.certificateVerification',
    ],
    ['[server]\nHostName = "x"', 'server.HostName', 'server.hostname'],
    ['[[datasource]]\nusrname = "x"', 'datasource[0].usrname', 'datasource[0].username'],
    ['[datasource.USERS]\nusrname = "x"', 'datasource.USERS.usrname', 'datasource.USERS.username'],
    ['[super_admin]\nadmin_rol = "x"', 'super_admin.admin_rol', 'super_admin.admin_role'],
    ['[tomcat.managment_console]\nsession_timeout = "30m"', 'tomcat.managment_console', 'tomcat.management_console'],
    ['[tomcat.global]\nsession_timout = "30m"', 'tomcat.global.session_timout', 'tomcat.global.session_timeout'],
    ['[keystore.primary]\nfilename = "x"', 'keystore.primary.filename', 'keystore.primary.file_name'],
    ['[user_store]\nuser_search_bas = "x"', 'user_store.user_search_bas', 'user_store.user_search_base'],
    [
      '[management_api.jwt_token_security_handler]\nexpiry = 60',
      'management_api.jwt_token_security_handler.expiry',
      'management_api.jwt_token_security_handler.token_config.expiry',
    ],
    [
      '[management_api]\nallowed_origins = "*"',
      'management_api.allowed_origins',
      'management_api.cors.allowed_origins',
    ],
    [
      '[management_api.authorisation_handler]\nenable = true',
      'management_api.authorisation_handler',
      'management_api.authorization_handler',
    ],
  ])('is compared with the known ones: %j', (toml, key, suggestion) => {
    expect(problemsOf(parse(toml))[key]).toMatch(`did you mean ${suggestion}?`)
  })

  it('does not show its value', () => {
    const source = { internal_apis: { users: [{ user: { name: 'a', password: 'b', pasword: 'hunter2' } }] } }
    expect(problemsOf(source)).toEqual({
      'internal_apis.users[0].user.pasword': 'is not a known key; did you mean internal_apis.users[0].user.password?',
    })
  })

  it('of Tomcat is none of our business', () => {
    expect(problemsOf(parse('[tomcat.connector]\nx = 1'))).toEqual({})
  })
})

describe('a key at the root', () => {
  it.each([
    ['enable = false', 'enable', '[management_api.jwt_token_security_handler]'],
    ['enabled = true\nallowed_headers = "Authorization"', 'enabled', '[management_api.cors]'],
    ['token_store_config.max_size = "200"', 'token_store_config', undefined],
    ['path = "/users"', 'path', '[[management_api.authorization_handler.resources]]'],
    ['session_timeout = "30m"', 'session_timeout', '[tomcat.management_console] or [tomcat.global]'],
    [
      'enable = true\nallow = ["10.0.0.1"]',
      'enable',
      '[management_api.control_access] or [management_api.break_glass]',
    ],
    ['url_pattern = "/x"', 'url_pattern', '[[servlet_access_control_filter]]'],
    ['zzzz = 1', 'zzzz', undefined],
  ])('is a mistake that names the table: %j', (toml, key, table) => {
    const rule = problemsOf(parse(toml))[key]
    if (table !== undefined) expect(rule).toContain(`belongs below the header of its table, most likely ${table}`)
    else
      expect(rule).toMatch(/^belongs (?:below the header of its table|in another table)(?:; did you mean [\w.]+\?)?$/)
  })
})

describe('a table that is not known', () => {
  it.each([
    ['[managment_api]\nprotocols = "https"', 'managment_api', 'management_api'],
    ['[management-api.cors]\nenable = true', 'management-api', 'management_api'],
    ['[[data_source]]\nid = "x"', 'data_source', 'datasource'],
    ['[login_throttle]\nenable = false', 'login_throttle', 'management_api.login_throttle'],
  ])('is a mistake when it looks like one of ours: %j', (toml, key, suggestion) => {
    expect(problemsOf(parse(toml))[key]).toMatch(new RegExp(`did you mean ${suggestion.replaceAll('.', '\\.')}\\?$`))
  })

  it.each([
    '[my_app]\ncolour = "red"\nenable = true',
    '[event.default_listener.scim2]\nenable = true',
    '[security.rules]\nenable = true',
    '[api]\nallowed_origins = "*"\nallowed_headers = "X"',
    '[keystore]\nuserstore_password_encryption = "InternalKeyStore"',
    '[cors]\nallowed_origins = "*"',
    '[user.association]\nenable_for_federated_users = true',
    '[datasource.AgentIdentity]\nid = "AgentIdentity"\nurl = "jdbc:h2:x"',
    '[[my_app.parts]]\nname = "x"\npath = "/x"',
    '[my_app]',
    '[path]\ncolour = "red"',
    '[prometheus_api.basic_security_handler]\nenable = true',
    '[transaction_counter]\nenable = true',
    '[transport.https.properties]\nenable = true',
    '[synapse_properties]\n\'internal.https.api.port\' = "9154"',
    '[mediation]\ninternal_http_api_port = 9191',
    '[apim.cors]\nallow_origins = "*"',
    '[oauth.grant_type.token_exchange]\nenable = true',
  ])('is ignored when it does not: %j', (toml) => {
    expect(problemsOf(parse(toml))).toEqual({})
  })
})

describe('an empty text, as charts render what was not given', () => {
  it.each([
    '[super_admin]\nusername = ""\nadmin_role = ""',
    '[realm_manager]\ndata_source = ""',
    '[keystore.tls]\nfile_name = ""\nalias = ""\npassword = ""',
    '[truststore]\nfile_name = ""',
  ])('is none: %j', (toml) => {
    expect(problemsOf(parse(toml))).toEqual({})
  })
})

describe('a table of an older release', () => {
  it('is a mistake that names the tables of today', () => {
    const toml = '[management_api.handler.token_store_config]\nmax_size = "200"'
    expect(problemsOf(parse(toml))).toEqual({
      'management_api.handler': expect.stringMatching(/EI 7\.0.*\[management_api\.jwt_token_security_handler\]/),
    })
  })
})

describe('a key that is better not there', () => {
  it.each([
    ['[dashboard_config]\ndashboard_url = "https://x"', 'dashboard_config', /has no effect/],
    ['[icp_config]\nicp_url = "https://x"', 'icp_config', /has no effect without enabled/],
    [
      `[icp_config]\nenabled = true\nicp_url = "https://x"\nsecret = "k.${'x'.repeat(32)}"`,
      'icp_config.secret',
      /makes an administrator/,
    ],
    ['[management_api_token_handler]\nenable = false', 'management_api_token_handler.enable', /obsolete/],
    [
      '[[management_api.custom_handlers]]\nname = "x"\nclass = "X"',
      'management_api.custom_handlers',
      /Java do not run here/,
    ],
    [
      '[management_api.jwt_token_security_handler]\nenable = "false"',
      'management_api.jwt_token_security_handler.enable',
      /AUTHENTICATION IS OFF/,
    ],
    ['[management_api.login_throttle]\nenable = false', 'management_api.login_throttle.enable', /guessed/],
    ['[admin_console.control_access]\nallow = ["10.0.0.1"]', 'admin_console.control_access.allow', /has no effect/],
    [
      '[internal_api_ssl_config]\nparameter.httpsProtocols = "TLSv1, TLSv1.2"',
      'internal_api_ssl_config.parameter.httpsProtocols',
      /RFC 8996/,
    ],
    [
      '[internal_api_ssl_config]\nparameter.sslVerifyClient = "require"\ncertificate_revocation_verifier_enabled = "true"',
      'internal_api_ssl_config.certificate_revocation_verifier_enabled',
      /no effect/,
    ],
    [
      '[management_api.authorization_handler]\nenable = false\n[[management_api.authorization_handler.resources]]\npath = "/users"',
      'management_api.authorization_handler.resources',
      /protects nothing/,
    ],
    [
      '[internal_apis]\nfile_user_store.enable = false\n[user_store]\ntype = "read_only_ldap"\nreplace_escape_characters_at_user_login = false',
      'user_store.replace_escape_characters_at_user_login',
      /always escaped/,
    ],
  ])('gives one warning: %j', (toml, key, rule) => {
    const warnings = warningsOf(parse(toml))
    expect(Object.keys(warnings)).toEqual([key])
    expect(warnings[key]).toMatch(rule)
  })

  it.each([
    '[internal_api_ssl_config]\nparameter.httpsProtocols = "TLSv1.2,TLSv1.3"\nparameter.sslVerifyClient = "false"',
    '[management_api]\njwt_token_security_handler.enable = false\nbasic_security_handler.enable = true',
  ])('is not %j', (toml) => {
    expect(warningsOf(parse(toml))).toEqual({})
  })
})
