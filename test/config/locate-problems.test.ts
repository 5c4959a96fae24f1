import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load-config.js'
import { locateProblems } from '../../lib/config/locate-problems.js'
import { parseConfig } from '../../lib/config/parse-config.js'
import { ConfigError } from '../../lib/core/errors.js'
import { fileUserStore } from '../../lib/users/file-user-store.js'

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

  it('leaves the error as it is when the configuration is an object, or its file is gone', async () => {
    const error = new ConfigError([{ key: 'internal_apis.users', rule: 'is broken' }])
    expect(await locateProblems(error, parseConfig({}))).toBe(error)
    const config = await configOf()
    rmSync(file)
    expect(await locateProblems(error, config)).toBe(error)
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
