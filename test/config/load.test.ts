import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig, readConfig } from '../../lib/config/load.js'
import { ConfigError } from '../../lib/core/errors.js'

const deployments = fileURLToPath(new URL('deployments/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
const file = join(folder, 'deployment.toml')

afterAll(() => rmSync(folder, { recursive: true }))

async function errorOf(text: string | Uint8Array): Promise<ConfigError> {
  writeFileSync(file, text)
  const error: unknown = await loadConfig(file, { env: {} }).catch((reason: unknown) => reason)
  if (error instanceof ConfigError) return error
  throw new Error('the file was accepted', { cause: error })
}

/** The lines of the message, without the folder. */
async function linesOf(text: string | Uint8Array): Promise<string[]> {
  return (await errorOf(text)).message.replaceAll(`${folder}/`, '').split('\n')
}

describe('a deployment.toml of WSO2', () => {
  const names = readdirSync(deployments).filter((name) => name.endsWith('.toml'))

  it('is there in 24 kinds', () => {
    expect(names).toHaveLength(24)
  })

  it.each(names)('%s is read as it is', async (name) => {
    const config = await loadConfig(join(deployments, name), { env: {} })
    const isOff = /^\[management_api\.jwt_token_security_handler\]\nenable = false/m
    expect(config.managementApi.isJwtEnabled).toBe(!isOff.test(readFileSync(join(deployments, name), 'utf8')))
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('as it is shipped gives one warning: that [user_store] is not in effect', async () => {
    const { warnings } = await loadConfig(join(deployments, 'mi-shipped.toml'), { env: {} })
    expect(warnings).toEqual([
      {
        key: 'user_store',
        rule: expect.stringMatching(/^is not in effect.*\[internal_apis\.file_user_store\] enable = false$/),
        position: { file: join(deployments, 'mi-shipped.toml'), line: 5, column: 2 },
      },
    ])
  })

  it('with the file store off takes users from its [user_store]', async () => {
    const config = await loadConfig(join(deployments, 'mi-tests-platform-tests-userstore.toml'), { env: {} })
    expect(config.fileUsers.isEnabled).toBe(false)
    expect(config.userStore).toMatchObject({
      type: 'database',
      domain: 'PRIMARY',
      sql: {
        datasource: {
          url: 'jdbc:mysql://localhost:3306/userdb?useSSL=false&allowPublicKeyRetrieval=true',
          username: 'root',
          password: 'root',
          home: deployments.replace(/\/$/, ''),
        },
        readOnly: false,
        adminRole: 'admin',
        superAdmin: 'admin',
      },
    })
    expect(config.warnings.map(({ key }) => key)).toEqual([
      'management_api_token_handler.enable',
      'management_api.jwt_token_security_handler.enable',
    ])
  })
})

describe('a file with eleven mistakes', () => {
  it('lists all of them, in order, with line and column', async () => {
    const text = `enable = false

[management_api]
protocols = "https ftp"

[managment_api.cors]
enabled = true

[management_api.cors]
allowed_origins = ","
allowed_header = "Authorization"

[management_api.jwt_token_security_handler]
token_store_config.max_size = "0"
token_config = { expiry = "1h", "size" = 1024 }

[[internal_apis.users]]
user.name = "alice"
password = "wonderland-1"

[[internal_apis.users]]
user = { name = "bob:x", password = "wonderland-2$env{NOPE}" }
`
    expect(await linesOf(text)).toEqual([
      'deployment.toml:1:1 enable: belongs below the header of its table, most likely ' +
        '[management_api.jwt_token_security_handler] or [management_api.basic_security_handler] or ' +
        '[management_api.authorization_handler]; ' +
        'did you mean management_api.jwt_token_security_handler.enable?',
      'deployment.toml:4:1 management_api.protocols: must be "https", "http" or "https http", got "https ftp"',
      'deployment.toml:6:2 managment_api: is not a known table; did you mean management_api?',
      'deployment.toml:10:1 management_api.cors.allowed_origins: must name origins such as https://portal.example.com, ' +
        'separated by commas or as a list, or be "*", got ","',
      'deployment.toml:11:1 management_api.cors.allowed_header: is not a known key; did you mean management_api.cors.allowed_headers?',
      'deployment.toml:14:1 management_api.jwt_token_security_handler.token_store_config.max_size: ' +
        'must be a whole number from 1 to 10000000, got "0"',
      'deployment.toml:15:18 management_api.jwt_token_security_handler.token_config.expiry: ' +
        'must be a whole number from 1 to 2592000 (seconds, at most 30 days), got "1h"',
      'deployment.toml:15:33 management_api.jwt_token_security_handler.token_config.size: must be a whole number from ' +
        '2048 to 4096 (bits of the RSA key: shorter ones can be broken, longer ones make every login slow), got 1024',
      'deployment.toml:19:1 internal_apis.users[0].password: is not a known key; did you mean internal_apis.users[0].user.password?',
      'deployment.toml:22:10 internal_apis.users[1].user.name: must be a text of 1 to 255 characters, without colons ' +
        'and control characters, got "bob:x"',
      'deployment.toml:22:26 internal_apis.users[1].user.password: needs the environment variable NOPE, ' +
        'which is not set',
    ])
  })
})

it('puts mistakes into the words that the README shows', async () => {
  const token = '[management_api.jwt_token_security_handler]\n\n\n\n\n\ntoken_config.size = 1024\n'
  const cors = '[management_api.cors]\nenable = true\n\n\nallowed_orgins = "https://portal.example.com"\n'
  expect(await linesOf(token + cors)).toEqual([
    'deployment.toml:7:1 management_api.jwt_token_security_handler.token_config.size: must be a whole number from ' +
      '2048 to 4096 (bits of the RSA key: shorter ones can be broken, longer ones make every login slow), got 1024',
    'deployment.toml:12:1 management_api.cors.allowed_orgins: is not a known key; ' +
      'did you mean management_api.cors.allowed_origins?',
  ])
})

describe('positions', () => {
  it.each([
    ['a dotted key', '[management_api]\n  cors.enable = "x"\n', 2, 3],
    ['a quoted key', '[management_api."cors"]\n"enable" = "x"\n', 2, 1],
    ['an inline table', '[management_api]\ncors = { enable = 7 }\n', 2, 10],
    ['an inline table over several lines', '[management_api]\ncors = {\n  enable = 7,\n}\n', 3, 3],
    ['an entry of a list', '[management_api]\npublic_paths = [\n  "/a",\n  "b",\n]\n', 4, 3],
    [
      'an array of tables',
      '[[internal_apis.users]]\nuser.name="a"\nuser.password="b"\n[[internal_apis.users]]\nuser.name="a"\nuser.password=""\n',
      6,
      1,
    ],
    ['a key that is missing', '\n\n  [[internal_apis.users]]\n  user.password = "b"\n', 4, 3],
    ['a file with a byte order mark', '\uFEFF[management_api]\nprotocols = 1\n', 2, 1],
    ['a file with Windows line ends', '[management_api]\r\nprotocols = 1\r\n', 2, 1],
  ])('point to %s', async (_, text, line, column) => {
    const { problems } = await errorOf(text)
    expect(problems.map(({ position }) => position)).toContainEqual({ file, line, column })
  })

  it('of both places are named where two clash', async () => {
    const user = '[[internal_apis.users]]\nuser.name = "a"\nuser.password = "b"\n'
    expect(await linesOf(user + user)).toEqual([
      'deployment.toml:5:1 internal_apis.users[1].user.name: must not be the name of two users ' +
        '(the other is internal_apis.users[0].user.name at deployment.toml:2:1), got "a"',
    ])
  })
})

describe('a whole number of 64 bits', () => {
  it.each(['9223372036854775807', '-9223372036854775808', '9007199254740993', '0x7fffffffffffffff'])(
    'may be %s where nobody reads it, and the configuration is good for JSON',
    async (number) => {
      writeFileSync(file, `[transport.http]\nmax_bytes = ${number}\n[my_app]\nsizes = [${number}]\n`)
      expect(JSON.parse(JSON.stringify(await loadConfig(file, { env: {} })))).toHaveProperty('managementApi')
    },
  )

  it('is beyond the range of a key that is read', async () => {
    const table = '[management_api.jwt_token_security_handler.token_store_config]\n'
    expect(await linesOf(`${table}max_size = 9223372036854775807\n`)).toEqual([
      expect.stringMatching(/^deployment\.toml:2:1 \S+max_size: must be a whole number from 1 to 10000000, got 92\d+$/),
    ])
  })

  it.each(['9223372036854775808', '-9223372036854775809', '0xffffffffffffffffff'])('is not %s', async (number) => {
    expect(await linesOf(`[transport.http]\nmax_bytes = ${number}\n`)).toEqual([
      expect.stringMatching(
        /^deployment\.toml:2:1 transport\.http\.max_bytes: must be a whole number of at most 64 bits, got \S+$/,
      ),
    ])
  })
})

describe('a file that is not TOML', () => {
  it.each([
    ['[management_api\n', 'deployment.toml:1:16 TOML syntax: illegal character in key: a closing bracket is missing'],
    ['[[a.b] # x\n', /^deployment\.toml:1:\d+ TOML syntax: .*: a closing bracket is missing$/],
    ['a = 1\na = 2\n', /^deployment\.toml:2:1 TOML syntax: [a-z ]+: it stands above already, and is written once$/],
    ['user.password = "hunter2\n', /^deployment\.toml:1:25 TOML syntax: [a-z ]+: a closing quote is missing$/],
    ['user.password = "hunter2\r\n', /: a closing quote is missing$/],
    ['a = True', 'deployment.toml:1:5 TOML syntax: invalid value: true and false are written in lower case'],
    ['a = [FALSE]', /^deployment\.toml:1:6 .*: true and false are written in lower case$/],
    ['user.password = hunter2', 'deployment.toml:1:17 TOML syntax: invalid value: texts need quotes'],
    ['a = Trueish', /: texts need quotes$/],
    ['a = [\n  "x",\n  hunter2\n]', 'deployment.toml:3:3 TOML syntax: invalid value: texts need quotes'],
    ['a = 15m', /numeric literal: texts need quotes$/],
    [
      '[a]\n[a]',
      /^deployment\.toml:2:2 TOML syntax: trying to redefine .*: it stands above already, and is written once$/,
    ],
    ['a = 10.0.0.0/8', /numeric literal: texts need quotes$/],
    ['a = \n', 'deployment.toml:1:5 TOML syntax: invalid value'],
  ])('%j is refused with the position and a hint, and nothing of it is shown', async (text, line) => {
    const lines = await linesOf(text)
    expect(lines).toEqual([typeof line === 'string' ? line : expect.stringMatching(line)])
    expect(lines[0]).not.toContain('hunter2')
  })
})

describe('a file that cannot be read', () => {
  it.each([
    ['no-such.toml', 'cannot be read: there is no such file; an empty one is enough for a start'],
    ['.', 'is a folder or a device, not a file'],
  ])('%s is named', async (name, rule) => {
    const path = join(folder, name)
    await expect(loadConfig(path)).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      problems: [{ key: resolve(path), rule }],
    })
  })

  it('is named by its absolute path', async () => {
    await expect(loadConfig('no-such.toml')).rejects.toMatchObject({ problems: [{ key: resolve('no-such.toml') }] })
  })

  it.each(['a\0b', 'x'.repeat(300)])('has a name that the system refuses', async (name) => {
    await expect(loadConfig(join(folder, name))).rejects.toThrow(
      /: cannot be read: (?:ERR_INVALID_ARG_VALUE|ENAMETOOLONG)$/,
    )
  })

  it('is not one of 1 MiB, but one of a byte more', async () => {
    writeFileSync(file, '#'.repeat(1_048_576))
    await expect(loadConfig(file)).resolves.toBeDefined()
    expect((await errorOf('#'.repeat(1_048_577))).problems[0]?.rule).toBe(
      'has more than the 1048576 bytes that are read',
    )
  })

  it('is one that is not UTF-8', async () => {
    expect((await errorOf(Buffer.from([0x61, 0xff]))).problems[0]?.rule).toBe('is not UTF-8')
  })

  it.each([new URL('https://example.com/x.toml'), 7 as unknown as string])('is %s', async (path) => {
    await expect(loadConfig(path)).rejects.toThrow(/must be a path or a file: URL/)
  })
})

describe('loadConfig', () => {
  it('reads a file URL, and starts relative paths from the folder of the file', async () => {
    writeFileSync(file, '[management_api.jwt_token_security_handler]\ntoken_config.key_file = "keys/token.pem"\n')
    const config = await loadConfig(pathToFileURL(file), { home: '/elsewhere' })
    expect(config.path).toBe(file)
    expect(config.managementApi.token.keyFile).toBe(join(folder, 'keys/token.pem'))
  })
})

describe('readConfig', () => {
  it('takes a path, an object, and a configuration that was read before', async () => {
    writeFileSync(file, '')
    const loaded = await readConfig(file)
    expect(loaded.path).toBe(file)
    expect(await readConfig(loaded)).toBe(loaded)
    expect((await readConfig({ management_api: { protocols: 'https' } })).managementApi.protocols).toEqual(['https'])
  })

  it('does not take a look-alike for a configuration that was read before', async () => {
    const loaded = await readConfig({})
    await expect(readConfig({ ...loaded })).rejects.toThrow(ConfigError)
  })
})
