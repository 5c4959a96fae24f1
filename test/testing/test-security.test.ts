import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type MountMaking, Mounts, type MountsOptions } from '../../lib/app/mounts.js'
import { parseConfig } from '../../lib/config/parse.js'
import { getAuth } from '../../lib/core/auth.js'
import { findGateRow, type Gate, passToNext } from '../../lib/http/gate.js'
import { createTestSecurity, type TestSecurity, type TestSecurityOptions } from '../../lib/testing/test-security.js'

const resources = [{ path: '/apis', roles: ['creator'] }]
const document = { management_api: { authorization_handler: { enable: true, resources } }, portal: { shop: {} } }

async function start(source: string | object = document, options?: TestSecurityOptions) {
  const security = await createTestSecurity(source, options)
  onTestFinished(() => security.close())
  return { security, app: appFor(security) }
}

function appFor(security: TestSecurity): Express {
  const app = express()
  const whoami: express.RequestHandler = (incoming, response) => {
    response.json(getAuth(incoming))
  }
  app.use('/management', security.managementApi(), whoami)
  app.use('/shop', security.portal('shop'), whoami)
  app.use('/publisher', security.portal('publisher'), whoami)
  return app
}

describe('the headers of a user who is signed in', () => {
  it('let requests of supertest through, of each method, at each mount', async () => {
    const { security, app } = await start()
    const alice = await security.signedIn('alice', { roles: ['creator'] })
    for (const path of ['/management/apis', '/shop/basket', '/publisher/apis']) {
      const { body } = await request(app).get(path).set(alice).expect(200)
      expect(body).toMatchObject({ subject: 'alice', roles: ['creator'], isAdmin: false })
      await request(app).post(path).set(alice).expect(200)
      await request(app).get(path).expect(401)
    }
  })

  it('let requests of fetch through', async () => {
    const { security, app } = await start()
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const headers = await security.signedIn('alice')
    const { status } = await fetch(`http://127.0.0.1:${port}/shop/basket`, { method: 'DELETE', headers })
    expect(status).toBe(200)
  })

  it('have Basic where the configuration asks for it', async () => {
    const { security, app } = await start({
      portal: { shop: {} },
      management_api: { basic_security_handler: { enable: true } },
    })
    await request(app)
      .get('/management/apis')
      .set(await security.signedIn('alice'))
      .expect(200)
  })

  it('have the cookie of a portal that people may use over plain HTTP', async () => {
    const { security, app } = await start({ portal: { allow_insecure_http: true, shop: {} } })
    await request(app)
      .post('/shop/basket')
      .set(await security.signedIn('alice'))
      .expect(200)
  })

  it('have the roles of the user, whoever changed them last', async () => {
    const { security, app } = await start()
    const alice = await security.signedIn('alice')
    await request(app).get('/management/apis').set(alice).expect(403)
    security.users.set('alice', { roles: ['creator'] })
    await request(app).get('/management/apis').set(alice).expect(200)
    security.users.set('alice', { isAdmin: true })
    await request(app).get('/management/apis').set(alice).expect(200)
    security.users.remove('alice')
    await request(app).get('/management/apis').set(alice).expect(401)
  })

  it('are good until the logout, each for its mount', async () => {
    const { security, app } = await start()
    const alice = await security.signedIn('alice', { roles: ['creator'] })
    await request(app).post('/shop/logout').set(alice).expect(204)
    await request(app).get('/shop/basket').set(alice).expect(401)
    await request(app).get('/publisher/apis').set(alice).expect(200)
    await request(app).get('/management/logout').set(alice).expect(200)
    await request(app).get('/management/apis').set(alice).expect(401)
  })

  it('are good until a revocation or another password, and new ones after it', async () => {
    const { security, app } = await start()
    const first = await security.signedIn('alice')
    await security.tokens.revokeUser('alice')
    await request(app).get('/shop/basket').set(first).expect(401)
    const second = await security.signedIn('alice')
    await request(app).get('/shop/basket').set(second).expect(200)
    security.users.set('alice', { password: 'another one' })
    await request(app).get('/shop/basket').set(second).expect(401)
  })
})

