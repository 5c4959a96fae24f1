import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSqlDatabase } from '../../../lib/sql.js'
import { basic, startFront } from '../../helpers/front.js'
import { oneSetUp } from '../../helpers/set-ups.js'
import { ask, deploymentWith, expectFailClosed, otherProgram, root, usersRound } from './users-round.js'

const tables = `
[user_store]
type = "database"

[[datasource]]
id = "WSO2CarbonDB"
url = "jdbc:sqlite:./data/users.db"
`

async function emptyDeployment(more = ''): Promise<string> {
  const path = await deploymentWith(`${tables}\n${more}`)
  await mkdir(join(dirname(path), 'data'))
  return path
}

async function deployment(): Promise<string> {
  const path = await emptyDeployment()
  const { init, store } = await otherProgram(path)
  await init!()
  await store.add({ ...root, isAdmin: true })
  return path
}

describe('users from SQLite, named by a TOML file', () => {
  usersRound(deployment)

  it('let nobody in while the database is broken', async () => {
    const path = await deployment()
    const database = await openSqlDatabase({ url: `jdbc:sqlite:${join(dirname(path), 'data/users.db')}` })
    const rename = (from: string, to: string) => async () => {
      await database.query(`ALTER TABLE ${from} RENAME TO ${to}`)
    }
    await expectFailClosed(path, rename('sallyport_user', 'gone'), rename('gone', 'sallyport_user'))
    await database.close()
  })

  it('give 503 at the login of a database without tables, and log in once there are some', async () => {
    const path = await emptyDeployment()
    const front = await startFront(oneSetUp, { source: path })
    expect((await front.call('GET', '/login', [basic(root.name, root.password)])).status).toBe(503)
    const { init, store } = await otherProgram(path)
    await init!()
    await store.add({ ...root, isAdmin: true })
    expect(await front.login(root)).toMatch(/./)
  })

  it('make a start without an administrator say so, until there is one', async () => {
    const path = await emptyDeployment()
    const { init, store } = await otherProgram(path)
    await init!()
    const warned = async (): Promise<readonly string[]> => {
      const front = await startFront(oneSetUp, { source: path })
      // The check has one connection, as the login has, and asked first.
      await front.call('GET', '/login', [basic(root.name, root.password)])
      return front.entries.map(({ message }) => message).filter((text) => text.includes('there is no administrator'))
    }
    expect(await warned()).toEqual([expect.stringContaining('sallyport users add NAME --admin')])
    await store.add({ name: 'bob', password: 'Bob-password-3', isAdmin: false })
    expect(await warned()).toHaveLength(1)
    await store.add({ ...root, isAdmin: true })
    expect(await warned()).toEqual([])
  })

  it('may be in several databases, each with a domain', async () => {
    const more = `
      [[user_store.secondary]]
      domain_name = "sales"
      type = "database"
      data_source = "SALES"

      [[datasource]]
      id = "SALES"
      url = "jdbc:sqlite:./data/sales.db"
    `
    const path = await emptyDeployment(more)
    const { init, store } = await otherProgram(path)
    await init!()
    await store.add({ ...root, isAdmin: true })
    const front = await startFront(oneSetUp, { source: path })
    const admin = await front.login(root)
    const carol = { userId: 'carol', password: root.password, domain: 'SALES' }
    expect((await ask(front, admin, 'POST', '/users', carol)).status).toBe(200)
    expect((await ask(front, admin, 'GET', '/users')).json()).toEqual({
      count: 2,
      list: [{ userId: 'SALES/carol' }, { userId: 'root' }],
    })
    const token = await front.login({ name: 'carol', password: root.password })
    const answer = await ask(front, token, 'GET', '/whoami')
    expect(answer.json()).toMatchObject({ auth: { subject: 'SALES/carol', isAdmin: false } })
  })

  it('change with a restart, and a reload says so', async () => {
    const path = await deployment()
    const front = await startFront(oneSetUp, { source: path })
    const other = await deploymentWith(tables.replace('users.db', 'other.db'))
    const warnings = () =>
      front.entries.filter(({ message }) => message === 'user_store: the change takes effect at the next start')
    await front.security.reload(path)
    expect(warnings()).toHaveLength(0)
    await front.security.reload(other)
    await front.security.reload({})
    expect(warnings()).toHaveLength(2)
    expect(await front.login(root)).toMatch(/./)
  })
})
