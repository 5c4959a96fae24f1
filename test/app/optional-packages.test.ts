import { describe, expect, it } from 'vitest'
import { missingPackages, optionalPackages } from '../../lib/app/optional-packages.js'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'

/** None of them is installed. */
const none = Object.fromEntries(
  Object.keys(optionalPackages).map((name) => [
    name,
    () => Promise.reject(new ConfigError([{ key: name, rule: `needs an optional package; run: npm install ${name}` }])),
  ]),
) as unknown as typeof optionalPackages

const datasource = (url: string) => [{ id: 'people', url, username: 'u', password: 'p' }]
const withDatabase = (url: string) => ({
  datasource: datasource(url),
  user_store: { type: 'database', data_source: 'people' },
  internal_apis: { file_user_store: { enable: false } },
})

/** What processes share besides. */
const shared = {
  management_api: { jwt_token_security_handler: { token_config: { key_file: 'token-key.pem' } } },
  internal_apis: { users: [{ user: { name: 'root', password: 'Correct-horse-1', is_admin: true } }] },
}

describe('the packages that a file needs', () => {
  it.each<[string, object, readonly string[]]>([
    ['nothing in particular', {}, []],
    ['an authorization server', { oauth: { enable: true, issuer: 'https://a.example/oauth2' } }, ['oauth']],
    ['a second factor', { management_api: { second_factor: 'all' } }, ['secondFactor']],
    ['PostgreSQL', withDatabase('jdbc:postgresql://db.example/users'), ['postgresql']],
    ['MariaDB', withDatabase('jdbc:mariadb://db.example/users'), ['mysql']],
    ['SQLite, which is looked at elsewhere', withDatabase('jdbc:sqlite:users.db'), []],
    ['Redis', { ...shared, shared_store: { type: 'redis', url: 'rediss://cache.example' } }, ['redis']],
  ])('are told for %s', async (_what, source, names) => {
    const config = parseConfig(source, { env: {} })
    expect((await missingPackages(config, none)).map(({ key }) => key)).toEqual(names)
    expect(await missingPackages(config)).toEqual([])
  })

  it('are not the reason where anything else fails', async () => {
    const config = parseConfig({ management_api: { second_factor: 'all' } }, { env: {} })
    const broken = { ...none, secondFactor: () => Promise.reject(new Error('broken')) }
    await expect(missingPackages(config, broken)).rejects.toThrow('broken')
  })
})
