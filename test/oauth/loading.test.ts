import { readFileSync } from 'node:fs'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../../lib/config.js'
import { ConfigError, createSecurity } from '../../lib/index.js'
import { createAccounts, createAuthenticator, fileUserStore, MemoryTokenStore } from '../../lib/middleware.js'
import { loadOidcProvider } from '../../lib/oauth/authorization-server.js'
import { authorizationServer } from '../../lib/oauth.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { issuer, oauthFront, passwords, providers, sendTo } from './front.js'

const users = [{ user: { name: 'alice', password: passwords.alice } }]
const source = { internal_apis: { users }, oauth: { enable: true, issuer, service_provider: providers } }

afterEach(() => {
  vi.doUnmock('oidc-provider')
  vi.resetModules()
})

describe('without [oauth]', () => {
  it('there is nothing to mount', async () => {
    const security = await createSecurity({ internal_apis: { users } }, { logger: recordedLog().logger })
    expect(() => security.oauth()).toThrow(
      new ConfigError([{ key: 'oauth.enable', rule: 'must be true for security.oauth()' }]),
    )
    await security.close()
  })

  it('nothing of oidc-provider is loaded', async () => {
    const load = vi.fn(() => ({}))
    vi.doMock('oidc-provider', load)
    vi.resetModules()
    const { createSecurity: create } = await import('../../lib/index.js')
    const security = await create({ internal_apis: { users } }, { logger: recordedLog().logger })
    expect(load).not.toHaveBeenCalled()
    await security.close()
  })
})

describe('with [oauth]', () => {
  it('says which package is missing', async () => {
    // What Node's own error has; the one of a mock would be wrapped.
    const missing = Object.assign(new Error("Cannot find package 'oidc-provider'"), { code: 'ERR_MODULE_NOT_FOUND' })
    const load = loadOidcProvider(() => Promise.reject(missing))
    const error: unknown = await load.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).code).toBe('ERR_CONFIG_MISSING_PACKAGE')
    expect((error as ConfigError).message).toBe(
      'oauth.enable: needs an optional package; run: npm install oidc-provider@9',
    )
  })

  it('does not take another fault for a package that is missing', async () => {
    const load = loadOidcProvider(() => Promise.reject(new Error('broken')))
    await expect(load).rejects.toThrow('broken')
  })

  it('leaves the console as it is, while the package is loaded and afterwards, however many load it at a time', async () => {
    const before = { ...console }
    const whileLoading: object[] = []
    const load = async () => {
      whileLoading.push({ ...console })
      await new Promise(setImmediate)
      return {} as never
    }
    await Promise.all([loadOidcProvider(load), loadOidcProvider(load)])
    expect([...whileLoading, { ...console }]).toEqual([before, before, before])
  })

  it('createServer wants it mounted', async () => {
    const security = await createSecurity(source, { logger: recordedLog().logger })
    expect(() => security.createServer(express(), { protocol: 'http' })).toThrow(
      'oauth.enable: is switched on, but nothing enforces it: mount security.oauth()',
    )
    const app = express()
    app.use('/oauth2', security.oauth())
    security.createServer(app, { protocol: 'http' })
    await security.close()
  })

  it('changes wait for the next start, and a warning says so', async () => {
    const front = await oauthFront()
    await front.security.reload({ ...source, oauth: { ...source.oauth, max_tokens: 5 } })
    expect(front.log.lines.join()).toContain('oauth: the change takes effect at the next start')
    expect((await front.send('/oauth2/jwks')).status).toBe(200)
  })

  it('works by hand as well', async () => {
    const { oauth } = parseConfig(source)
    const store = new MemoryTokenStore()
    const userStore = await fileUserStore({ users: [{ name: 'alice', password: passwords.alice }] } as never)
    const { logger } = recordedLog()
    const { handler, singleSignOn, close } = await authorizationServer({
      oauth: oauth!,
      store,
      accounts: createAccounts({ users: userStore }),
      authenticator: createAuthenticator({ users: userStore }),
      logger,
    })
    const app = express()
    app.use('/oauth2', handler)
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect((await sendTo(port, '/oauth2/jwks')).status).toBe(200)
    expect(singleSignOn.find).toBeTypeOf('function')
    server.close()
    server.closeAllConnections()
    await close()
  })
})

// Covers: G16
it('asks for a release of oidc-provider with exact comparisons, and has one', () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
  expect(read('package.json').peerDependencies['oidc-provider']).toBe('^9.11.4')
  const [, minor = 0, patch = 0] = String(read('node_modules/oidc-provider/package.json').version)
    .split('.')
    .map(Number)
  expect(minor * 1000 + patch).toBeGreaterThanOrEqual(11_004)
})
