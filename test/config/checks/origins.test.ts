import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { locateProblems, originAt } from '../../../lib/config/checks/origins.js'
import { loadConfig } from '../../../lib/config/load.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { fileUserStore } from '../../../lib/users/file/file-user-store.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-locate-'))
const file = join(folder, 'deployment.toml')
const text = `# The users of the front.
[management_api.jwt_token_security_handler]
token_config.key_file = "no-such.pem"

[[internal_apis.users]]
user.name = "alice"
user.password = "wonderland"

[[internal_apis.users]]
  user.name = "bob"
  user.password = "$argon2id$broken"
`

afterAll(() => rmSync(folder, { recursive: true }))

async function configOf() {
  writeFileSync(file, text)
  return loadConfig(file, { env: {} })
}

describe('locateProblems', () => {
  it.each([
    ['internal_apis.users[1].user.password', 11, 3],
    ['internal_apis.users[1].user.is_admin', 10, 3],
    ['internal_apis.users[0]', 5, 3],
    ['internal_apis.users', 5, 3],
    ['internal_apis.file_user_store.enable', 5, 3],
    ['management_api.jwt_token_security_handler.token_config.key_file', 3, 1],
    ['management_api.cors.enable', 2, 2],
  ])('finds %s, or the innermost table around it, at %i:%i', async (key, line, column) => {
    const { problems, message } = await locateProblems(new ConfigError([{ key, rule: 'is broken' }]), await configOf())
    expect(problems).toEqual([{ key, rule: 'is broken', position: { file, line, column } }])
    expect(message).toBe(`${file}:${line}:${column} ${key}: is broken`)
  })

  it('keeps the code, the cause, suggestions, positions, and problems that have no place', async () => {
    const cause = new Error('no package')
    const position = { file: 'other.toml', line: 7, column: 7 }
    const problems = [
      { key: 'trust proxy', rule: 'is unsafe' },
      { key: 'user_store.type', rule: 'is not there' },
      { key: 'internal_apis.users', rule: 'is broken', position },
      { key: 'internal_apis.users', rule: 'is broken', suggestion: 'x' },
    ]
    const options = { code: 'ERR_CONFIG_MISSING_PACKAGE', cause } as const
    const error = await locateProblems(new ConfigError(problems, options), await configOf())
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject(options)
    expect(error.problems).toEqual([
      ...problems.slice(0, 3),
      { ...problems[3], position: { file, line: 5, column: 3 } },
    ])
    expect(await locateProblems(new ConfigError([problems[2]!]), await configOf())).not.toHaveProperty('cause')
  })

  it('leaves the error as it is when the configuration is an object', async () => {
    const error = new ConfigError([{ key: 'internal_apis.users', rule: 'is broken' }])
    expect(await locateProblems(error, parseConfig({}))).toBe(error)
  })

  it('knows the places of the file that was read, whatever becomes of it', async () => {
    const config = await configOf()
    rmSync(file)
    const error = await locateProblems(new ConfigError([{ key: 'internal_apis.users', rule: 'is broken' }]), config)
    expect(error.problems[0]?.position).toEqual({ file, line: 5, column: 3 })
  })

  it('finds the password of the user whose hash is broken', async () => {
    const config = await configOf()
    const error: unknown = await fileUserStore({ users: config.fileUsers.users }).catch((reason: unknown) => reason)
    const { message } = await locateProblems(error as ConfigError, config)
    expect(message).toMatch(
      /deployment\.toml:11:3 internal_apis\.users\[1\]\.user\.password: user "bob" has a password hash/,
    )
  })
})

describe('the origin of a rule', () => {
  const rules = `[management_api.cors]
allowed_origins = "https://portal.example.com"

[management_api.control_access]
enable = true
allow = [
  "10.0.0.0/8",
  "::1",
]

[[management_api.authorization_handler.resources]]
path = "/users"

[admin_console.control_access]
enable = true
allow = "$ref{management_api.control_access.allow}"

[[servlet_access_control_filter]]
filter_name = "a"
url_pattern = "/*"
allow_ip_regex = "127.0.0.1"

[portal.shop]
title = "Shop"
`
  async function loaded() {
    writeFileSync(file, rules)
    return loadConfig(file, { env: {} })
  }
  const at = (line: number, column: number) => ({ file, line, column })

  it('is on every rule that is a table, with its place in the file', async () => {
    const { managementApi, servletFilters, portals } = await loaded()
    const resources = 'management_api.authorization_handler.resources[0]'
    expect(managementApi.cors.origin).toEqual({ key: 'management_api.cors', position: at(1, 2) })
    expect(managementApi.authorization.resources.map(({ path, origin }) => [path, origin])).toEqual([
      ['/users', { key: resources, position: at(11, 3) }],
      ['/roles', { key: resources, position: at(11, 3) }],
    ])
    expect(servletFilters[0]?.origin).toEqual({ key: 'servlet_access_control_filter[0]', position: at(18, 3) })
    expect(portals.find(({ name }) => name === 'shop')?.origin).toEqual({ key: 'portal.shop', position: at(23, 2) })
  })

  it('has no place for a default', async () => {
    const { managementApi, portals } = parseConfig({}, { env: {} })
    expect(managementApi.authorization.resources[0]?.origin).toEqual({
      key: 'management_api.authorization_handler.resources',
    })
    const { portals: found } = await loaded()
    expect(found[0]?.origin).toEqual({ key: 'portal.management_console' })
    expect(portals[0]?.origin).toEqual({ key: 'portal.management_console' })
  })

  it.each([
    ['management_api.control_access.allow', 6, 1],
    ['management_api.control_access.allow[1]', 8, 3],
    ['admin_console.control_access.allow[1]', 16, 1],
    ['servlet_access_control_filter[0].allow_ip_regex', 21, 1],
  ])('of %s is found by its key', async (key, line, column) => {
    expect(originAt(await loaded(), key)).toEqual({ key, position: at(line, column) })
  })

  it('of a key that is not written has the key alone', async () => {
    const key = 'web_app.control_access.allow'
    expect(originAt(await loaded(), key)).toEqual({ key })
    expect(originAt(parseConfig({ web_app: { control_access: { enable: true, allow: [] } } }), key)).toEqual({ key })
  })
})
