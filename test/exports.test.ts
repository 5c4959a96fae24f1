import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: Readonly<Record<string, string>>
}

it('exports exactly these names from sallyport', async () => {
  expect(Object.keys(await import('../lib/index.js')).sort()).toEqual(
    [
      'BadRequestError',
      'ConfigError',
      'ForbiddenError',
      'HttpError',
      'StoreError',
      'TooManyRequestsError',
      'UnauthorizedError',
      'UnavailableError',
      'UserChangeError',
      'createSecurity',
      'getExpiry',
      'getAuth',
      'hashPassword',
      'isManagedUserStore',
      'jsonLogger',
    ].sort(),
  )
})

it('exports exactly these names from sallyport/middleware', async () => {
  expect(Object.keys(await import('../lib/middleware.js')).sort()).toEqual(
    [
      'MemoryTokenStore',
      'SecurityEvents',
      'basicAuthentication',
      'basicLogin',
      'bearerAuthentication',
      'corsPolicy',
      'createAccounts',
      'createAuthCore',
      'createAuthenticator',
      'createKeyRing',
      'createLoginThrottle',
      'createSessions',
      'createTokens',
      'errorResponses',
      'fileUserStore',
      'ipAllowList',
      'logout',
      'pathAuthorization',
      'portalSession',
      'readOnlyUsers',
      'requestUser',
    ].sort(),
  )
})

it('exports exactly these names from sallyport/config', async () => {
  expect(Object.keys(await import('../lib/config.js')).sort()).toEqual(['loadConfig', 'parseConfig'].sort())
})

it('exports exactly these names from sallyport/redis', async () => {
  expect(Object.keys(await import('../lib/redis.js')).sort()).toEqual(
    ['RedisLink', 'RedisTokenStore', 'createRedisThrottle', 'openAt', 'openLike'].sort(),
  )
})

it('exports exactly these names from sallyport/sql', async () => {
  expect(Object.keys(await import('../lib/sql.js')).sort()).toEqual(
    [
      'SqlLink',
      'SqlTokenStore',
      'createSqlThrottle',
      'initSchema',
      'initSharedTables',
      'openSqlDatabase',
      'sqlUserStore',
    ].sort(),
  )
})

it('exports exactly these names from sallyport/tls', async () => {
  expect(Object.keys(await import('../lib/tls.js')).sort()).toEqual(['loadKeyStore', 'loadTrustStore'].sort())
})

it('exports exactly these names from sallyport/testing', async () => {
  expect(Object.keys(await import('../lib/testing.js')).sort()).toEqual(
    ['createRecord', 'createTestSecurity', 'expectProtected', 'listRoutes', 'tokenStoreContract', 'watchRoutes'].sort(),
  )
})

it('exports exactly these names from sallyport/ldap', async () => {
  expect(Object.keys(await import('../lib/ldap.js')).sort()).toEqual(['LdapError', 'ldapUserStore'].sort())
})

it('exports exactly these names from sallyport/oauth', async () => {
  expect(Object.keys(await import('../lib/oauth.js')).sort()).toEqual(['authorizationServer'].sort())
})

it('exports nothing from sallyport/express at run time', async () => {
  expect(Object.keys(await import('../lib/express.js'))).toEqual([])
})

it('has a source for every file that exports and bin of package.json name', () => {
  const built = [...Object.values(manifest.exports).flatMap(targetsOf), ...Object.values(manifest.bin)]
    .map((target) => target.replace(/^\.\//, ''))
    .filter((target) => target.startsWith('dist/'))
    // Written from lib/config/json-schema.ts.
    .filter((target) => target !== 'dist/deployment.schema.json')
  expect(built).toContain('dist/index.d.ts')

  const sources = built.map((target) => target.replace(/^dist\//, 'lib/').replace(/(\.d\.ts|\.js)$/, '.ts'))
  expect(sources.filter((source) => !existsSync(new URL(source, root)))).toEqual([])
})

function targetsOf(target: string | Readonly<Record<string, string>>): readonly string[] {
  return typeof target === 'string' ? [target] : Object.values(target)
}
