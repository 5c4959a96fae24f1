import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { UserStore } from '../../lib/users/user-store.js'
import { basic, bearer, document, fileUser, fileUsers, startFront, users } from '../helpers/front.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { oneSetUp, twoSetUps } from '../helpers/set-ups.js'

const toml = `
[management_api.jwt_token_security_handler]
token_config.algorithm = "ES256"
[[internal_apis.users]]
user.name = "admin"
user.password = "$env{ADMIN_PASSWORD}"
user.is_admin = true
`
const env = { ADMIN_PASSWORD: users.admin.password }

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-test-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

async function fileWith(text: string): Promise<string> {
  const path = join(await folder(), 'deployment.toml')
  await writeFile(path, text)
  return path
}

/** A front that is closed with the test. */
async function opened(source: Parameters<typeof createSecurity>[0], options: SecurityOptions = {}) {
  const log = recordedLog()
  const security = await createSecurity(source, { logger: log.logger, ...options })
  onTestFinished(() => security.close())
  return { security, ...log }
}

describe('createSecurity', () => {
  it('takes a path, a file URL, an object and a Config', async () => {
    const path = await fileWith(toml)
    const config = parseConfig(document())
    for (const source of [path, pathToFileURL(path), document(), config]) {
      const { security } = await opened(source, { env })
      expect(security.config.fileUsers.users[0]).toMatchObject({ name: 'admin', isAdmin: true })
    }
    expect((await opened(config)).security.config).toBe(config)
  })

  it('rejects with every mistake of a file at once', async () => {
    const path = await fileWith(`${toml}[management_api.cors]\nenabled = "perhaps"\nallowed_origin = "*"\n`)
    const error: unknown = await createSecurity(path, { env }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).problems.map(({ key }) => key)).toEqual([
      'management_api.cors.enabled',
      'management_api.cors.allowed_origin',
    ])
  })

  it.each([undefined, null, 7, [], ''])('rejects %j as a source', async (source) => {
    await expect(createSecurity(source as never)).rejects.toBeInstanceOf(ConfigError)
  })

  it('makes a first administrator where there is no user, and its password never passes the logger', async () => {
    const home = await folder()
    const { security, lines } = await opened({ management_api: {} }, { home })
    const file = join(home, 'initial-admin-password')
    const password = (await readFile(file, 'utf8')).trim()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await security.users.authenticate('admin', password)).toMatchObject({ account: { isAdmin: true } })
    expect(lines.join('')).not.toContain(password)
    expect(lines.join('')).toContain('initial-admin-password')
  })

  it('warns of admin with the password admin, and refuses to start with it in production', async () => {
    const source = { internal_apis: { users: [{ user: { name: 'admin', password: 'admin', is_admin: true } }] } }
    const { entries } = await opened(source, { env: {} })
    expect(entries.some(({ level, message }) => level === 'warn' && message.includes('well-known password'))).toBe(true)
    const production = { env: { NODE_ENV: 'production' }, logger: recordedLog().logger }
    await expect(createSecurity(source, production)).rejects.toBeInstanceOf(ConfigError)
  })

  it('logs the warnings of the configuration', async () => {
    const { entries } = await opened(document({ managementApi: { login_throttle: { enable: false } } }))
    expect(entries.some(({ fields }) => fields['key'] === 'management_api.login_throttle.enable')).toBe(true)
  })

  it('logs what is risky about the key file', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const keyFile = await fileWith(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    await chmod(keyFile, 0o644)
    const { entries } = await opened(document({ jwt: { token_config: { algorithm: 'ES256', key_file: keyFile } } }))
    expect(entries.filter(({ message }) => message.includes('key_file'))).toHaveLength(1)
  })
})

describe('createServer', () => {
  it('refuses a file that switches control_access on while nothing is mounted that enforces it', async () => {
    const { security } = await opened(document({ managementApi: { control_access: { enable: true, allow: ['::1'] } } }))
    expect(() => security.createServer(express())).toThrow(ConfigError)
    security.managementApi()
    expect(() => security.createServer(express())).not.toThrow()
  })

  it.each([
    ['admin_console', "mount security.portal('management_console')"],
    ['web_app', 'mount security.webApps() or security.portal(name)'],
  ])('refuses a file that switches %s.control_access on while nothing is mounted for it', async (table, remedy) => {
    const { security } = await opened(
      document({ root: { [table]: { control_access: { enable: true, allow: ['::1'] } } } }),
    )
    security.managementApi()
    expect(() => security.createServer(express())).toThrow(
      `${table}.control_access.enable: is switched on, but nothing enforces it: ${remedy}`,
    )
  })

  it('serves nothing in the clear where the file asks for TLS, unless it is told to', async () => {
    const { security } = await opened(
      document({ root: { keystore: { tls: { file_name: 'a.p12', password: 'a-password' } } } }),
    )
    expect(() => security.createServer(express())).toThrow('keystore.tls')
    expect(() => security.createServer(express(), { protocol: 'http' })).not.toThrow()
  })

  it('demands key material for https that is there', async () => {
    const keystore = { primary: { file_name: 'not-there.p12', password: 'a-password' } }
    const { security } = await opened(document({ root: { keystore } }))
    expect(() => security.createServer(express(), { protocol: 'https' })).toThrow('keystore.primary.file_name')
  })
})

