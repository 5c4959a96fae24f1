import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import { afterAll, describe, expect, it } from 'vitest'
import { checkCommand } from '../../lib/cli/check.js'
import { editToml } from '../../lib/config/values/toml-edits.js'
import { dayMs, keyPair } from '../helpers/key-files.js'
import { runOne } from './one-command.js'

const home = mkdtempSync(join(tmpdir(), 'sallyport-check-'))
afterAll(() => rmSync(home, { recursive: true }))

const run = (...args: string[]) => runOne(checkCommand, args)

interface Report {
  readonly findings: readonly {
    readonly class: string
    readonly key: string
    readonly rule: string
    readonly isFixable: boolean
    readonly position?: { readonly line: number; readonly column: number }
  }[]
  readonly keys: readonly {
    readonly key: string
    readonly class: string
    readonly position?: { readonly line: number }
  }[]
  readonly values: readonly {
    readonly key: string
    readonly value: string
    readonly origin: {
      readonly kind: string
      readonly names?: readonly string[]
      readonly position?: { readonly line: number }
    }
  }[]
  readonly opened: readonly { readonly key: string; readonly text: string }[]
  readonly notOpened: readonly { readonly key: string; readonly text: string }[]
  readonly fixed: readonly string[]
}

function write(text: string, name = 'deployment.toml'): string {
  const file = join(home, name)
  writeFileSync(file, text)
  return file
}

async function report(
  text: string,
  ...args: string[]
): Promise<Report & { readonly code: unknown; readonly text: string }> {
  const file = write(text)
  const { code, stdout } = await run(file, '--json', ...args)
  return { ...(JSON.parse(stdout) as Report), code, text: readFileSync(file, 'utf8') }
}

const deployments = fileURLToPath(new URL('../config/deployments/', import.meta.url))
const realFiles = [deployments, join(deployments, 'apim')].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.toml'))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const),
)

/** As the documentation of WSO2 has them: without the headers, and with them. */
const fragments = [
  ['management_api.jwt_token_security_handler', 'enable = false\n'],
  [
    'management_api.jwt_token_security_handler',
    'token_store_config.max_size= "200"\ntoken_store_config.clean_up_interval= "600"\ntoken_store_config.remove_oldest_token_on_overflow= "true"\ntoken_config.expiry= "3600"\ntoken_config.size= "2048"\n',
  ],
  ['management_api.authorization_handler', 'enable = false\n'],
  ['[management_api.authorization_handler.resources]', 'path = "/users"\n'],
  ['management_api.cors', 'enabled = true\nallowed_origins = ","\nallowed_headers = "Authorization"\n'],
  ['tomcat.management_console', 'session_timeout = "30m"\n'],
  ['tomcat.global', 'session_timeout = "30m"\n'],
  ['admin_console.control_access', '    enable = true\n    allow = ["IP1", "IP2", "IP3"]\n'],
  ['web_app.control_access', '    enable = true\n    allow =  ["IP1", "IP2", "IP3"]\n'],
  [
    '[servlet_access_control_filter]',
    '    filter_name = "Remote Address Filter"\n    allow_ip_regex = ""\n    url_pattern = "/carbon/admin/login.jsp"\n',
  ],
  [
    '[oauth.service_provider]',
    'name = "apim_devportal"\nallow_without_client_secret = true\npkce_mandatory = true\npkce_support_plain = false\n',
  ],
].flatMap(([table = '', keys = '']) => [
  [`${table} without its header`, keys] as const,
  [`${table}`, `[${table}]\n${keys}`] as const,
])

const allFiles = [...realFiles, ...fragments]

/** Every value, and every list of values, by its path. */
function leavesOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  const isList = Array.isArray(value) && value.some((entry) => typeof entry === 'object' && !(entry instanceof Date))
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  const entries = isList ? [...value.entries()] : isTable ? Object.entries(value) : []
  if (entries.length === 0) return path.length === 0 ? [] : [path]
  return entries.flatMap(([step, inner]) => leavesOf(inner, [...path, step]))
}

