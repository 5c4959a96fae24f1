import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { managementApiOf, problemsOf } from '../problems-of.js'

function userWith(password: string) {
  return { internal_apis: { users: [{ user: { name: 'alice', password } }] } }
}

function passwordOf(password: string, env: Record<string, string | undefined> = {}, systemProperties = {}) {
  return parseConfig(userWith(password), { env, systemProperties }).fileUsers.users[0]?.password
}

const key = 'internal_apis.users[0].user.password'

describe('$env{}', () => {
  it('takes the value of the variable, anywhere in a text and several times', () => {
    expect(passwordOf('<$env{A}-$env{B}>', { A: 'one', B: 'two' })).toBe('<one-two>')
  })

  it('takes an empty variable as it is', () => {
    expect(passwordOf('x$env{EMPTY}y', { EMPTY: '' })).toBe('xy')
  })

  it.each(['throw-away', 'throw-away\n', 'throw-away\r\n'])('takes %j without a line feed at its end', (value) => {
    expect(passwordOf('$env{PW}', { PW: value })).toBe('throw-away')
  })

  it.each(['two\nlines', 'throw-away\n\n', '\tx', 'x\u0000', 'x\ry'])(
    'refuses %j in a password, and names the variable',
    (value) => {
      const rule = 'has a control character, such as a line break, that the variable PW brings'
      expect(problemsOf(userWith('<$env{PW}>'), { env: { PW: value } })).toEqual({ [key]: rule })
    },
  )

  it('names the variable that is not set', () => {
    expect(problemsOf(userWith('$env{NOPE}'))).toEqual({
      [key]: 'needs the environment variable NOPE, which is not set',
    })
  })

  it.each(['constructor', '__proto__', 'toString', ''])('does not find %j in an empty environment', (name) => {
    expect(Object.keys(problemsOf(userWith(`$env{${name}}`)))).toEqual([key])
  })

  it('does not expand what the variable holds', () => {
    expect(passwordOf('$env{A}', { A: '$env{B}$ref{x}', B: 'two' })).toBe('$env{B}$ref{x}')
  })

  it('works in lists and in tables within lists', () => {
    const control_access = { enable: '$env{ON}', allow: ['$env{NET}', '::1'] }
    const source = { management_api: { control_access } }
    const { managementApi } = parseConfig(source, { env: { ON: 'TRUE', NET: '10.0.0.0/8' } })
    expect(managementApi.allowedNetworks).toEqual(['10.0.0.0/8', '::1'])
  })

  it('names the place in a list', () => {
    const control_access = { enable: true, allow: ['::1', '$env{NET}'] }
    expect(problemsOf({ management_api: { control_access } })).toEqual({
      'management_api.control_access.allow[1]': 'needs the environment variable NET, which is not set',
    })
  })

  it('is left alone in tables that nothing reads', () => {
    const url = '$env{NOPE}'
    expect(
      problemsOf({
        transport: { jms: { url } },
        datasource: [{ id: 'x', url }],
        user_store: { type: 'database', connection_url: url, max_user_name_list_length: url },
        keystore: { primary: { password: '$secret{x}' } },
        oauth: { grant_type: { x: { url } } },
      }),
    ).toEqual({})
  })

  it('is expanded in [user_store] once the users come from it', () => {
    const user_store = { type: 'read_only_ldap', connection_url: '$env{NOPE}' }
    expect(problemsOf({ internal_apis: { file_user_store: { enable: 'False' } }, user_store })).toEqual({
      'user_store.connection_url': 'needs the environment variable NOPE, which is not set',
    })
  })

  it('reads process.env when no environment is given', () => {
    process.env['SALLYPORT_TEST_VALUE'] = 'from the process'
    try {
      expect(parseConfig(userWith('$env{SALLYPORT_TEST_VALUE}')).fileUsers.users[0]?.password).toBe('from the process')
    } finally {
      delete process.env['SALLYPORT_TEST_VALUE']
    }
  })
})

describe('$sys{}', () => {
  it('takes the value of the property', () => {
    expect(passwordOf('$sys{db.pwd}', {}, { 'db.pwd': 'p' })).toBe('p')
  })

  it.each([[{}], [{ x: '' }]])('refuses a property that is missing or empty: %j', (systemProperties) => {
    expect(problemsOf(userWith('$sys{x}'), { env: {}, systemProperties })).toEqual({
      [key]: 'needs the system property x, which is missing or empty',
    })
  })
})

