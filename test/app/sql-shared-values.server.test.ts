import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { breakGlassStateIn, noteSigningKey, valuesIn } from '../../lib/app/sql-shared-values.js'
import { SqlLink } from '../../lib/sql/sql-link.js'
import type { BreakGlassUse } from '../../lib/users/login/break-glass.js'
import { type SqlEngine, sqlEngines } from '../helpers/sql-engines.js'

const logger = { info() {}, warn() {}, error() {} }

const use: BreakGlassUse = {
  account: { subject: 'BREAK-GLASS/rescue', roles: [], isAdmin: true, version: 'v', maxTokenAgeMs: 900_000 },
  at: 1_700_000_000_000,
}

describe.each(sqlEngines)('$name', ({ start }) => {
  let engine: SqlEngine
  let count = 0

  beforeAll(async () => {
    engine = await start()
  })
  afterAll(() => engine?.server.stop())

  /** The links of two processes. */
  async function pair(): Promise<readonly [SqlLink, SqlLink]> {
    const keyPrefix = `values-${count++}`
    const connect = async (): Promise<SqlLink> => {
      const link = new SqlLink({ database: await engine.open(), keyPrefix, logger })
      onTestFinished(() => link.close())
      await link.start()
      return link
    }
    return [await connect(), await connect()]
  }

  it('has the use of the account for emergencies at each process, and gives it to one that ends it', async () => {
    const [one, other] = (await pair()).map(breakGlassStateIn)
    expect(await other!.read()).toBe(undefined)
    await one!.write(use, 60_000)
    expect(await other!.read()).toEqual(use)
    const taken = await Promise.all([one, other, one, other].map((state) => state!.take()))
    expect(taken.filter((each) => each !== undefined)).toEqual([use])
    expect(await one!.read()).toBe(undefined)
  })

  it('forgets the use of the account when its life is over', async () => {
    const [link] = await pair()
    const state = breakGlassStateIn(link)
    await state.write(use, 60_000)
    await state.write(use, 0)
    expect(await state.read()).toBe(undefined)
    expect(await state.take()).toBe(undefined)
  })

  it('exchanges a small value once, whichever process is first', async () => {
    const [one, other] = (await pair()).map(valuesIn)
    expect(await other!.read('a')).toBe(undefined)
    const first = await Promise.all([one, other].map((values) => values!.replace('a', undefined, 'first', 60_000)))
    expect(first.toSorted()).toEqual([false, true])
    expect(await other!.replace('a', 'another', 'second', 60_000)).toBe(false)
    expect(await other!.replace('a', 'first', 'second', 60_000)).toBe(true)
    expect(await one!.read('a')).toBe('second')
  })

  it('tells each process which key the one before signs with', async () => {
    const [one, other] = await pair()
    expect(await noteSigningKey(one, 'first')).toBe(undefined)
    expect(await noteSigningKey(other, 'second')).toBe('first')
    expect(await noteSigningKey(one, 'third')).toBe('second')
  })

  it('rejects with StoreError while the database is away', async () => {
    const [link] = await pair()
    await link.close()
    const state = breakGlassStateIn(link)
    for (const work of [state.read, state.take, () => state.write(use, 1000), () => noteSigningKey(link, 'kid')]) {
      await expect(work()).rejects.toMatchObject({ name: 'StoreError' })
    }
  })
})
