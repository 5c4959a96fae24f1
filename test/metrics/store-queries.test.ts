import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { LdapError, ldapUserStore } from '../../lib/ldap.js'
import { openSqlDatabase } from '../../lib/sql.js'
import { deploymentWith, otherProgram, root } from '../app/management-api/users-round.js'
import { basic, bearer, startFront } from '../helpers/front.js'
import { oneSetUp } from '../helpers/set-ups.js'

const tables = `
[user_store]
type = "database"

[[datasource]]
id = "WSO2CarbonDB"
url = "jdbc:sqlite:./data/users.db"
`

async function deployment(): Promise<string> {
  const path = await deploymentWith(tables)
  await mkdir(join(dirname(path), 'data'))
  const { init, store } = await otherProgram(path)
  await init!()
  await store.add({ ...root, isAdmin: true })
  return path
}

const countOf = (text: string, outcome: string): number => {
  const line = `sallyport_store_query_duration_seconds_count{store="PRIMARY",outcome="${outcome}"}`
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.split(' ')
      .at(-1) ?? 0,
  )
}

describe('the queries to a user store', () => {
  it('are measured with their failures, and health tells of a database that is broken', async () => {
    const path = await deployment()
    const front = await startFront(oneSetUp, { source: path })
    const token = await front.login(root)
    const before = countOf(await front.security.metrics(), 'success')
    expect(before).toBeGreaterThan(0)
    expect((await front.call('GET', '/health/ready')).status).toBe(200)
    const answer = await front.call('GET', '/health', [bearer(token)])
    expect(answer.json<{ checks: readonly object[] }>().checks).toContainEqual(
      expect.objectContaining({ name: 'user store PRIMARY', status: 'pass', latencyMs: expect.any(Number) }),
    )
    const database = await openSqlDatabase({ url: `jdbc:sqlite:${join(dirname(path), 'data/users.db')}` })
    await database.transaction(async (query) => {
      await query("UPDATE sallyport_user SET name = name WHERE name = 'nobody'")
      expect((await front.call('GET', '/login', [basic(root.name, 'wrong')])).status).toBe(401)
    })
    await database.close()
    expect(countOf(await front.security.metrics(), 'success')).toBeGreaterThan(before)
    expect(countOf(await front.security.metrics(), 'error')).toBe(0)
  })

  it('count as errors where a directory cannot be reached, and not where it says that a password is wrong', async () => {
    const observe = vi.fn()
    const store = ldapUserStore({
      connectionUrl: 'ldap://127.0.0.1:1',
      connectionName: 'cn=service',
      connectionPassword: 'x',
      userSearchBase: 'ou=users',
      readGroups: false,
      observe,
    })
    await expect(store.ping!()).rejects.toThrow(LdapError)
    expect(observe).toHaveBeenCalledWith(expect.any(Number), expect.any(LdapError))
    store.close()
  })
})
