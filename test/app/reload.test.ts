import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { connect } from 'node:tls'
import { runInNewContext } from 'node:vm'
import express, { type Express } from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { ConfigError } from '../../lib/core/errors.js'
import type { Logger } from '../../lib/core/logger.js'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { holdFile } from '../helpers/held-files.js'
import { dayMs, folderWith, keyPair, pemOfKey } from '../helpers/key-files.js'
import { makeCertificate } from '../helpers/make-certificate.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { twoSetUps } from '../helpers/set-ups.js'

vi.mock('../../lib/files/read-file.js', async (importOriginal) => {
  const { withHolds } = await import('../helpers/held-files.js')
  return withHolds(await importOriginal())
})

/** A key of 512 bits, which everything takes but OpenSSL for a server. */
function weakPem(): string {
  const key = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey
  const [notBefore, notAfter] = [new Date(Date.now() - dayMs), new Date(Date.now() + dayMs)]
  return (
    makeCertificate({ commonName: 'localhost', hostNames: ['localhost'], key, notBefore, notAfter }) + pemOfKey(key)
  )
}

const newKey = (): string => pemOfKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

interface TomlChanges {
  readonly certificate?: string
  readonly password?: string
  readonly rules?: string
  readonly tokenKey?: string
}

function tomlOf({
  certificate = 'server.pem',
  password = 'Correct-horse-1',
  rules = '',
  tokenKey = 'key.pem',
}: TomlChanges = {}) {
  return `
[management_api]
protocols = ["http", "https"]
${rules}
[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"
key_file = "${tokenKey}"
[keystore.tls]
file_name = "${certificate}"
[[internal_apis.users]]
user.name = "admin"
user.password = "${password}"
user.is_admin = true
`
}

const openRules = 'public_paths = ["/apis"]'

/** A front over a file, with a server for each protocol. */
async function serve() {
  const server = keyPair()
  const folder = folderWith({ 'server.pem': server.pem, 'key.pem': newKey(), 'deployment.toml': tomlOf() })
  const path = join(folder, 'deployment.toml')
  const log = recordedLog()
  const security = await createSecurity(path, { logger: log.logger, home: folder })
  onTestFinished(() => security.close())
  const app = express()
  app.use('/management', security.managementApi(), (_request, response) => void response.json({}))
  const [port, tlsPort] = [await listen(security, app, 'http'), await listen(security, app, 'https')]
  const call = (target: string, headers?: readonly string[]) =>
    sendRaw(port, requestBytes('GET', `/management${target}`, headers))
  const write = (changes: TomlChanges, files: Readonly<Record<string, string>> = {}): void => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    writeFileSync(path, tomlOf(changes))
  }
  /** All that a configuration can change. */
  const state = async () => ({
    config: security.config,
    certificate: await fingerprintOf(tlsPort),
    keys: (await call('/jwks')).body,
    rules: (await call('/apis')).status,
    login: (await call('/login', [basic('admin', 'Correct-horse-1')])).status,
  })
  return { ...log, security, app, path, folder, server, tlsPort, write, call, state }
}

