import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../lib/core/errors.js'
import { readJdbcUrl } from '../../lib/sql/jdbc-url.js'

let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-jdbc-'))
  writeFileSync(join(home, 'ca.pem'), 'certificates')
})

afterAll(() => rmSync(home, { recursive: true }))

const read = (url: string): ReturnType<typeof readJdbcUrl> => readJdbcUrl(url, { home })

describe('a JDBC URL', () => {
  it.each([
    ['jdbc:postgresql://db.example:5433/users', 'postgresql', 'db.example', 5433, 'users'],
    ['jdbc:postgresql://db.example/users', 'postgresql', 'db.example', 5432, 'users'],
    ['jdbc:postgresql://db.example', 'postgresql', 'db.example', 5432, ''],
    ['jdbc:postgresql:users', 'postgresql', 'localhost', 5432, 'users'],
    ['jdbc:postgresql:///users', 'postgresql', 'localhost', 5432, 'users'],
    ['jdbc:postgresql://[::1]:5432/users', 'postgresql', '::1', 5432, 'users'],
    [
      'jdbc:mysql://localhost:3306/userdb?useSSL=false&amp;allowPublicKeyRetrieval=true',
      'mysql',
      'localhost',
      3306,
      'userdb',
    ],
    ['jdbc:mariadb://10.0.0.1/users', 'mysql', '10.0.0.1', 3306, 'users'],
    ['JDBC:MySQL://db/my%20users', 'mysql', 'db', 3306, 'my users'],
    [' jdbc:mysql://db/users%zz ', 'mysql', 'db', 3306, 'users%zz'],
  ])('%s names a server', (url, dialect, host, port, database) => {
    expect(read(url)).toMatchObject({ dialect, server: { host, port, database } })
  })

  it.each([
    ['jdbc:sqlite:./users.db', 'users.db'],
    ['jdbc:sqlite:users.db?cache=shared', 'users.db'],
    ['jdbc:sqlite:file:users.db', 'users.db'],
  ])('%s names a file in the home folder', (url, file) => {
    expect(read(url)).toEqual({ dialect: 'sqlite', file: join(home, file), warnings: [] })
  })

  it('names a database in memory', () => {
    expect(read('jdbc:sqlite::memory:')).toMatchObject({ file: ':memory:' })
  })

  it('has a user, a password and a schema; keys of the datasource win', () => {
    const url = 'jdbc:postgresql://db/users?user=u&amp;password=p%26q&currentSchema=wso2'
    expect(read(url)).toMatchObject({ server: { user: 'u', password: 'p&q', schema: 'wso2' } })
    expect(readJdbcUrl(url, { home, username: 'v', password: 'w' })).toMatchObject({
      server: { user: 'v', password: 'w' },
    })
  })

  it.each([
    ['jdbc:sqlserver://db:1433;databaseName=users', /Microsoft SQL Server is not supported/],
    ['jdbc:oracle:thin:@db:1521/users', /Oracle is not supported/],
    ['jdbc:db2://db/users', /IBM DB2 is not supported/],
    ['jdbc:h2:./users', /H2 is not supported/],
    ['jdbc:constructor://db/users', /no known database/],
    ['postgresql://db/users', /must begin with jdbc:/],
    ['', /must begin with jdbc:/],
    ['jdbc:mysql://one,two/users', /with one host/],
    ['jdbc:mysql:loadbalance://one/users', /with one host/],
    ['jdbc:mysql://root:hidden@db/users', /with one host/],
    ['jdbc:mysql://db:0/users', /port from 1 to 65535/],
    ['jdbc:mysql://db:65536/users', /port from 1 to 65535/],
    ['jdbc:mysql://10.0.0.1/users?useSSL=true', /must name the host/],
    ['jdbc:mariadb://[::1]/users?sslMode=VERIFY_IDENTITY', /must name the host/],
    ['jdbc:sqlite:', /must name a file/],
    ['jdbc:postgresql://db/users?ssl=true&sslrootcert=missing.pem', /missing\.pem as certificates/],
  ])('%s is refused', (url, message) => {
    expect(() => read(url)).toThrow(ConfigError)
    expect(() => read(url)).toThrow(message)
    expect(() => read(url)).not.toThrow(/hidden/)
  })

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom('jdbc:mysql:', 'jdbc:postgresql://', 'jdbc:', ''), fc.string(), (start, rest) => {
        try {
          expect(read(start + rest).dialect).toMatch(/./)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
    )
  })
})

describe('TLS', () => {
  const verified = { rejectUnauthorized: true, verifiesHost: true }
  const chainOnly = { rejectUnauthorized: true, verifiesHost: false }
  const unverified = { rejectUnauthorized: false, verifiesHost: false }

  it.each([
    ['postgresql', '', undefined],
    ['postgresql', 'sslmode=disable', undefined],
    ['postgresql', 'sslmode=prefer', undefined],
    ['postgresql', 'sslmode=allow', undefined],
    ['postgresql', 'ssl=true', verified],
    ['postgresql', 'ssl', verified],
    ['postgresql', 'ssl=false', undefined],
    ['postgresql', 'sslmode=require', verified],
    ['postgresql', 'sslMode=VERIFY-FULL', verified],
    ['postgresql', 'sslmode=verify-ca', chainOnly],
    ['postgresql', 'sslmode=something', verified],
    ['postgresql', 'sslmode=constructor', verified],
    ['postgresql', 'ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory', unverified],
    ['postgresql', 'sslfactory=org.postgresql.ssl.NonValidatingFactory', undefined],
    ['mysql', 'useSSL=true', verified],
    ['mysql', 'useSSL=TRUE&amp;requireSSL=true', verified],
    ['mysql', 'requireSSL=true', verified],
    ['mysql', 'useSSL=false', undefined],
    ['mysql', 'sslMode=PREFERRED', undefined],
    ['mysql', 'sslMode=REQUIRED', verified],
    ['mysql', 'sslMode=VERIFY_CA', chainOnly],
    ['mysql', 'sslMode=VERIFY_IDENTITY', verified],
    ['mysql', 'useSSL=true&verifyServerCertificate=false', unverified],
    ['mariadb', 'sslMode=trust', unverified],
    ['mariadb', 'useSsl=true&trustServerCertificate=true', unverified],
    ['mariadb', 'sslMode=verify-full', verified],
  ])('in jdbc:%s with %j is %j', (kind, parameters, tls) => {
    expect(read(`jdbc:${kind}://db.example/users?${parameters}`)).toMatchObject({ server: { tls } })
  })

  it.each([
    ['jdbc:postgresql://db.example/u?sslmode=verify-full', 0],
    ['jdbc:postgresql://localhost/u', 0],
    ['jdbc:mysql://127.0.0.1/u', 0],
    ['jdbc:postgresql://db.example/u', 1],
    ['jdbc:postgresql://db.example/u?sslmode=prefer', 1],
    ['jdbc:postgresql://db.example/u?sslmode=verify-ca', 1],
    ['jdbc:mariadb://db.example/u?sslMode=trust', 1],
  ])('warns for %s %i times', (url, count) => {
    expect(read(url).warnings).toHaveLength(count)
  })

  it.each([
    'jdbc:postgresql://db/u?ssl=true&sslrootcert=ca.pem',
    'jdbc:mariadb://db/u?useSSL=true&serverSslCert=ca.pem',
  ])('trusts the certificates that %s names', (url) => {
    expect(read(url)).toMatchObject({ server: { tls: { ...verified, ca: 'certificates' } } })
  })
})
