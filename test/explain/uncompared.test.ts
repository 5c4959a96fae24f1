import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load.js'
import { parseConfig } from '../../lib/config/parse.js'
import { listUncompared } from '../../lib/explain/uncompared.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-uncompared-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secrets = ['ADMIN', 'ALICE', 'DANA', 'DB', 'LDAP', 'READER'].map((name) => [`${name}_PASSWORD`, 'made-up'])
const env = {
  ...Object.fromEntries(secrets),
  CLIENT_SECRET: 'made-up',
  LDAP_URL: 'ldaps://directory.example.com',
  PROVIDER: 'https://login.example.com',
  REDIS_URL: 'rediss://db.example.com:6380',
  SESSION_TIMEOUT: '10m',
  TOKEN_KEY_FILE: 'key.pem',
}

it.each(['cluster', 'deployment', 'ldap', 'mcp', 'portal', 'sql', 'sso'])(
  'examples/%s.toml is the same in another folder',
  async (name) => {
    const file = `examples/${name}.toml`
    const copy = join(folder, `${name}.toml`)
    copyFileSync(file, copy)
    const [here, there] = [await loadConfig(file, { env }), await loadConfig(copy, { env })]
    expect(listUncompared(here, there)).toEqual([])
  },
)

it('compares the entries of a list by their names', () => {
  const user = (name: string, roles: readonly string[] = []) => ({ user: { name, password: 'made-up', roles } })
  const configs = [
    [user('a'), user('b')],
    [user('b', ['x']), user('a')],
  ].map((users) => parseConfig({ internal_apis: { users } }))
  expect(listUncompared(configs[0]!, configs[1]!)).toEqual([{ key: 'internal_apis.users[0].user.roles' }])
})

it('leaves out what the requests of a comparison tell', () => {
  const api = { public_paths: ['/a'], control_access: { enable: true, allow: ['10.0.0.0/8'] } }
  const next = parseConfig({ management_api: api, portal: { publisher: { roles: ['x'], allow: ['10.0.0.1'] } } })
  expect(listUncompared(parseConfig({}), next)).toEqual([])
})