describe('a front for tests', () => {
  it('logs users in with their passwords', async () => {
    const { security, app } = await start(document, { users: { bob: { password: 'of bob' } } })
    await request(app).get('/management/login').auth('bob', 'of bob').expect(200)
    await request(app).get('/management/login').auth('bob', 'of bart').expect(401)
    await security.signedIn('alice')
    await request(app).get('/management/login').auth('alice', security.users.passwordOf('alice')).expect(200)
    expect(() => security.users.passwordOf('carol')).toThrow('there is no test user "carol"')
  })

  it('has a clock that stands still until it is moved', async () => {
    const { security, app } = await start({ ...document, tomcat: { global: { session_timeout: '30m' } } })
    const alice = await security.signedIn('alice')
    security.clock.pass(30 * 60_000 - 1)
    await request(app).get('/shop/basket').set(alice).expect(200)
    security.clock.pass(31 * 60_000)
    await request(app).get('/shop/basket').set(alice).expect(401)
    await request(app).get('/management/whoami').set(alice).expect(401)
  })

  it('keeps what is logged', async () => {
    const { security, app } = await start()
    await request(app).get('/management/apis').expect(401)
    const line = security.log.find(({ message }) => message === 'request refused')
    expect(line).toMatchObject({ level: 'warn', fields: { code: 'ERR_AUTH_REQUIRED' } })
  })

  it('replaces the shared store and the key of the configuration, and treats its users as those of the file', async () => {
    const { authorization_handler } = document.management_api
    const jwt_token_security_handler = { token_config: { key_file: 'missing.pem' } }
    const { security, app } = await start({
      ...document,
      management_api: { authorization_handler, jwt_token_security_handler },
      shared_store: { type: 'redis', url: 'redis://127.0.0.1:1' },
    })
    const alice = await security.signedIn('alice', { isAdmin: true })
    await request(app).get('/shop/basket').set(alice).expect(200)
    await request(app).get('/management/users').set(alice).expect(403)
  })

  it('takes the options of createSecurity that it has, and no others', async () => {
    await expect(createTestSecurity({}, { clok: Date.now } as never)).rejects.toThrow('did you mean "clock"?')
  })

  it('leaves the gates of any other front as they are', () => {
    const gate: Gate = () => undefined
    const observer = { watch: () => [], refused: () => undefined }
    const gatesWith = (options?: MountsOptions) => {
      const mounts = new Mounts(() => undefined, options)
      const making: MountMaking = { name: 'webApps', make: (other) => other.webApps() }
      return findGateRow(mounts.add(making, parseConfig({}), () => [gate], passToNext))!.gates
    }
    expect(gatesWith()).toContain(gate)
    expect(gatesWith({ observer })).not.toContain(gate)
  })

  it('is refused in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    onTestFinished(() => void vi.unstubAllEnvs())
    await expect(createTestSecurity()).rejects.toThrow('must not be loaded under NODE_ENV=production')
  })

  it('cannot even be loaded in production', { timeout: 120_000 }, async () => {
    const script =
      "import('sallyport/testing').then(() => console.log('loaded'), (error) => console.log(error.message))"
    const loadIn = (mode: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = {
          cwd: fileURLToPath(new URL('../..', import.meta.url)),
          env: { ...process.env, NODE_ENV: mode },
        }
        const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
        execFile(process.execPath, args, options, (error, output) => (error === null ? resolve(output) : reject(error)))
      })
    expect(await loadIn('production')).toContain('must not be loaded under NODE_ENV=production')
    expect(await loadIn('test')).toContain('loaded')
  })
})

describe('the decisions of a front for tests', () => {
  const text = `[management_api.authorization_handler]
enable = true

[[management_api.authorization_handler.resources]]
path = "/apis"

[portal.shop]

[[internal_apis.users]]
user.name = "admin"
user.password = "$env{NOT_SET}"
`

  async function startFile() {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'deployment.toml')
    await writeFile(file, text)
    return { file, ...(await start(file)) }
  }

  it('name the rule of a refusal, and its line', async () => {
    const { security, app, file } = await startFile()
    const alice = await security.signedIn('alice')
    await request(app).get('/management/apis?token=hidden').set(alice).expect(403)
    expect(security.decisions).toEqual([
      {
        mount: 'managementApi',
        method: 'GET',
        path: '/management/apis',
        outcome: 'refused',
        status: 403,
        code: 'ERR_ADMIN_REQUIRED',
        rule: 'management_api.authorization_handler.resources[0]',
        position: expect.objectContaining({ file, line: 4 }),
        subject: 'alice',
      },
    ])
  })

  it('name the rule that was passed', async () => {
    const { security, app } = await startFile()
    await request(app)
      .get('/management/apis')
      .set(await security.signedIn('root', { isAdmin: true }))
      .expect(200)
    expect(security.decisions).toMatchObject([
      {
        outcome: 'passed',
        status: undefined,
        rule: 'management_api.authorization_handler.resources[0]',
        subject: 'root',
      },
    ])
  })

  it('are one for each mount that a request meets, each with its own rule', async () => {
    const { security } = await start()
    const app = express()
    app.use('/both', security.managementApi(), security.portal('shop'), (_request, response) => response.send('in'))
    const alice = await security.signedIn('alice', { roles: ['creator'] })
    await request(app).get('/both/apis').set(alice).expect(200)
    expect(security.decisions).toMatchObject([
      { mount: 'managementApi', outcome: 'passed', rule: 'management_api.authorization_handler.resources[0]' },
      { mount: 'portal shop', outcome: 'passed', rule: undefined },
    ])
  })

  it('include what a mount answers, and refused logins', async () => {
    const { security, app } = await start()
    await request(app).get('/shop/basket').set('Accept', 'text/html').expect(303)
    await request(app).get('/management/login').auth('nobody', 'a password').expect(401)
    await request(app).get('/management/jwks').expect(200)
    expect(security.decisions.map(({ mount, outcome, status }) => `${mount} ${outcome} ${status}`)).toEqual([
      'portal shop answered 303',
      'managementApi refused 401',
      'managementApi answered 200',
    ])
    expect(security.decisions[1]).toMatchObject({ code: 'ERR_AUTH_INVALID_CREDENTIALS', subject: undefined })
  })

  it('go on after a reload, and can be forgotten', async () => {
    const { security, app } = await start()
    await request(app).get('/management/apis').expect(401)
    security.decisions.length = 0
    await security.reload(document)
    await request(app).get('/management/apis').expect(401)
    expect(security.decisions).toHaveLength(1)
  })
})
