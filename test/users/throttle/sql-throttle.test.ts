import { expect, it } from 'vitest'
import { UnavailableError } from '../../../lib/core/errors.js'
import { SqlError } from '../../../lib/sql/sql-database.js'
import { createSqlThrottle } from '../../../lib/users/throttle/sql-throttle.js'
import { recordedLog } from '../../helpers/recorded-log.js'

function throttleOver(kind: 'overloaded' | 'connection') {
  const fail = async (): Promise<never> => {
    throw new SqlError(kind, 'failed')
  }
  const log = recordedLog()
  const link = { dialect: 'postgresql', prefix: 'test', now: Date.now, locked: fail, query: fail } as const
  return { log, throttle: createSqlThrottle({ link, logger: log.logger }) }
}

it('refuses a login when too many wait for the database, and never counts alone by that', async () => {
  const { log, throttle } = throttleOver('overloaded')
  for (let count = 0; count < 10; count++) {
    const login = Promise.resolve(throttle.start('alice', '192.0.2.1'))
    await expect(login).rejects.toThrow(UnavailableError)
    await expect(login).rejects.toMatchObject({ status: 503, code: 'ERR_LOGIN_OVERLOADED' })
  }
  await expect(Promise.resolve(throttle.unlock('alice'))).rejects.toThrow(UnavailableError)
  expect(log.entries).toEqual([])
})

it('counts alone while the database is away', async () => {
  const { log, throttle } = throttleOver('connection')
  expect(await throttle.start('alice', '192.0.2.1')).toMatchObject({ isAllowed: true })
  expect(log.entries).toHaveLength(1)
})
