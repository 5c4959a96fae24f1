/**
 * Single values that processes share in a database.
 *
 * @module
 */

import type { SharedValues } from '../core/shared-values.js'
import type { SqlQuery, SqlRow } from '../sql/sql-database.js'
import type { SqlLink } from '../sql/sql-link.js'
import type { BreakGlassState, BreakGlassUse } from '../users/login/break-glass.js'

type Link = Pick<SqlLink, 'locked' | 'lookUp' | 'now' | 'prefix'>

/** For a value that is kept until it is exchanged. */
const endless: number = Number.MAX_SAFE_INTEGER

const breakGlass = 'break-glass'

/** The last use of the account for emergencies, known to all processes. */
export function breakGlassStateIn(link: Link): BreakGlassState {
  const useFrom = (value: unknown): BreakGlassUse | undefined =>
    typeof value === 'string' ? (JSON.parse(value) as BreakGlassUse) : undefined
  return {
    async read() {
      const { rows } = await link.lookUp({
        columns: 'v.value',
        joins: 'LEFT JOIN sallyport_value v ON v.prefix = l.prefix AND v.name = ? AND v.ends_at > ?',
        parameters: [breakGlass, link.now()],
      })
      return useFrom(rows[0]?.['value'])
    },
    take: async () => useFrom(await exchange(link, breakGlass)),
    async write(use, lifeMs) {
      await exchange(link, breakGlass, JSON.stringify(use), link.now() + lifeMs)
    },
  }
}

/** Small values, each exchanged in one step. */
export function valuesIn(link: Link): SharedValues {
  const select = 'SELECT value FROM sallyport_value WHERE prefix = ? AND name = ? AND ends_at > ?'
  const textFrom = (rows: readonly SqlRow[]): string | undefined =>
    rows[0] === undefined ? undefined : String(rows[0]['value'])

  return {
    // One lock for all: they are the codes of people.
    read: (name) =>
      link.locked('values', async (query) => textFrom(await query(select, [link.prefix, name, link.now()]))),

    replace: (name, before, value, lifeMs) =>
      link.locked('values', async (query) => {
        if (textFrom(await query(select, [link.prefix, name, link.now()])) !== before) return false
        await query('DELETE FROM sallyport_value WHERE prefix = ? AND name = ?', [link.prefix, name])
        const insert = 'INSERT INTO sallyport_value (prefix, name, value, ends_at) VALUES (?, ?, ?, ?)'
        await query(insert, [link.prefix, name, value, Math.ceil(link.now() + lifeMs)])
        return true
      }),
  }
}

/** As `SharedStore.noteSigningKey`. */
export function noteSigningKey(link: Link, kid: string): Promise<string | undefined> {
  return exchange(link, 'signing-key', kid)
}

/** Puts a value in the place of another, or none, and answers the one before. */
function exchange(link: Link, name: string, value?: string, endsAt = endless): Promise<string | undefined> {
  return link.locked(name, async (query: SqlQuery) => {
    const place = [link.prefix, name]
    const select = 'SELECT value FROM sallyport_value WHERE prefix = ? AND name = ? AND ends_at > ?'
    const [before] = await query(select, [...place, link.now()])
    await query('DELETE FROM sallyport_value WHERE prefix = ? AND name = ?', place)
    if (value !== undefined) {
      const insert = 'INSERT INTO sallyport_value (prefix, name, value, ends_at) VALUES (?, ?, ?, ?)'
      await query(insert, [...place, value, Math.ceil(endsAt)])
    }
    return before === undefined ? undefined : String(before['value'])
  })
}
