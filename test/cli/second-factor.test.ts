import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqlDatabase } from '../../lib/sql/open-sql-database.js'
import { hasTable } from '../../lib/sql/sql-database.js'
import { insertWso2User, startWso2, wso2Tables } from '../users/sql/wso2-tables.js'
import { openShell, type Shell } from './run-command.js'

const key = 'key = "a key of at least thirty-two characters"'
const ownTable = 'sallyport_second_factor'

interface Place {
  readonly shell: Shell
  readonly url: string
  run(line: string, input?: string): ReturnType<Shell['run']>
  hasTable(name: string): Promise<boolean>
}

/** A configuration of users in a database of SQLite. */
function openPlace(tables: string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-factor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'deployment.toml')
  const url = `jdbc:sqlite:${join(folder, 'users.db')}`
  const lines = [
    '[internal_apis.file_user_store]',
    'enable = false',
    '[user_store]',
    'type = "database"',
    '[[datasource]]',
    'id = "WSO2CarbonDB"',
    `url = "${url}"`,
    tables,
  ]
  writeFileSync(path, lines.join('\n'))
  const shell = openShell()
  return {
    shell,
    url,
    run: (line, input) => shell.run([...line.split(' '), '--config', path], input === undefined ? {} : { input }),
    async hasTable(name) {
      const database = await openSqlDatabase({ url })
      return hasTable(database, name).finally(() => database.close())
    },
  }
}

async function makeWso2(url: string): Promise<void> {
  const database = await openSqlDatabase({ url })
  for (const statement of wso2Tables('sqlite')) await database.query(statement)
  await startWso2((sql, parameters) => database.query(sql, parameters))
  await insertWso2User((sql, parameters) => database.query(sql, parameters), 'sqlite', {
    name: 'alice',
    password: 'alice-secret',
  })
  await database.close()
}

describe('sallyport users init', () => {
  it("makes the table of second factors beside WSO2's tables, as often as it is asked to", async () => {
    const place = openPlace(`[second_factor]\n${key}`)
    await makeWso2(place.url)
    for (const time of ['first', 'second']) {
      const outcome = await place.run('users init')
      expect([time, outcome]).toEqual([time, { code: 0, stdout: 'The tables are there.\n', stderr: '' }])
    }
    expect([await place.hasTable(ownTable), await place.hasTable('sallyport_user')]).toEqual([true, false])
    expect(await place.run('users totp alice --setup')).toMatchObject({ code: 0 })
  })

  it("changes nothing beside WSO2's tables where nothing asks for second factors", async () => {
    const place = openPlace('')
    await makeWso2(place.url)
    const { code, stderr } = await place.run('users init')
    expect([code, stderr]).toEqual([1, expect.stringContaining('has the users of WSO2 already')])
    expect(await place.hasTable(ownTable)).toBe(false)
  })

  it('makes it with the tables of an empty database', async () => {
    const place = openPlace(`[second_factor]\n${key}`)
    expect((await place.run('users init')).code).toBe(0)
    expect([await place.hasTable(ownTable), await place.hasTable('sallyport_user')]).toEqual([true, true])
  })
})

describe('sallyport users totp', () => {
  it('ends no second factor: the operator has to remove it first', async () => {
    const place = openPlace(`[second_factor]\n${key}`)
    await place.run('users init')
    await place.run('users add alice', 'Correct-horse-1')
    const record = async (): Promise<unknown> => {
      const database = await openSqlDatabase({ url: place.url })
      return database.query(`SELECT version, record FROM ${ownTable}`).finally(() => database.close())
    }
    // Another setup code takes the place of the first.
    for (let time = 0; time < 2; time++) expect((await place.run('users totp alice --setup')).code).toBe(0)
    expect((await place.run('users totp alice')).code).toBe(0)
    const before = await record()
    for (const command of ['users totp alice --setup', 'users totp alice']) {
      expect(await place.run(command)).toEqual({
        code: 1,
        stdout: '',
        stderr: 'alice has a second factor, which this would end: run "users totp alice --remove" first.\n',
      })
    }
    expect(await record()).toEqual(before)
    expect((await place.run('users totp alice --remove')).code).toBe(0)
    expect((await place.run('users totp alice --setup')).code).toBe(0)
  })
})

describe('sallyport users remove', () => {
  it('forgets the second factor: a user of the same name, later, has none', async () => {
    const place = openPlace(`[second_factor]\n${key}`)
    await place.run('users init')
    await place.run('users add root --admin', 'Correct-horse-1')
    await place.run('users add alice', 'Correct-horse-1')
    expect((await place.run('users totp alice')).code).toBe(0)
    const count = async (): Promise<number> => {
      const database = await openSqlDatabase({ url: place.url })
      const rows = await database.query(`SELECT user_key FROM ${ownTable}`).finally(() => database.close())
      return rows.length
    }
    expect(await count()).toBe(1)
    // However the name is written, and enabled or not.
    expect((await place.run('users disable alice')).code).toBe(0)
    expect(await place.run('users remove ALICE')).toMatchObject({ code: 0, stdout: 'Removed ALICE.\n' })
    expect(await count()).toBe(0)
  })

  it('says so where the second factor cannot be forgotten', async () => {
    const place = openPlace(`[second_factor]\n${key}`)
    await place.run('users init')
    await place.run('users add alice', 'Correct-horse-1')
    const database = await openSqlDatabase({ url: place.url })
    await database.query(`DROP TABLE ${ownTable}`)
    await database.query(`CREATE TABLE ${ownTable} (other INTEGER)`)
    await database.close()
    const { code, stderr } = await place.run('users remove alice')
    expect([code, stderr]).toEqual([1, expect.stringContaining('its second factor is still there')])
  })

  it('needs no table of second factors', async () => {
    const place = openPlace('')
    await place.run('users init')
    await place.run('users add alice', 'Correct-horse-1')
    const database = await openSqlDatabase({ url: place.url })
    await database.query(`DROP TABLE ${ownTable}`)
    await database.close()
    expect(await place.run('users remove alice')).toMatchObject({ code: 0 })
  })
})
