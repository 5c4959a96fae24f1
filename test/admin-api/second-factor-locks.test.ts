import { setImmediate as turn } from 'node:timers/promises'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig } from '../../lib/config/config.js'
import { parseConfig } from '../../lib/config/parse.js'
import { localValues } from '../../lib/core/shared-values.js'
import { openSqlDatabase } from '../../lib/sql/open-sql-database.js'
import { emptyRecord, type SecondFactorRecord } from '../../lib/users/second-factor/record.js'
import { fileSecondFactors, type SecondFactorStore } from '../../lib/users/second-factor/second-factor-store.js'
import { createSecondFactors, type SecondFactors } from '../../lib/users/second-factor/second-factors.js'
import { loadTotp } from '../../lib/users/second-factor/totp.js'
import {
  codeAt,
  password,
  type SecondFactorFront,
  seed,
  start,
  startSecondFactors,
} from '../helpers/second-factor-front.js'

const users = [{ user: { name: 'alice', password, totp: seed } }, { user: { name: 'root', password, is_admin: true } }]

function logIn(front: SecondFactorFront, name: string, address: string, code = '', typed = password): request.Test {
  const forwarded = { 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https' }
  const call = request(front.app).get('/management/login').auth(name, typed).set(forwarded)
  return code === '' ? call : call.set('X-OTP', code)
}

/** From many addresses: the pair of user and address is not locked. */
async function guess(front: SecondFactorFront, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await logIn(front, 'alice', `203.0.113.${at}`, '000000')
}

/** Asks as an administrator. */
async function asking(front: SecondFactorFront): Promise<(method: 'get' | 'delete', path: string) => Promise<unknown>> {
  const { AccessToken } = (await logIn(front, 'root', '192.0.2.1')).body as { AccessToken: string }
  return async (method, path) => {
    const call = request(front.app)[method](`/management${path}`)
    return (await call.auth(AccessToken, { type: 'bearer' })).body as unknown
  }
}

const lock = (since: number, until: number): object => ({
  scope: 'second-factor',
  user: 'alice',
  address: null,
  since: new Date(since).toISOString(),
  until: new Date(until).toISOString(),
})

describe('the locks of a second factor', () => {
  it.each([
    ['the file', users],
    ['a database', undefined],
  ])('of a user of %s are listed while they hold, and lifted', async (_where, users) => {
    const front = await startSecondFactors({}, users)
    const secret = users === undefined ? (await front.secondFactors.assign('alice')).secret : seed
    const ask = await asking(front)
    await guess(front, 4)
    expect(await ask('get', '/locks')).toEqual({ count: 0, total: 0, list: [] })
    await guess(front, 1)
    expect(await ask('get', '/locks')).toEqual({ count: 1, total: 1, list: [lock(start, start + 60_000)] })
    expect(await front.security.locks()).toMatchObject([{ scope: 'second-factor', subject: 'alice' }])

    front.now += 60_000
    expect(await ask('get', '/locks')).toMatchObject({ total: 0 })
    await guess(front, 5)
    expect(await ask('get', '/locks')).toMatchObject({ list: [lock(start + 60_000, start + 180_000)] })
    expect(await ask('delete', '/locks?user=alice')).toEqual({ user: 'alice', status: 'Lifted' })
    expect(await ask('get', '/locks')).toMatchObject({ total: 0 })
    expect((await logIn(front, 'alice', '192.0.2.1', codeAt(front.now, secret))).status).toBe(200)
  })

  it('are listed beside those of passwords, the latest first', async () => {
    const front = await startSecondFactors({}, users)
    const ask = await asking(front)
    await guess(front, 5)
    front.now += 1000
    for (let at = 0; at < 5; at++) await logIn(front, 'bob', '192.0.2.9', '', 'wrong')
    expect(await ask('get', '/locks')).toMatchObject({
      total: 2,
      list: [
        { scope: 'pair', user: 'bob' },
        { scope: 'second-factor', user: 'alice' },
      ],
    })
  })

  it('that have no end stay in the list of every process that shares its values', async () => {
    let now = start
    const values = localValues()
    const totp = await loadTotp('Sallyport')
    const open = (): SecondFactors =>
      createSecondFactors(
        fileSecondFactors(() => seed, values),
        totp,
        () => now,
        values,
      )
    const [one, other] = [open(), open()]
    for (let at = 0; at < 100; at++) {
      await one.verify('alice', '000000')
      if (at < 99) now = Math.max(now, (await one.listLocks())[0]?.until ?? now)
    }
    const since = now
    now += 10 * 86_400_000
    expect(await other.listLocks()).toMatchObject([{ subject: 'alice', since, until: now + 86_400_000 }])
    await one.unlock('alice')
    expect(await other.listLocks()).toEqual([])
  })
  it('are left out where they cannot be read, with one warning, and hide no other lock', async () => {
    const front = await startSecondFactors()
    const ask = await asking(front)
    await front.secondFactors.assign('alice')
    await guess(front, 5)
    for (let at = 0; at < 5; at++) await logIn(front, 'bob', '192.0.2.9', '', 'wrong')
    const { userStore } = parseConfig(front.config, { env: {} })
    const database = await openSqlDatabase((userStore as DatabaseConfig).sql.datasource)
    const rename = (from: string, to: string): Promise<unknown> => database.query(`ALTER TABLE ${from} RENAME TO ${to}`)
    const warnings = (): number => front.log.entries.filter(({ message }) => /cannot be read/.test(message)).length

    await rename('sallyport_second_factor', 'away')
    for (let at = 0; at < 2; at++) {
      expect(await ask('get', '/locks')).toMatchObject({ total: 1, list: [{ scope: 'pair', user: 'bob' }] })
    }
    expect(await front.security.locks()).toHaveLength(1)
    expect(warnings()).toBe(1)
    await rename('away', 'sallyport_second_factor')
    expect(await ask('get', '/locks')).toMatchObject({ total: 2 })
    await database.close()
  })

  it('that were lifted, or have no end, do not crowd out a new one, and are read one after the other', async () => {
    const values = localValues()
    const records = new Map<string, SecondFactorRecord>()
    let reading = 0
    let mostReading = 0
    const store: SecondFactorStore = {
      ...fileSecondFactors(() => seed, values),
      async read(subject) {
        mostReading = Math.max(mostReading, ++reading)
        await turn()
        reading--
        return { record: records.get(subject) ?? { ...emptyRecord, secret: seed }, mark: undefined }
      },
      async replace(subject, _before, next) {
        records.set(subject, next)
        return true
      },
    }
    const factors = createSecondFactors(store, await loadTotp('Sallyport'), () => start, values)
    const endless = { ...emptyRecord, secret: seed, failures: 99 }
    for (let at = 0; at < 201; at++) {
      records.set(`user${at}`, endless)
      await factors.verify(`user${at}`, '000000')
    }
    records.set('alice', { ...emptyRecord, secret: seed, failures: 4 })
    await factors.verify('alice', '000000')
    mostReading = 0
    const subjects = async (): Promise<readonly string[]> => (await factors.listLocks()).map(({ subject }) => subject)
    expect(await subjects()).toEqual(expect.arrayContaining(['alice', 'user200', 'user2']))
    expect(mostReading).toBe(1)
    await factors.unlock('user200')
    await factors.remove('user199')
    expect(JSON.parse((await values.read('second-factor-locks'))!)).toHaveLength(198)
    expect(await subjects()).toHaveLength(198)
  })
})
