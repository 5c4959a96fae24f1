/**
 * The counters of the login throttle in a database: each step is one transaction, one after the other for all processes.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { UnavailableError } from '../../core/errors.js'
import { isSqlError, type SqlQuery } from '../../sql/sql-database.js'
import type { SqlLink } from '../../sql/sql-link.js'
import { holdingLocks, noteKey } from './lock-notes.js'
import type { ManagedLoginThrottle } from './login-throttle.js'
import {
  createSharedThrottle,
  type SharedAttempt,
  type SharedCounterSettings,
  type SharedCounters,
  type SharedThrottleOptions,
} from './shared-throttle.js'
import { ThrottleRecords } from './sql-throttle-records.js'
import { newsIn, readNotes, readRows, type ThrottleScope } from './sql-throttle-rows.js'
import { lockKeys, subjectKeys, type ThrottleKeys } from './throttle-keys.js'
import { createThrottleRules, type HeldLogin, type ThrottleRules } from './throttle-rules.js'

/** Options of {@link createSqlThrottle}. */
export interface SqlThrottleOptions extends SharedThrottleOptions {
  /** The link to the database. The caller closes it. */
  readonly link: Pick<SqlLink, 'dialect' | 'locked' | 'now' | 'prefix' | 'query'>
}

/** Of a name, in characters: it is part of a key. */
const maxNameLength = 48

/**
 * Makes a throttle that counts in a database and in this process.
 *
 * @throws TypeError when an option is out of range.
 */
export function createSqlThrottle(options: SqlThrottleOptions): ManagedLoginThrottle {
  const { link, name = 'login', clock = link.now } = options
  if (name.length > maxNameLength) throw new TypeError(`"name" option must have at most ${maxNameLength} characters`)
  return createSharedThrottle({ ...options, clock }, 'the database', (settings) => countersIn(link, settings))
}

function countersIn(link: SqlThrottleOptions['link'], settings: SharedCounterSettings): SharedCounters {
  const { prefix, dialect } = link
  const scope: ThrottleScope = { ...settings, prefix, dialect }

  async function locked<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    try {
      return await link.locked(`throttle:${settings.name}`, work)
    } catch (error) {
      throw unlessOverloaded(error)
    }
  }

  function step<T>(keys: readonly string[], work: (records: ThrottleRecords) => Promise<T>): Promise<T> {
    return locked(async (query) => work(await ThrottleRecords.open(query, scope, keys)))
  }

  /** A step that the rules decide. */
  function stepByRules<T>(
    keys: readonly string[],
    work: (records: ThrottleRecords, rules: ThrottleRules) => T | Promise<T>,
  ): Promise<T> {
    return step(keys, async (records) => {
      const result = await work(records, createThrottleRules(records.tables, settings.limits))
      await records.save()
      return result
    })
  }

  function createAttempt(id: string, keys: ThrottleKeys, held: HeldLogin): SharedAttempt {
    const { place, userKey = '', sourceKey } = held
    return {
      isAllowed: true,
      settle(outcome, subject) {
        const found = subject === undefined ? [] : digestsIn(subjectKeys(subject, keys.source))
        const touched = new Set([...digestsIn(keys), place.key, userKey, sourceKey, ...found])
        return stepByRules([...touched], (records, rules) => {
          records.release(held, id)
          return rules.settle(held, keys, outcome, records.now, subject)
        })
      },
    }
  }

  return {
    start(keys, since) {
      const id = randomBytes(9).toString('base64url')
      return stepByRules(digestsIn(keys), async (records, rules) => {
        const news = await records.news(keys.pair, since)
        const admission = rules.admit(keys, rules.placeFor(keys, records.now), records.now)
        if (!admission?.isAllowed) return { ...news, admission }
        records.hold(admission, id)
        return { ...news, admission: createAttempt(id, keys, admission) }
      })
    },
    async news({ pair }, since) {
      const query: SqlQuery = (sql, parameters) =>
        link.query(sql, parameters).catch((error: unknown) => {
          throw unlessOverloaded(error)
        })
      return newsIn(query, scope, await readRows(query, scope, [pair]), pair, since)
    },
    unlock: (keys) => step(keys, (records) => records.unlock(keys)),
    note: (locks) => step(locks.map(noteKey), (records) => records.note(locks)),
    list: () =>
      locked(async (query) => {
        const locks = await readNotes(query, scope)
        if (locks.length === 0) return []
        const keys = new Set(locks.flatMap(lockKeys).flatMap(digestsIn))
        const records = await ThrottleRecords.open(query, scope, [...keys])
        const rules = createThrottleRules(records.tables, settings.limits)
        const held = holdingLocks(locks, records.now, (lock) => rules.remainingMs(lock, records.now))
        await records.save()
        return held
      }),
  }
}

/** Who floods the logins must not reach that each process counts alone. */
function unlessOverloaded(error: unknown): unknown {
  if (!isSqlError(error, 'overloaded')) return error
  return new UnavailableError('ERR_LOGIN_OVERLOADED', 'Too many logins at the same time. Try again later.', {
    cause: error,
  })
}

function digestsIn({ pair, user, source }: ThrottleKeys): readonly string[] {
  return [pair, user, source]
}