describe.each(twoSetUps)('reload on $name', (setUp) => {
  it('exchanges users, rules, addresses and CORS at once, and tokens stay good', async () => {
    const front = await startFront(setUp)
    const [admin, reader] = [await front.login(), await front.login(users.reader)]
    await front.security.reload(
      document({
        managementApi: {
          authorization_handler: { resources: [{ path: '/users' }, { path: '/apis' }] },
          cors: { allowed_origins: 'https://one.example' },
        },
        internalApis: { users: [...fileUsers, fileUser('third', 'a-third-password')] },
      }),
    )
    expect((await front.call('GET', '/apis', [bearer(reader)])).status).toBe(403)
    const answer = await front.call('GET', '/apis', [bearer(admin), 'Origin: https://one.example'])
    expect(answer.status).toBe(200)
    expect(answer.header('access-control-allow-origin')).toBe('https://one.example')
    await front.login({ name: 'third', password: 'a-third-password' })

    await front.security.reload(document({ managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] } } }))
    expect((await front.call('GET', '/apis', [bearer(admin)])).status).toBe(403)
    await front.security.reload(document())
    expect((await front.call('GET', '/apis', [bearer(admin)])).status).toBe(200)
    expect((await front.call('GET', '/login', [basic('third', 'a-third-password')])).status).toBe(401)
  })

  it('keeps everything with a broken file', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const before = front.security.config
    const broken: readonly (string | object)[] = [
      await fileWith('[management_api\n'),
      '/no/such/deployment.toml',
      document({ managementApi: { cors: { enabled: 'perhaps' } } }),
      document({ internalApis: { users: [fileUser('admin', '$argon2id$v=19$broken')] } }),
      document({ internalApis: { users: [], file_user_store: { enable: false } } }),
      document({
        managementApi: { authorization_handler: { resources: [{ path: '/configs' }] } },
        internalApis: { users: [fileUser('reader', '$2b$10$broken')] },
      }),
    ]
    for (const source of broken) await expect(front.security.reload(source)).rejects.toBeInstanceOf(ConfigError)
    expect(front.security.config).toBe(before)
    expect((await front.call('GET', '/whoami', [bearer(token)])).json()).toMatchObject({ auth: { isAdmin: true } })
    const reader = await front.login(users.reader)
    expect((await front.call('GET', '/users', [bearer(reader)])).status).toBe(403)
  })

  it('warns of what waits for the next start', async () => {
    const front = await startFront(setUp)
    const begun = front.entries.length
    await front.security.reload(
      document({
        managementApi: { login_throttle: { max_failures: 9 } },
        jwt: { token_config: { algorithm: 'ES256', expiry: 60 }, token_store_config: { max_size: 5 } },
      }),
    )
    const keys = front.entries.slice(begun).map(({ fields }) => fields['key'])
    const jwt = 'management_api.jwt_token_security_handler'
    for (const key of [`${jwt}.token_config.expiry`, `${jwt}.token_store_config`, 'management_api.login_throttle']) {
      expect(keys).toContain(key)
    }
    const [info] = await front.security.tokens.list()
    expect(info).toBeUndefined()
    await front.login()
    const [issued] = await front.security.tokens.list()
    expect(issued!.expiresAt - issued!.issuedAt).toBe(3_600_000)
  })

  it('logs the warnings of the new configuration', async () => {
    const front = await startFront(setUp)
    await front.security.reload(document({ jwt: { enable: false } }))
    expect(front.entries.some(({ message }) => message.includes('AUTHENTICATION IS OFF'))).toBe(true)
  })

  it('leaves a request that is under way the rules it began with', async () => {
    const held: (() => void)[] = []
    const account = { subject: 'admin', roles: [], isAdmin: true, version: '1' }
    const userStore: UserStore = {
      authenticate: async () => {
        await new Promise<void>((resolve) => held.push(resolve))
        return { account }
      },
      find: () => account,
      close() {},
    }
    const front = await startFront(setUp, { options: { userStore } })
    const login = front.call('GET', '/login', [basic('admin', 'any-password-1')])
    await expect.poll(() => held.length).toBe(1)
    await front.security.reload(document({ managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] } } }))
    held[0]!()
    const answer = await login
    expect(answer.status).toBe(200)
    bearer(answer.json<{ AccessToken: string }>().AccessToken)
    expect((await front.call('GET', '/login')).status).toBe(403)
  })
})

describe('close', () => {
  it('ends all tokens, and a second one is harmless', async () => {
    const front = await startFront()
    const token = await front.login()
    await front.security.close()
    await front.security.close()
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    expect(front.handled).toEqual([])
  })

  it('happens at the end of await using', async () => {
    const front = await startFront()
    const token = await front.login()
    {
      await using _security = front.security
      expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    }
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })

  it("leaves the stores that were passed as options open: they are their owner's", async () => {
    const closed: string[] = []
    const tokenStore = new MemoryTokenStore()
    const originalClose = tokenStore.close.bind(tokenStore)
    tokenStore.close = () => {
      closed.push('token store')
      originalClose()
    }
    const userStore: UserStore = {
      authenticate: async () => ({ failure: 'unknown-user' }),
      find: () => undefined,
      close: () => void closed.push('user store'),
    }
    const security = await createSecurity(document(), { logger: recordedLog().logger, tokenStore, userStore })
    await security.close()
    expect(closed).toEqual([])
  })

  it('closes each store of its own once', async () => {
    const front = await startFront(oneSetUp)
    let count = 0
    const { close } = MemoryTokenStore.prototype
    MemoryTokenStore.prototype.close = function countedClose(this: MemoryTokenStore) {
      count++
      close.call(this)
    }
    try {
      await front.security.close()
    } finally {
      MemoryTokenStore.prototype.close = close
    }
    expect(count).toBe(1)
  })
})