async function listen(security: Security, app: Express, protocol: 'http' | 'https'): Promise<number> {
  const server = security.createServer(app, { protocol }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

async function fingerprintOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket.getPeerCertificate().fingerprint256
}

const everything = { certificate: 'next.pem', password: 'Another-word-3', rules: openRules, tokenKey: 'next-key.pem' }

// Covers: I05 K03
describe('reload', () => {
  it.each([
    ['a certificate that OpenSSL refuses', {}, { 'next.pem': weakPem() }, /:9:1 keystore\.tls\.file_name: .*OpenSSL/],
    ['a certificate that is not there', { certificate: 'nowhere.pem' }, {}, /keystore\.tls\.file_name/],
    ['a token key that is not there', { tokenKey: 'nowhere.pem' }, {}, /token_config\.key_file/],
    ['a user with a broken hash', { password: '$2b$10$broken' }, {}, /internal_apis\.users\[0\]\.user\.password/],
  ] as const)('with %s changes nothing, and all of it once that is mended', async (_what, mistake, broken, reason) => {
    const { security, path, write, state } = await serve()
    const before = await state()
    const files = { 'next.pem': keyPair().pem, 'next-key.pem': newKey() }
    write({ ...everything, ...mistake }, { ...files, ...broken })
    const error: unknown = await security.reload(path).catch((refused: unknown) => refused)
    expect(error).toBeInstanceOf(ConfigError)
    expect(String(error)).toMatch(reason)
    expect(await state()).toEqual(before)
    write(everything, files)
    await security.reload(path)
    const after = await state()
    expect([after.rules, after.login]).toEqual([200, 401])
    expect(after.certificate).not.toBe(before.certificate)
    expect(after.config).not.toBe(before.config)
    expect(JSON.parse(after.keys).keys).toHaveLength(2)
  })

  it('with rules that a mount cannot take changes nothing', async () => {
    const { security, path, state } = await serve()
    writeFileSync(path, `${tomlOf()}[portal.shop]\nsession_timeout = "5m"\n`)
    await security.reload(path)
    security.portal('shop')
    const before = await state()
    writeFileSync(path, tomlOf({ rules: openRules }))
    await expect(security.reload(path)).rejects.toThrow(/portal\.shop: is no portal/)
    expect(await state()).toEqual(before)
  })

  it('makes a first administrator when it has taken over a configuration without users, and not where it is refused', async () => {
    const { security, path, folder, entries } = await serve()
    writeFileSync(path, `${tomlOf()}[portal.shop]\nsession_timeout = "5m"\n`)
    await security.reload(path)
    security.portal('shop')
    const withoutUsers = tomlOf().split('[[internal_apis')[0]!
    writeFileSync(path, withoutUsers)
    await expect(security.reload(path)).rejects.toThrow(/portal\.shop: is no portal/)
    expect(existsSync(join(folder, 'initial-admin-password'))).toBe(false)
    writeFileSync(path, `${withoutUsers}[portal.shop]\nsession_timeout = "5m"\n`)
    await security.reload(path)
    const password = readFileSync(join(folder, 'initial-admin-password'), 'utf8').trim()
    expect(await security.users.authenticate('admin', password)).toHaveProperty('account')
    expect(entries.filter(({ message }) => message.includes('initial-admin-password'))).toHaveLength(1)
  })

  it('is done one call after the other: the last one holds', async () => {
    const { security, path, write, state } = await serve()
    const before = await state()
    write({ rules: openRules })
    const hold = holdFile('key.pem')
    const first = security.reload(path)
    await hold.reached
    write({})
    let isSecondOver = false
    const second = security.reload(path).finally(() => {
      isSecondOver = true
    })
    for (let turn = 0; turn < 200; turn++) await setImmediate()
    expect(isSecondOver).toBe(false)
    hold.release()
    await Promise.all([first, second])
    expect((await state()).rules).toBe(before.rules)
  })

  it('shows the new certificate at servers that are made while it runs, and refuses a broken one for them', async () => {
    const server = keyPair()
    const next = keyPair()
    const folder = folderWith({ 'server.pem': server.pem, 'next.pem': next.pem, 'key.pem': newKey() })
    const path = join(folder, 'deployment.toml')
    writeFileSync(path, tomlOf())
    const security = await createSecurity(path, { logger: recordedLog().logger })
    onTestFinished(() => security.close())
    const app = express()
    app.use('/management', security.managementApi())

    for (const [certificate, outcome] of [
      ['next.pem', 'fulfilled'],
      ['nowhere.pem', 'rejected'],
    ] as const) {
      writeFileSync(path, tomlOf({ certificate }))
      // Read after the key store.
      const hold = holdFile('key.pem')
      const reloading = Promise.allSettled([security.reload(path)])
      await hold.reached
      const made = await listen(security, app, 'https')
      hold.release()
      expect((await reloading)[0].status).toBe(outcome)
      expect(await fingerprintOf(made)).toBe(next.certificate.fingerprint256)
    }
  })

  it('lets no server be made with a certificate that OpenSSL refuses, and says where it is named', async () => {
    const folder = folderWith({ 'server.pem': weakPem(), 'key.pem': newKey(), 'deployment.toml': tomlOf() })
    const security = await createSecurity(join(folder, 'deployment.toml'), { logger: recordedLog().logger })
    onTestFinished(() => security.close())
    security.managementApi()
    expect(() => security.createServer(express())).toThrow(/:9:1 keystore\.tls\.file_name: .*OpenSSL/)
  })
})

describe.each(twoSetUps)('a mount that is made while reload() runs, on $name', (setUp) => {
  it('takes the new rules, whatever moment it is made at', async () => {
    const front = await startFront(setUp)
    const { security, app, port } = front
    // Another algorithm: a key is made meanwhile.
    const token_config = { algorithm: 'RS256' }
    const allow = { control_access: { enable: true, allow: ['192.0.2.1'] } }
    let isOver = false
    const reloading = security
      .reload(document({ jwt: { token_config }, managementApi: allow, root: { web_app: allow } }))
      .finally(() => {
        isOver = true
      })
    const paths: string[] = []
    const mount = (): void => {
      const path = `/made-${paths.length}`
      paths.push(path, `${path}-portal`, `${path}-app`)
      app.use(path, security.managementApi())
      app.use(`${path}-portal`, security.portal('publisher'))
      app.use(`${path}-app`, security.webApps())
    }
    while (!isOver) {
      // Between turns of the event loop, and within them.
      for (let step = 0; step < 3 && !isOver && paths.length < 600; step++) {
        mount()
        await Promise.resolve()
      }
      await setImmediate()
    }
    await reloading
    mount()
    for (const path of paths) {
      expect((await sendRaw(port, requestBytes('GET', path))).status, path).toBe(403)
    }
  })
})

const loggers: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error('the disk is full')
  },
  rejects: () => Promise.reject(new Error('the disk is full')),
  'rejects, from another realm': () => runInNewContext('Promise.reject(new Error("the disk is full"))'),
}