describe('sallyport check of a file', () => {
  it('is tried with all that are there', () => {
    expect(realFiles).toHaveLength(42)
  })

  it.each(allFiles)('%s classifies every key, and says where it stands', async (_, text) => {
    const { keys, code, findings } = await report(text)
    expect(keys).toHaveLength(leavesOf(parse(text)).length)
    expect(keys.filter(({ position }) => position === undefined)).toEqual([])
    expect(code).toBe(findings.length === 0 ? 0 : 1)
  })

  it.each(allFiles)('%s is put right once: the second time there is nothing to put right', async (_, text) => {
    const first = await report(text, '--fix')
    expect(first.findings.filter(({ isFixable }) => isFixable)).toEqual([])
    const second = await report(first.text, '--fix')
    expect([second.text, second.fixed]).toEqual([first.text, []])
    expect(second.findings).toEqual(first.findings)
  })

  const secretName = /pass|pwd|secret|token$|credential|(?:^|[._])key$|hash$|totp$/i

  it.each(allFiles)('%s shows none of its secrets', async (_, text) => {
    const paths = leavesOf(parse(text)).filter((path) => path[0] === 'secrets' || secretName.test(String(path.at(-1))))
    const marked = paths.reduce((changed, path, index) => {
      const value = path[0] === 'secrets' ? `[Sesame-${index}-open]` : `Sesame-${index}-open`
      return editToml(changed, { kind: 'set', path, value }) ?? changed
    }, text)
    expect(marked.match(/Sesame/g)?.length ?? 0).toBe(paths.length)
    const file = write(marked)
    for (const args of [['--all'], ['--json', '--fix']]) {
      const { stdout, stderr } = await run(file, ...args)
      expect(stdout + stderr).not.toContain('Sesame')
    }
  })
})

