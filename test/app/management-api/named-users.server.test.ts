import { afterAll, beforeAll, describe, it } from 'vitest'
import { type MariadbServer, mariadbPassword, mariadbUser, startMariadb } from '../../helpers/mariadb.js'
import { type PostgresqlServer, postgresqlUser, startPostgresql } from '../../helpers/postgresql.js'
import { folderEntry, groupEntry, type Slapd, service, startSlapd, suffix, userEntry } from '../../helpers/slapd.js'
import { deploymentWith, expectFailClosed, otherProgram, root, usersRound } from './users-round.js'

describe('users from PostgreSQL, named by a TOML file', () => {
  let server: PostgresqlServer
  let databases = 0

  beforeAll(async () => {
    server = await startPostgresql()
  })

  afterAll(() => server.stop())

  async function deployment(): Promise<string> {
    const url = await server.createDatabase(`users${databases++}`)
    const path = await deploymentWith(`
      [user_store]
      type = "database"

      [realm_manager]
      data_source = "USERS"

      [[datasource]]
      id = "USERS"
      url = "${url}?sslmode=disable&amp;ApplicationName=test"
      username = "${postgresqlUser}"
      pool_options.maxActive = "4"
    `)
    const { init, store } = await otherProgram(path)
    await init!()
    await store.add({ ...root, isAdmin: true })
    return path
  }

  usersRound(deployment)

  it('let nobody in while the database is down', async () => {
    const path = await deployment()
    await expectFailClosed(
      path,
      () => server.signal('SIGINT'),
      () => server.start(),
    )
  })
})

describe('users from MariaDB, named by a TOML file', () => {
  let server: MariadbServer
  let databases = 0

  beforeAll(async () => {
    server = await startMariadb()
  })

  afterAll(() => server.stop())

  async function deployment(): Promise<string> {
    const url = await server.createDatabase(`users${databases++}`)
    const path = await deploymentWith(`
      [user_store]
      type = "database"

      [[datasource]]
      id = "WSO2CarbonDB"
      url = "${url}?useSSL=false&amp;autoReconnect=true"
      username = "${mariadbUser}"
      password = "${mariadbPassword}"
      driver = "org.mariadb.jdbc.Driver"
      pool_options.maxActive = 4
    `)
    const { init, store } = await otherProgram(path)
    await init!()
    await store.add({ ...root, isAdmin: true })
    return path
  }

  usersRound(deployment)

  it('let nobody in while the database is down', async () => {
    const path = await deployment()
    await expectFailClosed(
      path,
      () => server.signal('SIGTERM'),
      () => server.start(),
    )
  })
})

describe('users from a directory, named by a TOML file', () => {
  const branches = 8
  const branchOf = (number: number): string => `ou=t${number},${suffix}`
  let server: Slapd
  let next = 0

  beforeAll(async () => {
    const entries = Array.from({ length: branches }, (_, number) => {
      const base = branchOf(number)
      const user = userEntry(root.name, root.password, `ou=Users,${base}`)
      const folders = [base, `ou=Users,${base}`, `ou=Groups,${base}`].map(folderEntry)
      return [...folders, user, groupEntry('admin', [user[0]], `ou=Groups,${base}`)]
    })
    server = await startSlapd({ entries: entries.flat() })
  })

  afterAll(() => server.stop())

  const deployment = (): Promise<string> =>
    deploymentWith(`
      [user_store]
      type = "read_write_ldap"
      connection_url = "${server.url}"
      connection_name = "${service.dn}"
      connection_password = "${service.password}"
      base_dn = "${branchOf(next++)}"
      user_name_list_filter = "(&amp;(objectClass=person)(uid=*))"

      [user_store.properties]
      ReadTimeout = "20000"
    `)

  usersRound(deployment)

  it('let nobody in while the directory is down', async () => {
    await expectFailClosed(
      await deployment(),
      () => server.signal('SIGINT'),
      () => server.start(),
    )
  })
})