// Covers: K03
describe.each(Object.entries(loggers))('a logger that %s', (_how, fail) => {
  const logger = { info: fail, warn: fail, error: fail } as Logger

  it('stops neither start, nor requests, nor reload', async () => {
    const security = await createSecurity(document(), { logger })
    onTestFinished(() => security.close())
    security.events.on('login', fail as () => void)
    const app = express()
    app.use('/management', security.managementApi(), (_request, response) => void response.json({}))
    const port = await listen(security, app, 'http')
    const call = (path: string, headers: readonly string[]) => sendRaw(port, requestBytes('GET', path, headers))
    const login = await call('/management/login', [basic(users.admin.name, users.admin.password)])
    expect(login.status).toBe(200)
    const token = bearer(login.json<{ AccessToken: string }>().AccessToken)
    expect((await call('/management/apis', [token])).status).toBe(200)
    expect((await call('/management/apis', [])).status).toBe(401)
    await security.reload(
      document({
        managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] }, login_throttle: { max_failures: 9 } },
      }),
    )
    expect((await call('/management/apis', [token])).status).toBe(403)
  })
})

describe('after close', () => {
  it('nothing is mounted, served or reloaded any more, and the error says so', async () => {
    const { security } = await startFront()
    const closing = security.close()
    expect(security.close()).toBe(closing)
    const app = express()
    for (const [call, name] of [
      [() => security.managementApi(), 'managementApi'],
      [() => security.portal('publisher'), 'portal'],
      [() => security.webApps(), 'webApps'],
      [() => security.oauth(), 'oauth'],
      [() => security.createServer(app), 'createServer'],
    ] as const) {
      expect(call).toThrow(`security.${name}() came after close()`)
    }
    await expect(security.reload(document())).rejects.toThrow('security.reload() came after close()')
    await closing
  })
})