describe('what sallyport check shows of secrets', () => {
  it.each([
    ['a URL', '[[datasource]]\nid = "A"\nurl = "jdbc:mysql://root:Sesame@h/x"'],
    ['a parameter of a URL', '[[datasource]]\nid = "A"\nurl = "jdbc:mysql://h/x?user=u&password=Sesame"'],
    ['the URL of a directory', '[user_store]\nconnection_url = "ldap://u:Sesame@h"'],
    ['the URL of Redis', '[shared_store]\ntype = "redis"\nurl = "redis://:Sesame@h"'],
    ['the environment', '[server]\nhostname = "$env{SALLYPORT_CHECK_SECRET}"'],
    ['the environment, in place of a time', '[management_api.login_throttle]\nwindow = "$env{SALLYPORT_CHECK_SECRET}"'],
    ['the environment, in a list', '[portal]\norigins = ["$env{SALLYPORT_CHECK_SECRET}"]'],
    ['[secrets]', '[server]\nhostname = "$secret{host}"\n[secrets]\nhost = "[Sesame]"'],
    [
      'a reference',
      '[server]\nhostname = "$ref{user_store.connection_password}"\n[user_store]\nconnection_password = "Sesame"',
    ],
    ['a line that is no TOML', '[server]\nhostname = Sesame open'],
    ['a password without quotes', '[[internal_apis.users]]\nuser.password = Sesame'],
    [
      'a hash',
      '[management_api.break_glass]\nenable = true\nuser = "a"\npassword = "$argon2id$Sesame"\nallow = ["::1"]',
    ],
  ])('nothing of one in %s', async (_, text) => {
    process.env['SALLYPORT_CHECK_SECRET'] = 'Sesame'
    try {
      const file = write(text)
      for (const args of [['--all'], ['--json'], ['--json', '--fix']]) {
        const { stdout, stderr } = await run(file, ...args)
        expect(stdout + stderr).not.toContain('Sesame')
      }
    } finally {
      delete process.env['SALLYPORT_CHECK_SECRET']
    }
  })

  it('nothing that a terminal may obey', async () => {
    const { stdout } = await run(write('"\\u001b[2J" = 1\n[server]\nhostname = "\\u009b1m"\n'), '--all')
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

describe('the classes', () => {
  const classesOf = async (text: string) =>
    Object.fromEntries((await report(text)).keys.map(({ key, class: name }) => [key, name]))

  it('are told apart', async () => {
    const text = `
[management_api]
protocols = "https"
[management_api.login_throttle]
enable = false
[management_api.authorization_handler]
enable = "false"
[user_store]
type = "read_only_ldap"
recheck_interval = "30s"
[super_admin]
username = "root"
[cors]
allowed_origins = ["*"]
[oauth.grant_type.password]
enable = true
[apim.ai]
endpoint = "x"
[[datasource]]
id = "OTHER"
[server]
hostname = "h"
base_path = "/"
[strange]
key = 1
[secrets]
unused = "[x]"
`
    expect(await classesOf(text)).toEqual({
      'management_api.protocols': 'used',
      'management_api.login_throttle.enable': 'risky',
      'management_api.authorization_handler.enable': 'used',
      'user_store.type': 'without-effect',
      'user_store.recheck_interval': 'without-effect',
      'super_admin.username': 'without-effect',
      'cors.allowed_origins': 'without-effect',
      'oauth.grant_type.password.enable': 'without-effect',
      'apim.ai.endpoint': 'other',
      'datasource[0].id': 'other',
      'server.hostname': 'used',
      'server.base_path': 'other',
      'strange.key': 'unknown',
      'secrets.unused': 'used',
    })
  })

  it('say mistake for what stops the start', async () => {
    const classes = await classesOf(
      '[management_api.cors]\nallowed_orgins = "*"\nenable = "maybe"\nallowed_headers = "A"\n',
    )
    expect(classes).toEqual({
      'management_api.cors.allowed_orgins': 'mistake',
      'management_api.cors.enable': 'mistake',
      'management_api.cors.allowed_headers': 'used',
    })
  })

  it('leave out the users of the file where they come from elsewhere', async () => {
    const classes = await classesOf(
      '[internal_apis.file_user_store]\nenable = false\n[[internal_apis.users]]\nuser.name = "a"\nuser.password = "b c d e"\n[user_store]\ntype = "database"\n[[datasource]]\nid = "WSO2CarbonDB"\nurl = "jdbc:postgresql://h/x"\n',
    )
    expect(classes).toMatchObject({
      'internal_apis.users[0].user.name': 'without-effect',
      'user_store.type': 'used',
      'datasource[0].url': 'used',
    })
  })
})

describe('what holds', () => {
  it('is listed with --all, behind the findings', async () => {
    const file = write('[server]\nhostname = "h"\n[strange]\nkey = 1\n')
    const { stdout } = await run(file, '--all')
    expect(stdout).toMatch(
      /^Findings\n.*^Keys\n[^\n]* used: server\.hostname\n.*^What holds\n.*window = "15m" {4}# default\n/ms,
    )
    expect((await run(file)).stdout).not.toMatch(/used: |# default/)
  })

  it('has the place of what is written, and the kind of what is not', async () => {
    process.env['SALLYPORT_CHECK_MAX'] = '7'
    const { values } = await report(
      '[management_api.cors]\nenable = true\n[management_api.login_throttle]\nmax_failures = "$env{SALLYPORT_CHECK_MAX}"\n[user_store]\ntype = "read_write_ldap"\nconnection_url = "ldap://h"\n[internal_apis.file_user_store]\nenable = false\n',
    ).finally(() => delete process.env['SALLYPORT_CHECK_MAX'])
    const found = (wanted: string) => values.find(({ key }) => key === wanted)
    expect(found('management_api.cors.enable')).toMatchObject({
      value: 'true',
      origin: { kind: 'file', position: { line: 2, column: 1 } },
    })
    expect(found('management_api.login_throttle.max_failures')).toMatchObject({
      value: '"7"',
      origin: { kind: 'environment', names: ['SALLYPORT_CHECK_MAX'], position: { line: 4 } },
    })
    expect(found('management_api.login_throttle.window')).toEqual({
      key: 'management_api.login_throttle.window',
      value: '"15m"',
      origin: { kind: 'default' },
    })
    expect(found('user_store.membership_attribute')).toMatchObject({
      value: '"member"',
      origin: { kind: 'inferred' },
    })
    expect(found('user_store.connection_password')).toMatchObject({ value: '(a secret)' })
  })
})

describe('--fix', () => {
  const crooked = `# The API of the shop\r
[management_api.cors]\r
allowed_orgins = "https://shop.example"   # the portal\r
\r
[management_api.login_throttle]\r
enable = "false"\r
\r
  [management_api.control_access]\r
  # the office\r
  allow = ["10.0.0.0/8"]\r
\r
[[management_api.authorization_handler.resources]]\r
path = "/apis"\r
\r
[[internal_apis.users]]\r
user = { name = "alice", password = "correct horse battery", is_admin = true } # plain\r
\r
[internal_api_ssl_config.parameter]\r
httpsProtocols = "TLSv1,TLSv1.2"\r
`

  it('changes what has to change, and keeps comments, order, spelling and line ends', async () => {
    const { text, fixed, code, findings } = await report(crooked, '--fix')
    expect([code, findings]).toEqual([0, []])
    expect(fixed).toHaveLength(6)
    const [, hash = ''] = /password = "(\$argon2id\$[^"]+)"/.exec(text) ?? []
    const expected = crooked
      .replace('allowed_orgins', 'allowed_origins')
      .replace('enable = "false"', 'enable = true')
      .replace('allow = ["10.0.0.0/8"]', 'allow = ["10.0.0.0/8"]\r\n  enable = true')
      .replace(
        'path = "/apis"',
        'path = "/apis"\r\n\r\n[[management_api.authorization_handler.resources]]\r\npath = "/users"',
      )
      .replace('correct horse battery', hash)
      .replace('TLSv1,TLSv1.2', 'TLSv1.2')
    expect(text).toBe(expected)
  })

  it('keeps a byte order mark, the rights of the file, and a link to it', async () => {
    const file = write('\ufeff[management_api.login_throttle]\nenable = false\n', 'linked.toml')
    chmodSync(file, 0o640)
    const link = join(home, 'link.toml')
    symlinkSync(file, link)
    expect((await run(link, '--fix')).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe('\ufeff[management_api.login_throttle]\nenable = true\n')
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(readdirSync(home).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('writes elsewhere with --output, and leaves the file as it is', async () => {
    const text = '[management_api.login_throttle]\nenable = false\n'
    const file = write(text)
    const output = join(home, 'hardened.toml')
    expect((await run(file, '--output', output)).code).toBe(0)
    expect([readFileSync(file, 'utf8'), readFileSync(output, 'utf8')]).toEqual([text, text.replace('false', 'true')])
  })

  it('hides no well-known password behind a hash, and touches no placeholder', async () => {
    process.env['SALLYPORT_CHECK_PW'] = 'plain text here'
    const text =
      '[[internal_apis.users]]\nuser.name = "admin"\nuser.password = "admin"\n[[internal_apis.users]]\nuser.name = "bob"\nuser.password = "$env{SALLYPORT_CHECK_PW}"\n'
    const { text: after, findings } = await report(text, '--fix').finally(
      () => delete process.env['SALLYPORT_CHECK_PW'],
    )
    expect(after).toBe(text)
    expect(findings.map(({ rule }) => rule)).toEqual([
      expect.stringMatching(/^a well-known password lets anybody in as admin/),
      expect.stringMatching(/^is in plain text/),
    ])
  })

  it('renames no key onto one that is there', async () => {
    const text = '[management_api.cors]\nallowed_origins = "https://a.example"\nallowed_orgins = "https://b.example"\n'
    const { text: after, findings } = await report(text, '--fix')
    expect(after).toBe(text)
    expect(findings).toEqual([expect.objectContaining({ class: 'mistake', isFixable: false })])
  })
})

describe('what sallyport check opens', () => {
  const write2 = (name: string, text: string): void => void write(text, name)

  it('are key stores, with the ends of their certificates, and the key of tokens', async () => {
    write2('tls.pem', keyPair({ name: 'shop.example', hostNames: ['shop.example'] }).pem)
    write2('old.pem', keyPair({ from: new Date(Date.now() - 90 * dayMs), to: new Date(Date.now() - dayMs) }).pem)
    write2('token.pem', keyPair().key.export({ type: 'pkcs8', format: 'pem' }) as string)
    chmodSync(join(home, 'token.pem'), 0o600)
    const { opened, notOpened, findings } = await report(
      '[keystore.tls]\nfile_name = "tls.pem"\n[custom_keystore.old]\nfile_name = "old.pem"\n[custom_keystore.gone]\nfile_name = "gone.jks"\n[management_api.jwt_token_security_handler.token_config]\nkey_file = "token.pem"\nalgorithm = "ES256"\n',
    )
    expect(opened).toEqual([
      expect.objectContaining({ text: expect.stringMatching(/^the key \S+ signs tokens$/) }),
      { key: 'keystore.tls', text: expect.stringMatching(/^CN=shop\.example, until \d{4}-\d\d-\d\d; for HTTPS$/) },
      { key: 'custom_keystore.old', text: expect.stringContaining('until') },
    ])
    expect(notOpened.map(({ key }) => key)).toEqual(['internal_apis.users', 'custom_keystore.gone'])
    expect(findings.map(({ key }) => key)).toEqual(['custom_keystore.old.file_name'])
  })

  it('and what a server could not use is a mistake', async () => {
    write2('expired.pem', keyPair({ from: new Date(Date.now() - 90 * dayMs), to: new Date(Date.now() - dayMs) }).pem)
    const { findings } = await report(
      '[keystore.tls]\nfile_name = "expired.pem"\n[management_api.jwt_token_security_handler.token_config]\nkey_file = "none.pem"\n',
    )
    expect(findings.map(({ class: name, key, position }) => [name, key, position?.line])).toEqual([
      ['mistake', 'keystore.tls.file_name', 2],
      ['mistake', 'management_api.jwt_token_security_handler.token_config.key_file', 4],
    ])
  })

  it('and a folder of the audit trail that is missing is a mistake', async () => {
    const anchor = await report('[audit_trail]\nfile = "audit.log"\nanchor_file = "away/anchor"\n')
    expect(anchor.findings).toContainEqual(
      expect.objectContaining({
        class: 'mistake',
        key: 'audit_trail.anchor_file',
        rule: expect.stringMatching(/^cannot be used: ENOENT/),
        position: expect.objectContaining({ line: 3 }),
      }),
    )
    const trail = await report('[audit_trail]\nfile = "away/audit.log"\n')
    expect(trail.findings.map(({ class: name, key }) => [name, key])).toContainEqual(['mistake', 'audit_trail.file'])
    expect(readdirSync(home)).not.toContain('audit.log')
  })

  it('make nothing: no first password, no certificate, no database', async () => {
    const before = readdirSync(home)
    await report(
      '[internal_apis.file_user_store]\nenable = false\n[user_store]\ntype = "database"\n[[datasource]]\nid = "WSO2CarbonDB"\nurl = "jdbc:sqlite:made.db"\n',
      '--connect',
    )
    await report('[keystore.primary]\nfile_name = "repository/resources/security/wso2carbon.jks"\n', '--connect')
    expect(readdirSync(home).filter((name) => !before.includes(name) && name !== 'deployment.toml')).toEqual([])
  })

  it('with --connect, a directory that does not answer is a mistake', async () => {
    const text =
      '[internal_apis.file_user_store]\nenable = false\n[user_store]\ntype = "read_only_ldap"\nconnection_url = "ldap://127.0.0.1:9"\nconnection_name = "cn=x"\nconnection_password = "y"\nbase_dn = "dc=x"\nssl_certificate_validation_enabled = true\n'
    const without = await report(text)
    expect(without.notOpened).toContainEqual({ key: 'user_store', text: 'a directory; --connect asks it for a user' })
    const { findings } = await report(text, '--connect')
    expect(findings).toContainEqual(
      expect.objectContaining({
        class: 'mistake',
        key: 'user_store',
        rule: expect.stringMatching(/^cannot be reached/),
      }),
    )
  })
})

describe('the exit code', () => {
  it.each([
    ['0 for a file without findings', 0, ['good.toml']],
    ['1 with findings', 1, ['risky.toml']],
    ['0 where --fail-on leaves the class out', 0, ['risky.toml', '--fail-on', 'mistake,unknown']],
    ['1 for what is no TOML', 1, ['broken.toml']],
    ['2 without a file', 2, []],
    ['2 for an option that is not known', 2, ['good.toml', '--nope']],
    ['2 for a file that is not there', 2, ['none.toml']],
    ['2 for a class that is none', 2, ['good.toml', '--fail-on', 'strange']],
    ['2 where the output cannot be written', 2, ['good.toml', '--output', 'no/such/folder.toml']],
    ['0 for help', 0, ['--help']],
  ])('is %s', async (_, expected, args) => {
    write('[management_api]\nprotocols = "https"\n', 'good.toml')
    write('[management_api.login_throttle]\nenable = false\n', 'risky.toml')
    write('[management_api\n', 'broken.toml')
    const paths = args.map((arg) => (/\.toml$/.test(arg) ? join(home, arg) : arg))
    const { code, stdout, stderr } = await run(...paths)
    expect(code, stdout + stderr).toBe(expected)
    if (expected === 2) expect(stderr).not.toBe('')
  })
})