describe('$ref{}', () => {
  const issuerWith = (issuer: string, rest: object = {}) => ({
    management_api: { jwt_token_security_handler: { token_config: { issuer } } },
    ...rest,
  })
  const issuerOf = (issuer: string, rest?: object, env = {}) =>
    parseConfig(issuerWith(issuer, rest), { env }).managementApi.token.issuer
  const issuerKey = 'management_api.jwt_token_security_handler.token_config.issuer'

  it('takes the value of another key, in a longer text too', () => {
    expect(issuerOf('https://$ref{server.hostname}/', { server: { hostname: 'front' } })).toBe('https://front/')
    expect(issuerOf('port $ref{server.offset}', { server: { offset: 10 } })).toBe('port 10')
  })

  it('finds a quoted key', () => {
    const rest = { synapse_properties: { 'internal.http.api.port': '9191' } }
    expect(issuerOf("$ref{synapse_properties.'internal.http.api.port'}", rest)).toBe('9191')
  })

  it('finds defaults: those of WSO2 and our own', () => {
    expect(issuerOf('$ref{server.hostname}')).toBe('localhost')
    expect(issuerOf('$ref{management_api.jwt_token_security_handler.token_config.audience}')).toBe('management-api')
  })

  it('keeps the type when it is the whole value', () => {
    expect(
      managementApiOf({ cors: { enable: '$ref{management_api.basic_security_handler.enable}' } }).cors.isEnabled,
    ).toBe(false)
    const rest = { my: { nets: ['10.0.0.0/8', '$env{NET}'] } }
    const source = { management_api: { control_access: { enable: true, allow: '$ref{my.nets}' } }, ...rest }
    expect(parseConfig(source, { env: { NET: '::1' } }).managementApi.allowedNetworks).toEqual(['10.0.0.0/8', '::1'])
  })

  it('expands the target, whatever table it is in', () => {
    expect(issuerOf('$ref{a.b}', { a: { b: '$ref{a.c}!', c: '$env{X}' } }, { X: 'x' })).toBe('x!')
  })

  it.each([
    ['$ref{no.such}', {}, 'refers to no.such, which is not there'],
    ['$ref{server}', { server: { hostname: 'x' } }, 'refers to server, which is a table'],
    ['x$ref{a.b}', { a: { b: ['c'] } }, 'can refer to a.b, a list, only as its whole value'],
    ['$ref{a.b}', { a: { b: '$ref{a.c}', c: '$ref{a.b}' } }, 'refers to itself: a.b -> a.c -> a.b'],
    ['$ref{secrets.x}', { secrets: { x: '[plain]' } }, 'refers to [secrets], which is not allowed'],
    ["$ref{'secrets'.x}", { secrets: { x: '[plain]' } }, 'refers to [secrets], which is not allowed'],
    ['$ref{a..b}', {}, 'has a $ref{} that names no key'],
    ['$ref{a.b}', { a: { b: '$env{NOPE}' } }, 'needs the environment variable NOPE, which is not set'],
  ])('refuses %j beside %j', (issuer, rest, rule) => {
    expect(problemsOf(issuerWith(issuer, rest))).toEqual({ [issuerKey]: rule })
  })

  it('refuses a cycle through the key itself', () => {
    expect(problemsOf(issuerWith(`$ref{${issuerKey}}`))[issuerKey]).toMatch(/^refers to itself/)
  })

  it('does not grow without end', () => {
    const chain: Record<string, string> = { k0: 'x'.repeat(10) }
    for (let i = 1; i <= 25; i++) chain[`k${i}`] = `$ref{a.k${i - 1}}$ref{a.k${i - 1}}`
    expect(problemsOf(issuerWith('$ref{a.k25}', { a: chain }))[issuerKey]).toMatch(/^becomes longer/)
    expect(problemsOf(issuerWith('$ref{a.k25}', { a: { ...chain, k0: '' } }))[issuerKey]).toMatch(/^must be a text/)
  })

  it('does not follow references over any number of others', () => {
    const chain: Record<string, string> = { k0: 'x' }
    for (let i = 1; i <= 5000; i++) chain[`k${i}`] = `$ref{a.k${i - 1}}`
    expect(problemsOf(issuerWith('$ref{a.k5000}', { a: chain }))[issuerKey]).toMatch(/over more than 32 others/)
  })
})

describe('a broken placeholder', () => {
  const unfinished = (start: string) => `has a ${start} without a name and a closing brace after it`
  const capital = (start: string) => `has a ${start}, but placeholders are written in lower case`

  it.each([
    ['$env{ADMIN_PASSWORD', unfinished('$env{')],
    ['x$sys{', unfinished('$sys{')],
    ['$ref{a.b', unfinished('$ref{')],
    ['$secret{hunter2', unfinished('$secret{')],
    ['$env{}', unfinished('$env{')],
    ['$env{A{B}}', unfinished('$env{')],
    ['$env{A}$env{B', unfinished('$env{')],
    ['$env{A$env{B}', unfinished('$env{')],
    ['$ENV{A}', capital('$ENV{')],
    ['$Secret{A', capital('$Secret{')],
  ])('%j is a mistake, and nothing behind its brace is shown', (password, rule) => {
    expect(problemsOf(userWith(password), { env: { A: 'a', B: 'b' } })).toEqual({ [key]: rule })
  })

  it('is a mistake in a list, and in a table of users that is not in effect', () => {
    expect(
      problemsOf({
        management_api: { public_paths: ['/a', '$env{A'] },
        user_store: { properties: { ConnectionPassword: '$ENV{A}' } },
      }),
    ).toEqual({
      'management_api.public_paths[1]': unfinished('$env{'),
      'user_store.properties.ConnectionPassword': capital('$ENV{'),
    })
  })

  it('is left alone in tables that nothing reads', () => {
    expect(problemsOf({ transport: { jms: { url: '$env{A' } } })).toEqual({})
  })

  it.each(['$env', '$env A', 'env{A}', '$(A)', 'a{b}$'])('is not %j', (password) => {
    expect(passwordOf(password)).toBe(password)
  })
})

it('leaves a text without placeholders as it is', () => {
  const text = fc
    .string({ minLength: 1 })
    .filter((text) => text.trim() !== '' && !/\$(env|sys|ref|secret|file)\{/i.test(text))
  fc.assert(
    fc.property(text, (password) => {
      expect(passwordOf(password)).toBe(password)
    }),
  )
})

it('never shows what a placeholder of a secret key stands for', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]{12,20}$/), (secret) => {
      const source = {
        internal_apis: { users: [{ user: { name: 'a:b', password: `$env{S}$env{NOPE}${secret}` } }] },
        management_api: { cors: { allowed_origins: '$env{S}' } },
      }
      expect(JSON.stringify(problemsOf(source, { env: { S: secret } }))).not.toContain(secret)
    }),
  )
})
