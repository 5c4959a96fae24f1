import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import type { SecurityOptions } from '../../../lib/app/security-options.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { basic, document, fileUser, startFront, users } from '../../helpers/front.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { serverSetUps } from '../../helpers/set-ups.js'

describe.each(serverSetUps)('request.auth that another package has set, on $name', (setUp) => {
  it('opens nothing while authentication is off', async () => {
    const front = await startFront(setUp, {
      source: document({ jwt: { enable: false } }),
      prepare: (app) => {
        app.use((request, _response, next) => {
          ;(request as { auth?: unknown }).auth = { isAdmin: true, roles: ['admin'] }
          next()
        })
      },
    })
    expect((await front.call('GET', '/users')).status).toBe(403)
    expect((await front.call('GET', '/whoami')).status).not.toBe(403)
  })
})

describe('reload', () => {
  it('keeps the configuration of the last call, whichever is read faster', async () => {
    const front = await startFront()
    const without = document({ internalApis: { users: [fileUser('root', 'Root-password-9', { is_admin: true })] } })
    await Promise.all([front.security.reload(document()), front.security.reload(without)])
    const { name, password } = users.admin
    expect((await front.call('GET', '/login', [basic(name, password)])).status).toBe(401)
    expect((await front.call('GET', '/login', [basic('root', 'Root-password-9')])).status).toBe(200)
  })

  it('goes on after a call that failed', async () => {
    const front = await startFront()
    const broken = front.security.reload({ management_api: { protocols: 'gopher' } })
    const good = front.security.reload(document({ managementApi: { default_policy: undefined } }))
    await expect(broken).rejects.toBeInstanceOf(ConfigError)
    await good
  })

  it('gives a mount that is made meanwhile its gates as well', async () => {
    const { logger } = recordedLog()
    const security = await createSecurity(document(), { logger })
    const reloading = security.reload(document())
    const app = express()
    app.use('/late', security.managementApi())
    await reloading
    const server = security.createServer(app).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect((await fetch(`http://127.0.0.1:${port}/late/apis`)).status).toBe(401)
    server.close()
    server.closeAllConnections()
    await security.close()
  })
})

describe('options of createSecurity', () => {
  it.each([
    [{ userstore: {} }, 'createSecurity has no option "userstore"; did you mean "userStore"?'],
    [{ userStore: { find() {} } }, 'the option "userStore" must have a method authenticate()'],
    [{ tokenStore: {} }, 'the option "tokenStore" must have a method find()'],
    [{ logger: { info() {} } }, 'the option "logger" must have a method warn()'],
  ])('%j are refused', async (options, message) => {
    await expect(createSecurity(document(), options as never as SecurityOptions)).rejects.toThrow(
      new TypeError(message),
    )
  })

  it('env for placeholders does not switch the check for production off', async () => {
    const before = process.env['NODE_ENV']
    process.env['NODE_ENV'] = 'production'
    try {
      const source = document({ internalApis: { users: [fileUser('admin', 'admin', { is_admin: true })] } })
      await expect(createSecurity(source, { env: {}, logger: recordedLog().logger })).rejects.toBeInstanceOf(
        ConfigError,
      )
    } finally {
      process.env['NODE_ENV'] = before
    }
  })
})

describe('unlock', () => {
  it('ends the lock of a user', async () => {
    const front = await startFront()
    const { name, password } = users.admin
    for (let failure = 0; failure < 5; failure++) await front.call('GET', '/login', [basic(name, 'a-wrong-password')])
    expect((await front.call('GET', '/login', [basic(name, password)])).status).toBe(429)
    await front.security.unlock(name)
    expect((await front.call('GET', '/login', [basic(name, password)])).status).toBe(200)
  })
})

describe('a fault of a user store', () => {
  it('is in the log with its reason, though the client is told nothing', async () => {
    const userStore = {
      authenticate: () => Promise.reject(new TypeError('the column is not there')),
      find: () => undefined,
      close() {},
    }
    const front = await startFront(undefined, { options: { userStore } })
    const answer = await front.call('GET', '/login', [basic('alice', 'A-password-7')])
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('column')
    const faults = front.entries.filter(({ level }) => level === 'error').map(({ fields }) => fields['cause'])
    expect(faults).toContainEqual(expect.objectContaining({ message: 'the column is not there' }))
  })
})

describe('a file that allows https only', () => {
  it('is served over TLS, and in the clear only on demand', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-https-only-'))
    const { logger } = recordedLog()
    const security = await createSecurity(document({ managementApi: { protocols: 'https' } }), { logger, home })
    security.managementApi()
    expect(security.createServer(express())).toBeInstanceOf(https.Server)
    expect(security.createServer(express(), { protocol: 'http' })).toBeInstanceOf(http.Server)
    await security.close()
    rmSync(home, { recursive: true })
  })
})
